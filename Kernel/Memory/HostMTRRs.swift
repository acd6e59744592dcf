/// Reads a processor's memory type range registers, for code that must run on any machine.
public protocol MemoryTypeRegisterReader {
    /// The value of a register that the processor has.
    func read(_ register: MemoryTypeRegister) -> UInt64
}

/// The memory type range registers.
public enum MemoryTypeRegister: Hashable, Sendable {
    /// IA32_MTRRCAP.
    case capability
    /// IA32_MTRR_DEF_TYPE.
    case defaultType
    /// The eleven fixed-range registers in the order of their addresses: one of 64 KiB, two of 16 KiB, eight of 4 KiB.
    case fixed(Int)
    /// IA32_MTRR_PHYSBASEn.
    case base(Int)
    /// IA32_MTRR_PHYSMASKn.
    case mask(Int)
}

/// Bits of these registers.
public enum MemoryTypeBits {
    /// In IA32_MTRRCAP: the number of variable ranges, FIX, WC.
    public static var variableRanges: UInt64 { 0xFF }
    public static var offersFixedRanges: UInt64 { 1 << 8 }
    public static var offersWriteCombining: UInt64 { 1 << 10 }
    /// In IA32_MTRR_DEF_TYPE: the type, FE, E.
    public static var defaultType: UInt64 { 0xFF }
    public static var enablesFixedRanges: UInt64 { 1 << 10 }
    public static var enablesRanges: UInt64 { 1 << 11 }
    /// In IA32_MTRR_PHYSMASKn: V.
    public static var isValid: UInt64 { 1 << 11 }
}

/// Why the memory type range registers could not be read.
public enum HostMTRRsError: Error, Equatable {
    /// IA32_MTRRCAP reports more variable ranges than there is room for.
    case tooManyVariableRanges(Int)
}

/// The memory type range registers (MTRRs) of a processor: which type the firmware gave to each physical address.
///
/// Intel SDM vol. 3, "Memory Type Range Registers (MTRRs)".
public struct HostMTRRs {
    /// How many variable ranges can be held. Processors have about ten.
    public static var variableCapacity: Int { 32 }

    /// A variable range that is in use: the addresses that equal `base` in the bits of `mask`.
    struct Variable {
        var base: UInt64
        var mask: UInt64
        var typeBits: UInt8
    }

    /// MTRRs are used at all (IA32_MTRR_DEF_TYPE, bit 11). Otherwise all memory is uncacheable.
    public let isEnabled: Bool
    /// The fixed ranges decide below 1 MiB (they exist, and bit 10 of IA32_MTRR_DEF_TYPE is set).
    public let usesFixedRanges: Bool
    /// The type of memory that no range covers.
    public let defaultType: MemoryType
    /// The number of variable ranges in use.
    public private(set) var variableCount = 0

    let physicalAddressWidth: Int
    private var fixed = InlineArray<11, UInt64>(repeating: 0)
    private var variable = InlineArray<32, Variable>(repeating: Variable(base: 0, mask: 0, typeBits: 0))

    /// Reads the registers of a processor that has them (CPUID 1, EDX bit 12), and none that IA32_MTRRCAP says are absent.
    public init(
        reading reader: some MemoryTypeRegisterReader, physicalAddressWidth: Int
    ) throws(HostMTRRsError) {
        let capability = reader.read(.capability)
        let available = Int(capability & MemoryTypeBits.variableRanges)
        guard available <= Self.variableCapacity else { throw .tooManyVariableRanges(available) }

        let settings = reader.read(.defaultType)
        isEnabled = settings & MemoryTypeBits.enablesRanges != 0
        defaultType = Self.type(UInt8(truncatingIfNeeded: settings))
        let hasFixedRanges = capability & MemoryTypeBits.offersFixedRanges != 0
        usesFixedRanges = hasFixedRanges && settings & MemoryTypeBits.enablesFixedRanges != 0
        self.physicalAddressWidth = physicalAddressWidth

        if hasFixedRanges {
            for index in 0..<11 { fixed[index] = reader.read(.fixed(index)) }
        }
        let widthMask: UInt64 = (1 << UInt64(physicalAddressWidth)) - 1
        for index in 0..<available {
            let mask = reader.read(.mask(index))
            guard mask & MemoryTypeBits.isValid != 0 else { continue }
            let base = reader.read(.base(index))
            let addressMask = mask & widthMask & ~0xFFF
            variable[variableCount] = Variable(
                base: base & addressMask, mask: addressMask, typeBits: UInt8(truncatingIfNeeded: base))
            variableCount += 1
        }
    }

