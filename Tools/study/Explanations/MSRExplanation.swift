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
    /// - Returns: false, without any output, if the register is one number or address.
    public func reportFields(of value: UInt64, to print: (Line) -> Void) -> Bool {
        if reportCapability(value, to: print) { return true }
        switch register {
        case .extendedFeatureEnable: FlagExplanation(ExtendedFeatureEnable(rawValue: value)).reportBits(to: print)
        case .systemCallMask: reportMask(value, to: print)
        case .pat: reportPAT(value, to: print)
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
            if let words = words(ofBit: bit) { table.row(bit, bit, words, to: print) }
        }
        table.finish(to: print)
    }

    private var section: StaticString {
        switch register {
        case .vmxBasic: "3, \"Basic VMX Information\""
        case .vmxPinControls, .vmxTruePinControls: "3, \"Pin-Based VM-Execution Controls\""
        case .vmxPrimaryControls, .vmxTruePrimaryControls: "3, \"Primary Processor-Based VM-Execution Controls\""
        case .vmxExitControls, .vmxTrueExitControls, .vmxSecondaryExitControls: "3, \"VM-Exit Controls\""
        case .vmxEntryControls, .vmxTrueEntryControls: "3, \"VM-Entry Controls\""
        case .vmxMiscellaneous: "3, \"Miscellaneous Data\""
        case .vmxCR0Fixed0, .vmxCR0Fixed1: "3, \"VMX-Fixed Bits in CR0\""
        case .vmxCR4Fixed0, .vmxCR4Fixed1: "3, \"VMX-Fixed Bits in CR4\""
        case .vmxVMCSEnumeration: "3, \"VMCS Enumeration\""
        case .vmxSecondaryControls: "3, \"Secondary Processor-Based VM-Execution Controls\""
        case .vmxEPTAndVPID: "3, \"VPID and EPT Capabilities\""
        case .vmxFunctions: "3, \"VM Functions\""
        case .vmxTertiaryControls: "3, \"Tertiary Processor-Based VM-Execution Controls\""
        default: "4, \"Architectural MSRs\""
        }
    }

    private var purpose: StaticString? {
        switch register {
        case .timeStampCounter: "The time-stamp counter."
        case .platformID: "Which kind of platform the processor is for; microcode updates are chosen by it."
        case .apicBase: "Where the local APIC is, and in which mode."
        case .featureControl: "What the firmware allows of VMX, SMX and SGX, until the next reset."
        case .timeStampAdjust: "What software has added to the time-stamp counter, a signed number."
        case .speculationControl: "Restricts speculation."
        case .predictionCommand: "Commands to the branch predictors (write only)."
        case .microcodeVersion: "The revision of the microcode."
        case .platformInformation: "Ratios of the clock, and features of the model."
        case .memoryTypeCapability: "What the memory-type range registers can do."
        case .architecturalCapabilities:
            "Which weaknesses of speculation the processor does not have, and what it does against others."
        case .flushCommand: "Commands to the caches (write only)."
        case .sysenterCS: "The code selector that SYSENTER loads; 0 makes it raise #GP."
        case .sysenterESP: "The stack pointer that SYSENTER loads, a linear address."
        case .sysenterEIP: "The instruction pointer that SYSENTER loads, a linear address."
        case .machineCheckCapability: "What the machine-check architecture has here."
        case .machineCheckStatus: "The machine check that is going on."
        case .machineCheckControl: "Which machine-check features are on."
        case .miscEnable: "Switches of the processor's features."
        case .debugControl: "Branch records, branch traces and single-stepping of branches."
        case .pat: "The memory types that page-table entries choose from."
        case .performanceControl: "Which performance counters count."
        case .memoryTypeDefault: "The memory type where no range register says another."
        case .vmxBasic: "The revision of the VMCS, its size, and how it is accessed."
        case .vmxPinControls, .vmxPrimaryControls, .vmxExitControls, .vmxEntryControls, .vmxSecondaryControls,
            .vmxTruePinControls, .vmxTruePrimaryControls, .vmxTrueExitControls, .vmxTrueEntryControls:
            "Bits 31:0: controls that must be 1. Bits 63:32: controls that may be 1."
        case .vmxMiscellaneous: "Numbers of VMX: timer rate, activity states, CR3 targets."
        case .vmxCR0Fixed0, .vmxCR4Fixed0: "Bits that are 1 here must be 1 in the register while in VMX operation."
        case .vmxCR0Fixed1, .vmxCR4Fixed1: "Bits that are 0 here must be 0 in the register while in VMX operation."
        case .vmxVMCSEnumeration: "The highest index of a VMCS field."
        case .vmxEPTAndVPID: "What the processor supports of EPT, INVEPT and INVVPID."
        case .vmxFunctions: "The VM functions that may be enabled."
        case .vmxTertiaryControls, .vmxSecondaryExitControls: "All 64 bits: controls that may be 1. None must be."
        case .timeStampDeadline: "The time stamp at which the local APIC's timer interrupts; 0 disarms it."
        case .supervisorState: "The supervisor state components that XSAVES and XRSTORS manage."
        case .extendedFeatureEnable: "Long mode and related features."
        case .star: "The selectors of SYSCALL and SYSRET."
        case .longSTAR: "The instruction pointer that SYSCALL loads in 64-bit mode, a linear address."
        case .compatibilitySTAR:
            "The instruction pointer for SYSCALL from compatibility mode, a linear address; Intel processors do not use it."
        case .systemCallMask: "The flags that SYSCALL clears."
        case .fsBase: "The base of FS, a linear address."
        case .gsBase: "The base of GS, a linear address."
        case .kernelGSBase: "What SWAPGS exchanges with the base of GS, a linear address."
        case .timeStampCounterAux: "What RDTSCP and RDPID return in ECX or the register, usually the processor's number."
        default: nil
        }
    }
}
