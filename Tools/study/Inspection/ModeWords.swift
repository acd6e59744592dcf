import Debug
import Text
import VMX
import X86

extension ProcessorMode {
    /// The mode's name.
    var words: StaticString {
        switch self {
        case .real: "real mode"
        case .virtual8086: "virtual-8086 mode"
        case .protected16: "protected mode, 16-bit code"
        case .protected32: "protected mode, 32-bit code"
        case .compatibility16: "compatibility mode, 16-bit code"
        case .compatibility32: "compatibility mode, 32-bit code"
        case .long64: "64-bit mode"
        }
    }
}

extension StateSnapshot {
    /// How linear addresses are translated.
    var pagingWords: StaticString {
        guard self[.guestCR0].contains(.paging) else { return "no paging" }
        // Shadow tables are those of PAE paging where the guest's are not.
        let cr4 = hasShadowTables ? seenCR4 : self[.guestCR4]
        if self[.guestEFER].contains(.longModeActive) {
            return cr4.contains(.fiveLevelPaging) ? "5-level paging" : "4-level paging"
        }
        return cr4.contains(.physicalAddressExtension) ? "PAE paging" : "32-bit paging"
    }
}

/// RFLAGS in words: the names of the set flags, and the I/O privilege level as a number.
struct FlagWords: TextConvertible {
    let flags: RFlags

    init(_ flags: RFlags) { self.flags = flags }

    func write(to output: inout Line) {
        let level = flags.rawValue >> 12 & 3
        // Bit 1 is always 1.
        let named = RFlags(rawValue: flags.rawValue & ~0x3002)
        if !named.isEmpty || level == 0 { output.write(named) }
        guard level != 0 else { return }
        if !named.isEmpty { output.write(", ") }
        output.write("IOPL ")
        output.write(decimal: level)
    }
}
