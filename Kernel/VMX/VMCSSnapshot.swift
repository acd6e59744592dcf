/// The values of all fields of a VMCS at one moment, typed like the VMCS itself: `snapshot[.guestCR0]`.
///
/// A field that the processor does not have reads as 0, which is how the processor treats it.
public struct VMCSSnapshot: Sendable {
    private var values: [208 of UInt64]

    /// A VMCS of zeroes.
    public init() { values = .init(repeating: 0) }

    /// Reads the current VMCS, except the fields that the processor does not have.
    public init<Access: VMCSAccess>(reading vmcs: VMCS<Access>, _ capabilities: VMXCapabilities) {
        self.init()
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position)
            if field.exists(capabilities) { self[field.encoding] = vmcs.access.read(field.encoding) }
        }
    }

    /// Writes all fields into the current VMCS, except the read-only ones and those that the processor does not have.
    public func write<Access: VMCSAccess>(to vmcs: VMCS<Access>, _ capabilities: VMXCapabilities) {
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position)
            guard field.encoding.area != .exitInformation, field.exists(capabilities) else { continue }
            vmcs.access.write(field.encoding, self[field.encoding])
        }
    }

    /// A field by its name, in its own type.
    public subscript<Value: VMCSValue, Access>(field: VMCSField<Value, Access>) -> Value {
        @inline(__always) get { Value(vmcsValue: self[field.encoding]) }
        @inline(__always) set { self[field.encoding] = newValue.vmcsValue }
    }

    /// A field's bits, those above its width being zero.
    public subscript(field: VMCSFieldEncoding) -> UInt64 {
        @inline(__always) get { values.span[Self.place(of: field)] }
        @inline(__always) set { values[Self.place(of: field)] = newValue & field.valueMask }
    }

    /// A field's bits in a snapshot in memory, read in place: the subscripts may copy all of it.
    @inline(__always)
    public static func value(of field: VMCSFieldEncoding, in snapshot: UnsafePointer<VMCSSnapshot>) -> UInt64 {
        UnsafeRawPointer(snapshot).load(fromByteOffset: 8 * place(of: field), as: UInt64.self)
    }

    /// Every combination of area and width is a row, long enough for the fields that the manual defines.
    @inline(__always)
    private static func place(of field: VMCSFieldEncoding) -> Int {
        let start: Int
        let end: Int
        switch (field.area, field.width) {
        case (.control, .bits16): (start, end) = (0, 4)
        case (.control, .bits64): (start, end) = (4, 44)
        case (.control, .bits32): (start, end) = (44, 64)
        case (.control, .natural): (start, end) = (64, 72)
        case (.exitInformation, .bits16): (start, end) = (72, 72)
        case (.exitInformation, .bits64): (start, end) = (72, 74)
        case (.exitInformation, .bits32): (start, end) = (74, 82)
        case (.exitInformation, .natural): (start, end) = (82, 90)
        case (.guestState, .bits16): (start, end) = (90, 102)
        case (.guestState, .bits64): (start, end) = (102, 118)
        case (.guestState, .bits32): (start, end) = (118, 142)
        case (.guestState, .natural): (start, end) = (142, 166)
        case (.hostState, .bits16): (start, end) = (166, 174)
        case (.hostState, .bits64): (start, end) = (174, 182)
        case (.hostState, .bits32): (start, end) = (182, 184)
        case (.hostState, .natural): (start, end) = (184, 200)
        }
        let place = start + Int(truncatingIfNeeded: field.index)
        precondition(place < end, "a VMCS field that snapshots have no place for")
        return place
    }
}

extension VMCSFieldEncoding {
    /// The bits that the field holds.
    @inline(__always)
    public var valueMask: UInt64 {
        switch width {
        case .bits16: 0xFFFF
        case .bits32: 0xFFFF_FFFF
        case .bits64, .natural: UInt64.max
        }
    }
}
