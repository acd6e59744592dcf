import SVM

/// One field of a good VMCB changed.
public struct ConsistencyMutation: Equatable, Sendable {
    /// The field that is changed.
    public let field: VMCBFieldName
    /// Its new value, which may be the old one.
    public let value: UInt64
}

/// The mutations of a VMCB, one after the other: of every field that can be written each bit flipped, the values at the edges
/// of what fields mean, and the encodings of the fields that are made of several parts.
public struct ConsistencyMutations {
    private let base: VMCB
    private let physicalAddressWidth: Int
    private var position = 0
    private var index = 0

    /// The cases for a VMCB.
    public init(of base: VMCB, physicalAddressWidth: Int) {
        self.base = base
        self.physicalAddressWidth = physicalAddressWidth
    }

    /// The next case, or nil after the last.
    public mutating func next() -> ConsistencyMutation? {
        while let field = VMCBFieldName(at: position) {
            // The clean bits would let the processor use what it has cached instead of the case.
            if !field.isReadOnly, field != .cleanBits {
                let values = ConsistencyValues(
                    field: field, base: base.bits(of: field), physicalAddressWidth: physicalAddressWidth)
                if let value = values[index] {
                    index += 1
                    return ConsistencyMutation(field: field, value: value & field.valueMask)
                }
            }
            position += 1
            index = 0
        }
        return nil
    }
}

/// The values to try in one field.
struct ConsistencyValues {
    let field: VMCBFieldName
    let base: UInt64
    let physicalAddressWidth: Int

    /// The value at a place, or nil past the last one.
    subscript(index: Int) -> UInt64? {
        var rest = index
        if rest < Int(field.bitCount) { return base ^ 1 << UInt64(rest) }
        rest -= Int(field.bitCount)
        if rest < Self.edgeCount { return edge(rest) }
        rest -= Self.edgeCount
        return rest < ownCount ? own(rest) : nil
    }

    private static var edgeCount: Int { 20 }

    /// Ends of fields, limits, physical and linear addresses; what does not fit the field is cut.
    private func edge(_ index: Int) -> UInt64 {
        let physical: UInt64 = 1 << UInt64(physicalAddressWidth)
        switch index {
        case 0: return 0
        case 1: return 1
        case 2: return .max
        case 3: return field.valueMask >> 1
        case 4: return field.valueMask ^ field.valueMask >> 1
        case 5: return 0xFFF
        case 6: return 0x1000
        case 7: return 0xF_FFFF
        case 8: return 0xFFFF
        case 9: return 0x1_0000
        case 10: return 0xFFFF_FFFF
        case 11: return 0x1_0000_0000
        case 12: return physical - 1
        case 13: return physical - 0x1000
        case 14: return physical - 0x2000
        case 15: return physical - 0x3000
        case 16: return physical - 0x4000
        case 17: return physical
        case 18: return 0x0000_8000_0000_0000
        default: return 0xFFFF_8000_0000_0000
        }
    }

    private var ownCount: Int {
        switch field {
        case .eventInjection: 8 * 34 * 2
        case .cr0, .efer, .virtualInterrupts: 16
        case .csAttributes: 64
        case .guestPAT: 8 * 9
        default: 0
        }
    }

    /// Values that are made of the field's own parts.
    private func own(_ index: Int) -> UInt64 {
        let number = UInt64(index)
        switch field {
        case .eventInjection:
            // Every type with every vector of an exception and beyond, with and without an error code.
            let vector = number >> 4
            return 1 << 31 | (number & 7) << 8 | (number >> 3 & 1) << 11 | (vector < 33 ? vector : 255)
        // PE, NW, CD and PG; SVME, LME, LMA and NXE; V_NMI_ENABLE, x2AVIC, AVIC and V_IRQ.
        case .cr0: return base & ~0xE000_0001 | number & 1 | (number >> 1) << 29
        case .efer: return base & ~0x1D00 | (number & 1) << 12 | (number & 2) << 7 | (number & 4) << 8 | (number & 8) << 8
        case .virtualInterrupts: return (number & 1) << 26 | (number & 2) << 29 | (number & 4) << 29 | (number & 8) << 5
        // Every type with L and D.
        case .csAttributes: return base & ~0x60F | number & 15 | (number >> 4) << 9
        case .guestPAT: return base & ~(0xFF << (number / 9 * 8)) | (number % 9) << (number / 9 * 8)
        default: return base
        }
    }
}
