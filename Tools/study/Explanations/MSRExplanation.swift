import Text
import X86

/// A model-specific register in words: what it is, and what a value of it says.
public struct MSRExplanation {
    let register: ModelSpecificRegister

    public init(_ register: ModelSpecificRegister) { self.register = register }

    /// Whether Martlet knows the register's name.
    public var isKnown: Bool { register.name != nil }

    /// Tells what the register is for.
    public func report(to print: (Line) -> Void) {
        print("MSR \(hex: register.number): \(register) (SDM volume \(section))")
        if let purpose { print("  \(purpose)") }
    }

    /// Tells what the register is for, and what a value says.
    public func report(_ value: UInt64, to print: (Line) -> Void) {
        print("MSR \(hex: register.number): \(register) = \(hex: value) (SDM volume \(section))")
        if let purpose { print("  \(purpose)") }
        if !reportFields(of: value, to: print) { print("  the value is \(hex: value)") }
    }

    /// Tells what a value says.
    /// - Returns: false, and nothing is told, if the register is one number or address.
    public func reportFields(of value: UInt64, to print: (Line) -> Void) -> Bool {
        if reportCapability(value, to: print) { return true }
        switch register.number {
        case 0xC000_0080: FlagExplanation(ExtendedFeatureEnable(rawValue: value)).reportBits(to: print)
        case 0xC000_0084: reportMask(value, to: print)
        case 0x277: reportPAT(value, to: print)
        case _ where hasBits: reportBits(value, to: print)
        default: return false
        }
        return true
    }

    /// IA32_FMASK: the flags that SYSCALL clears.
    private func reportMask(_ value: UInt64, to print: (Line) -> Void) {
        var table = BitTable(value)
        for bit in 0..<64 where table.isSet(bit) {
            if let name = RFlags.name(ofBit: bit) { table.row(bit, bit, "SYSCALL clears \(name)", to: print) }
        }
        table.finish(to: print)
    }

    private func reportPAT(_ value: UInt64, to print: (Line) -> Void) {
        var table = BitTable(value)
        for index in 0..<8 {
            let type = table.bits(8 * index + 7, 8 * index)
            let words: Line = type == 7 ? "uncached, which MTRRs may override (UC-)" : MemoryTypeWords.line(type)
            table.row(8 * index + 7, 8 * index, "PA\(UInt64(index)): \(words)", to: print)
        }
    }

    private func reportBits(_ value: UInt64, to print: (Line) -> Void) {
        var table = BitTable(value)
        reportNumbers(&table, to: print)
        for bit in 0..<64 where table.isSet(bit) {
            if let words = Self.words(of: register.number, bit: bit) { table.row(bit, bit, Line(words), to: print) }
        }
        table.finish(to: print)
    }

    private var section: StaticString {
        switch register.number {
        case 0x480: "3, \"Basic VMX Information\""
        case 0x481, 0x48D: "3, \"Pin-Based VM-Execution Controls\""
        case 0x482, 0x48E: "3, \"Primary Processor-Based VM-Execution Controls\""
        case 0x483, 0x48F, 0x493: "3, \"VM-Exit Controls\""
        case 0x484, 0x490: "3, \"VM-Entry Controls\""
        case 0x485: "3, \"Miscellaneous Data\""
        case 0x486, 0x487: "3, \"VMX-Fixed Bits in CR0\""
        case 0x488, 0x489: "3, \"VMX-Fixed Bits in CR4\""
        case 0x48A: "3, \"VMCS Enumeration\""
        case 0x48B: "3, \"Secondary Processor-Based VM-Execution Controls\""
        case 0x48C: "3, \"VPID and EPT Capabilities\""
        case 0x491: "3, \"VM Functions\""
        case 0x492: "3, \"Tertiary Processor-Based VM-Execution Controls\""
        default: "4, \"Architectural MSRs\""
        }
    }

    private var purpose: StaticString? {
        switch register.number {
        case 0x10: "The time-stamp counter."
        case 0x17: "Which kind of platform the processor is for; microcode updates are chosen by it."
        case 0x1B: "Where the local APIC is, and in which mode."
        case 0x3A: "What the firmware allows of VMX, SMX and SGX, until the next reset."
        case 0x3B: "What software has added to the time-stamp counter, a signed number."
        case 0x48: "Restricts speculation."
        case 0x49: "Commands to the branch predictors (write only)."
        case 0x8B: "The revision of the microcode."
        case 0xCE: "Ratios of the clock, and features of the model."
        case 0xFE: "What the memory-type range registers can do."
        case 0x10A: "Which weaknesses of speculation the processor does not have, and what it does against others."
        case 0x10B: "Commands to the caches (write only)."
        case 0x174: "The code selector that SYSENTER loads; 0 makes it raise #GP."
        case 0x175: "The stack pointer that SYSENTER loads, a linear address."
        case 0x176: "The instruction pointer that SYSENTER loads, a linear address."
        case 0x179: "What the machine-check architecture has here."
        case 0x17A: "The machine check that is going on."
        case 0x17B: "Which machine-check features are on."
        case 0x1A0: "Switches of the processor's features."
        case 0x1D9: "Branch records, branch traces and single-stepping of branches."
        case 0x277: "The memory types that page-table entries choose from."
        case 0x2FF: "The memory type where no range register says another."
        case 0x480: "The revision of the VMCS, its size, and how it is accessed."
        case 0x481...0x484, 0x48B, 0x48D...0x490:
            "Bits 31:0: controls that must be 1. Bits 63:32: controls that may be 1."
        case 0x485: "Numbers of VMX: timer rate, activity states, CR3 targets."
        case 0x486, 0x488: "Bits that are 1 here must be 1 in the register while in VMX operation."
        case 0x487, 0x489: "Bits that are 0 here must be 0 in the register while in VMX operation."
        case 0x48A: "The highest index of a VMCS field."
        case 0x48C: "What the processor offers of EPT, INVEPT and INVVPID."
        case 0x491: "The VM functions that may be enabled."
        case 0x492, 0x493: "All 64 bits: controls that may be 1. None must be."
        case 0x6E0: "The time stamp at which the local APIC's timer interrupts; 0 disarms it."
        case 0xDA0: "The supervisor state components that XSAVES and XRSTORS manage."
        case 0xC000_0080: "Long mode and its kind."
        case 0xC000_0081: "The selectors of SYSCALL and SYSRET."
        case 0xC000_0082: "The instruction pointer that SYSCALL loads in 64-bit mode, a linear address."
        case 0xC000_0083:
            "The instruction pointer for SYSCALL from compatibility mode, a linear address; Intel processors do not use it."
        case 0xC000_0084: "The flags that SYSCALL clears."
        case 0xC000_0100: "The base of FS, a linear address."
        case 0xC000_0101: "The base of GS, a linear address."
        case 0xC000_0102: "What SWAPGS exchanges with the base of GS, a linear address."
        case 0xC000_0103: "What RDTSCP and RDPID return in ECX or the register, usually the processor's number."
        default: nil
        }
    }
}
