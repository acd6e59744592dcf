import VMX
import X86

// What each flag of a register does when it is 1, for the explanations.

extension ControlRegister0: ExplainedFlags {
    public static var title: StaticString { "CR0" }
    public static var section: StaticString { "Control Registers" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .protectionEnable: "protected mode"
        case .monitorCoprocessor: "WAIT raises #NM when TS is 1"
        case .emulation: "there is no x87: its instructions raise #NM, SSE raises #UD"
        case .taskSwitched: "the next x87 or SSE instruction raises #NM (set by a task switch)"
        case .extensionType: "always 1 on processors since the 486"
        case .numericError: "x87 errors raise #MF instead of an external interrupt; VMX operation fixes it to 1"
        case .writeProtect: "supervisor code may not write to read-only pages"
        case .alignmentMask: "RFLAGS.AC checks alignment at privilege level 3"
        case .notWriteThrough: "writes do not go through to memory"
        case .cacheDisable: "caching is restricted"
        case .paging: "paging"
        default: nil
        }
    }
}

extension ControlRegister4: ExplainedFlags {
    public static var title: StaticString { "CR4" }
    public static var section: StaticString { "Control Registers" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .virtual8086Extensions: "virtual-8086 mode has virtual interrupts"
        case .protectedVirtualInterrupts: "protected mode has virtual interrupts"
        case .timeStampDisable: "RDTSC works at privilege level 0 only"
        case .debuggingExtensions: "DR4 and DR5 raise #UD; breakpoints on ports"
        case .pageSizeExtensions: "4-MiB pages in 32-bit paging"
        case .physicalAddressExtension: "page-table entries of 64 bits; needed for long mode"
        case .machineCheckEnable: "machine checks raise #MC"
        case .pageGlobalEnable: "global pages stay in the TLB when CR3 is written"
        case .performanceCounterEnable: "RDPMC works at every privilege level"
        case .fxsave: "SSE works, and FXSAVE saves its state"
        case .unmaskedSIMDExceptions: "unmasked SSE errors raise #XM"
        case .userModeInstructionPrevention: "SGDT, SIDT, SLDT, SMSW and STR raise #GP at privilege level 3"
        case .fiveLevelPaging: "5-level paging: linear addresses of 57 bits"
        case .vmxEnable: "VMX is enabled; VMX operation fixes it to 1"
        case .smxEnable: "SMX (GETSEC) is enabled"
        case .fsgsbase: "RDFSBASE, WRFSBASE and the like work"
        case .processContextIdentifiers: "process-context identifiers tag the TLB"
        case .xsave: "XSAVE and XGETBV work"
        case .keyLocker: "Key Locker works"
        case .supervisorExecutionPrevention: "supervisor code may not execute user pages"
        case .supervisorAccessPrevention: "supervisor code may not access user pages unless RFLAGS.AC is 1"
        case .protectionKeys: "protection keys for user pages"
        case .controlFlowEnforcement: "control-flow enforcement: shadow stacks and indirect-branch tracking"
        case .supervisorProtectionKeys: "protection keys for supervisor pages"
        case .userInterrupts: "user interrupts"
        case .supervisorAddressMasking: "supervisor pointers may carry metadata in their unused bits"
        case .flexibleEventDelivery: "flexible return and event delivery"
        default: nil
        }
    }
}

extension ExtendedFeatureEnable: ExplainedFlags {
    public static var title: StaticString { "IA32_EFER" }
    public static var section: StaticString { "Extended Feature Enable Register" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .systemCall: "SYSCALL and SYSRET work in 64-bit mode"
        case .longModeEnable: "long mode will be active once paging is on"
        case .longModeActive: "long mode is active"
        case .executeDisable: "page-table entries can forbid execution (bit 63)"
        case .secureVirtualMachine: "AMD: the instructions of SVM work"
        case .longModeSegmentLimit: "AMD: limits of data segments are checked in 64-bit mode"
        case .fastFXSAVE: "AMD: FXSAVE and FXRSTOR at privilege level 0 leave the XMM registers out"
        case .translationCacheExtension: "AMD: INVLPG keeps cached upper levels of page tables"
        case .mcommit: "AMD: MCOMMIT works"
        case .interruptibleWBINVD: "AMD: WBINVD can be interrupted"
        case .upperAddressIgnore: "AMD: bits 63:57 of addresses are ignored"
        case .automaticIBRS: "AMD: indirect branches are restricted while the privilege level is below 3"
        default: nil
        }
    }
}

extension RFlags: ExplainedFlags {
    public static var title: StaticString { "RFLAGS" }
    public static var section: StaticString { "System Flags and Fields in the EFLAGS Register" }
    public static var reservedOnes: UInt64 { RFlags.alwaysSet.rawValue }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .carry: "carry"
        case .alwaysSet: "always 1"
        case .parity: "even parity of the low byte"
        case .adjust: "carry out of the low half-byte"
        case .zero: "zero"
        case .sign: "negative"
        case .trap: "single step: #DB after each instruction"
        case .interruptEnable: "maskable interrupts are taken"
        case .direction: "string instructions go downwards"
        case .overflow: "signed overflow"
        case .ioPrivilegeLow: "low bit of the privilege level needed for ports"
        case .ioPrivilegeHigh: "high bit of the privilege level needed for ports"
        case .nestedTask: "IRET returns to another task"
        case .resume: "instruction breakpoints are held off for one instruction"
        case .virtual8086: "virtual-8086 mode"
        case .alignmentCheck: "alignment is checked, or SMAP is suspended"
        case .virtualInterrupt: "virtual interrupt flag"
        case .virtualInterruptPending: "a virtual interrupt is pending"
        case .identification: "software can change it: CPUID exists"
        default: nil
        }
    }
}

extension InterruptibilityState: ExplainedFlags {
    public static var title: StaticString { "interruptibility state" }
    public static var section: StaticString { "Guest Non-Register State" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .blockingBySTI: "the last instruction was STI: interrupts wait for one more"
        case .blockingByMovSS:
            "the last instruction was MOV SS or POP SS: interrupts, NMIs and debug exceptions wait for one more"
        case .blockingBySMI: "system-management interrupts are blocked"
        case .blockingByNMI: "an NMI is being handled: others wait until IRET"
        case .enclaveInterruption: "the exit occurred in an enclave"
        default: nil
        }
    }
}

extension PendingDebugExceptions: ExplainedFlags {
    public static var title: StaticString { "pending debug exceptions" }
    public static var section: StaticString { "Guest Non-Register State" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch Self(bit: bit) {
        case .breakpoint0, .breakpoint1, .breakpoint2, .breakpoint3: "the condition of this breakpoint was met"
        case .enabledBreakpoint: "a breakpoint that was met is enabled in DR7"
        case .singleStep: "a single-step trap is pending"
        case .transactional: "it happened in a transactional region"
        default: nil
        }
    }
}
