import VMX
import X86

/// One field of a good VMCS changed.
public struct Mutation: Equatable, Sendable {
    /// The field that is changed.
    public let field: VMCSFieldEncoding
    /// Its new value, which may be the old one.
    public let value: UInt64
}

/// The mutations of a VMCS, one after the other: for every writable field each bit flipped, the values at the limits of its
/// meaning, and the encodings of fields made of several parts.
public struct MutationCases: Sendable {
    private let snapshot: VMCSSnapshot
    private let capabilities: VMXCapabilities
    private var position = 0
    private var index = 0

    /// The cases for a VMCS on a processor, whose absent fields are left out.
    public init(of snapshot: VMCSSnapshot, _ capabilities: VMXCapabilities) {
        self.snapshot = snapshot
        self.capabilities = capabilities
    }

    /// The next case, or nil after the last.
    public mutating func next() -> Mutation? {
        while position < VMCSFieldDescription.count {
            let description = VMCSFieldDescription.field(at: position)
            let field = description.encoding
            if field.area != .exitInformation, description.exists(capabilities) {
                let values = MutationValues(of: field, from: snapshot[field], capabilities)
                if let value = values[index] {
                    index += 1
                    return Mutation(field: field, value: value & field.valueMask)
                }
            }
            position += 1
            index = 0
        }
        return nil
    }
}

/// The values to try in one field.
struct MutationValues {
    let field: VMCSFieldEncoding
    let base: UInt64
    let capabilities: VMXCapabilities

    init(of field: VMCSFieldEncoding, from base: UInt64, _ capabilities: VMXCapabilities) {
        self.field = field
        self.base = base
        self.capabilities = capabilities
    }

    /// The value at a place, or nil past the last one.
    subscript(index: Int) -> UInt64? {
        var rest = index
        if rest < field.bitCount { return base ^ 1 << UInt64(rest) }
        rest -= field.bitCount
        if rest < Self.edgeCount { return edge(rest) }
        rest -= Self.edgeCount
        if rest < ownCount { return own(rest) }
        return nil
    }

    private static var edgeCount: Int { 24 }

    /// Ends of fields, limits, physical and linear addresses; what does not fit the field is cut.
    private func edge(_ index: Int) -> UInt64 {
        let physical: UInt64 = 1 << UInt64(capabilities.physicalAddressWidth)
        switch index {
        case 0: return 0
        case 1: return 1
        case 2: return .max
        case 3: return field.valueMask >> 1
        case 4: return field.valueMask ^ field.valueMask >> 1
        case 5: return 0xFFF
        case 6: return 0x1000
        case 7: return 0xF_FFFF
        case 8: return 0x10_0000
        case 9: return 0xFFFF
        case 10: return 0x1_0000
        case 11: return 0xFFFF_FFFF
        case 12: return 0x1_0000_0000
        case 13: return physical - 1
        case 14: return physical - 16
        case 15: return physical - 4096
        case 16: return physical
        case 17: return 0x0000_7FFF_FFFF_FFFF
        case 18: return 0x0000_8000_0000_0000
        case 19: return 0xFFFF_7FFF_FFFF_FFFF
        case 20: return 0xFFFF_8000_0000_0000
        case 21: return 0x00FF_FFFF_FFFF_FFFF
        case 22: return 0x0100_0000_0000_0000
        default: return 0xFF00_0000_0000_0000
        }
    }

    private enum Kind {
        case plain, rights, event, interruptibility, activity, attributes, features, nestedTables, control0, debug
    }

    private var kind: Kind {
        if field.area == .guestState, field.width == .bits32, field.index >= 10, field.index < 18 { return .rights }
        if field == VMCSField.entryInterruptionInformation.encoding { return .event }
        if field == VMCSField.guestInterruptibility.encoding { return .interruptibility }
        if field == VMCSField.guestActivityState.encoding { return .activity }
        if field == VMCSField.guestPAT.encoding || field == VMCSField.hostPAT.encoding { return .attributes }
        if field == VMCSField.guestEFER.encoding || field == VMCSField.hostEFER.encoding { return .features }
        if field == VMCSField.extendedPageTablePointer.encoding { return .nestedTables }
        if field == VMCSField.guestCR0.encoding || field == VMCSField.hostCR0.encoding { return .control0 }
        if field == VMCSField.guestPendingDebugExceptions.encoding { return .debug }
        return .plain
    }

    private var ownCount: Int {
        switch kind {
        case .plain: 0
        case .rights: 16 * 4 + 4
        case .event: 8 * Self.vectorCount * 2 + 1
        case .interruptibility: 32
        case .activity: 5
        case .attributes: 8 * 9
        case .features: 16
        case .nestedTables: 64
        case .control0: 4
        case .debug: 16
        }
    }

    /// Values made of the field's own parts.
    private func own(_ index: Int) -> UInt64 {
        let number = UInt64(index)
        switch kind {
        case .plain: return base
        case .rights:
            switch index {
            // Every type with every privilege level.
            case 0..<64: return base & ~0x6F | number & 15 | (number >> 4) << 5
            case 64: return 0x1_0000
            case 65: return 0xF3
            case 66: return 0x93
            default: return base ^ 0x6000
            }
        case .event:
            // Every type with telling vectors, with and without an error code.
            let vector = Self.vector(index >> 4)
            return index == ownCount - 1 ? 0 : 1 << 31 | (number & 7) << 8 | (number >> 3 & 1) << 11 | vector
        case .interruptibility, .activity: return number
        case .attributes: return base & ~(0xFF << (number / 9 * 8)) | (number % 9) << (number / 9 * 8)
        case .features: return (number & 1) | (number & 2) << 7 | (number & 4) << 8 | (number & 8) << 8
        case .nestedTables: return base & ~0x3F | number
        case .control0: return base & ~0x8000_0001 | number & 1 | (number & 2) << 30
        case .debug: return (number & 1) << 12 | (number & 2) << 13 | (number & 4) << 14 | (number & 8) >> 3
        }
    }

    private static var vectorCount: Int { 14 }

    private static func vector(_ index: Int) -> UInt64 {
        switch index {
        case 0: 0
        case 1: 1
        case 2: 2
        case 3: 3
        case 4: 6
        case 5: 8
        case 6: 9
        case 7: 13
        case 8: 14
        case 9: 17
        case 10: 18
        case 11: 21
        case 12: 32
        default: 255
        }
    }
}