    /// The type of the memory at `address`.
    ///
    /// Intel SDM vol. 3, "MTRR Precedences": disabled MTRRs mean uncacheable; below 1 MiB the fixed ranges
    /// decide if they are in use; of variable ranges that overlap, uncacheable wins, and write-through wins over
    /// write-back. For other overlaps the behaviour is undefined: this answers uncacheable, the one type that is always
    /// safe; likewise for reserved encodings.
    public func type(of address: HostPhysicalAddress) -> MemoryType {
        guard isEnabled else { return .uncacheable }
        if usesFixedRanges, address.rawValue < Self.fixedLimit { return fixedType(of: address.rawValue) }
        let variable = variable.span
        var found: MemoryType?
        for index in 0..<variableCount where address.rawValue & variable[index].mask == variable[index].base {
            let type = Self.type(variable[index].typeBits)
            guard let previous = found else {
                found = type
                continue
            }
            found = Self.overlap(previous, type)
        }
        return found ?? defaultType
    }

    /// Where the fixed ranges end.
    static var fixedLimit: UInt64 { 0x10_0000 }

    /// The first address above `address` at which the type may change: the end of some range. 2^64 - 1 if none.
    func nextBoundary(after address: UInt64) -> UInt64 {
        guard isEnabled else { return .max }
        if usesFixedRanges, address < Self.fixedLimit {
            return (address | (Self.fixedGranule(of: address) - 1)) + 1
        }
        let variable = variable.span
        var boundary = UInt64.max
        for index in 0..<variableCount where variable[index].mask != 0 {
            // Whether an address matches changes only at multiples of the mask's lowest bit.
            let granule = variable[index].mask & ~(variable[index].mask - 1)
            let isContiguous = variable[index].mask == widthMask & ~(granule - 1)
            if !isContiguous {
                boundary = min(boundary, (address | (granule - 1)) + 1)
                continue
            }
            let start = variable[index].base
            let end = start + granule
            if start > address { boundary = min(boundary, start) }
            if end > address { boundary = min(boundary, end) }
        }
        return boundary
    }

    private var widthMask: UInt64 { (1 << UInt64(physicalAddressWidth)) - 1 }

    private func fixedType(of address: UInt64) -> MemoryType {
        let index: Int
        let byte: UInt64
        switch address {
        case ..<0x8_0000: (index, byte) = (0, address >> 16)
        case ..<0xC_0000: (index, byte) = (1 + Int((address - 0x8_0000) >> 17), address >> 14 & 7)
        default: (index, byte) = (3 + Int((address - 0xC_0000) >> 15), address >> 12 & 7)
        }
        return Self.type(UInt8(truncatingIfNeeded: fixed[index] >> (byte * 8)))
    }

    private static func fixedGranule(of address: UInt64) -> UInt64 {
        address < 0x8_0000 ? 0x1_0000 : address < 0xC_0000 ? 0x4000 : 0x1000
    }

    private static func type(_ bits: UInt8) -> MemoryType { MemoryType(rawValue: bits) ?? .uncacheable }

    private static func overlap(_ one: MemoryType, _ other: MemoryType) -> MemoryType {
        switch (one, other) {
        case _ where one == other: one
        case (.writeThrough, .writeBack), (.writeBack, .writeThrough): .writeThrough
        default: .uncacheable
        }
    }
}
