import SVM
import StudyTools
import X86

// What each flag does when it is 1, for the explanations.

extension InterceptVector: ExplainedFlags {
    public static var title: StaticString {
        switch number {
        case 0: "intercept vector 0 (control registers)"
        case 1: "intercept vector 1 (debug registers)"
        case 2: "intercept vector 2 (exceptions)"
        case 3: "intercept vector 3"
        case 4: "intercept vector 4"
        default: "intercept vector 5"
        }
    }
    public static var manual: StaticString { "APM volume 2" }
    public static var section: StaticString { "VMCB Layout" }

    public static func meaning(ofBit bit: Int) -> StaticString? { SVMExitCode(interceptBit: 32 * number + bit)?.interceptMeaning }
}

extension SVMExitCode {
    /// What exits with the intercept bit.
    fileprivate var interceptMeaning: StaticString {
        switch self {
        case .cr0Read: "MOV from CR0 and SMSW"
        case .cr0Write: "MOV to CR0, CLTS and LMSW"
        case .interrupt: "physical maskable interrupts"
        case .nonMaskableInterrupt: "NMIs"
        case .systemManagementInterrupt: "system-management interrupts"
        case .initSignal: "INIT signals"
        case .taskSwitch: "hardware task switches"
        case .shutdown: "what would shut the processor down"
        case .virtualInterrupt: "virtual interrupts, right before the guest takes them"
        case .cr0SelectiveWrite: "writes of CR0 that change more than TS and MP, and LMSW"
        case .idtrRead: "SIDT"
        case .gdtrRead: "SGDT"
        case .ldtrRead: "SLDT"
        case .trRead: "STR"
        case .idtrWrite: "LIDT"
        case .gdtrWrite: "LGDT"
        case .ldtrWrite: "LLDT"
        case .trWrite: "LTR"
        case .softwareInterrupt: "INT n"
        case .ioio: "IN, OUT, INS and OUTS, as the I/O permissions map says"
        case .msr: "RDMSR and WRMSR, as the MSR permissions map says"
        case .ferrFreeze: "waiting for an interrupt because of an x87 error"
        case .vmrun: "VMRUN; must be 1"
        case .wbinvd: "WBINVD and WBNOINVD"
        case .monitor: "MONITOR and MONITORX"
        case .mwait: "MWAIT and MWAITX"
        case .mwaitConditional: "MWAIT and MWAITX while the monitor is armed"
        case .eferWriteTrap: "writes of EFER, when they are over"
        case .invlpgbIllegal: "INVLPGB that is not specified rightly"
        case .busLock: "bus locks while the Bus Lock Threshold Counter is 0"
        case .idleHLT: "HLT while no virtual interrupt is pending"
        default: interceptKind
        }
    }

    /// Of those whose names say the rest.
    private var interceptKind: StaticString {
        if exceptionVector != nil { return "the exception of this vector" }
        return switch rawValue {
        case 0x00...0x0F, 0x20...0x2F: "MOV from the register"
        case 0x10...0x1F, 0x30...0x3F: "MOV to the register"
        case 0x90...0x9F: "writes of the register, when they are over"
        default: "the instruction"
        }
    }
}

extension InterruptShadow: ExplainedFlags {
    public static var title: StaticString { "interrupt shadow" }
    public static var manual: StaticString { "APM volume 2" }
    public static var section: StaticString { "Interrupt Shadows" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "the last instruction holds interrupts off for one more, as STI and MOV SS do"
        case 1: "RFLAGS.IF of a guest with encrypted state"
        default: nil
        }
    }
}

extension NestedControl: ExplainedFlags {
    public static var title: StaticString { "nested paging control" }
    public static var manual: StaticString { "APM volume 2" }
    public static var section: StaticString { "VMCB Layout" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "guest-physical addresses go through the nested page tables"
        case 1: "the guest's memory is encrypted"
        case 2: "the guest's registers are encrypted, too, and are not in the VMCB"
        case 3: "pages for user code may not be executed by the guest's supervisor code"
        case 4: "the nested tables restrict supervisor shadow stacks"
        case 5: "all of the guest's memory is encrypted with the host's key"
        case 6: "the guest's page tables may lie in pages that the nested tables do not let it write"
        case 7: "INVLPGB and TLBSYNC work in the guest; without it they raise #UD"
        default: nil
        }
    }
}

extension VirtualizationControl: ExplainedFlags {
    public static var title: StaticString { "virtualization control" }
    public static var manual: StaticString { "APM volume 2" }
    public static var section: StaticString { "VMCB Layout" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "the registers of last branches are switched with the guest"
        case 1: "VMSAVE and VMLOAD of the guest need not exit"
        case 2: "the registers of instruction-based sampling are switched with the guest"
        case 3: "the performance counters are switched with the guest"
        default: nil
        }
    }
}

extension VMCBCleanBits: ExplainedFlags {
    public static var title: StaticString { "VMCB Clean field" }
    public static var manual: StaticString { "APM volume 2" }
    public static var section: StaticString { "VMCB Clean Field" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "intercepts, TSC offset and PAUSE filter are as they were"
        case 1: "the addresses of the permission maps are as they were"
        case 2: "the ASID is as it was"
        case 3: "virtual interrupts and the virtual TPR are as they were"
        case 4: "N_CR3 and G_PAT are as they were"
        case 5: "CR0, CR3, CR4 and EFER are as they were"
        case 6: "DR6 and DR7 are as they were"
        case 7: "GDTR and IDTR are as they were"
        case 8: "CS, DS, SS, ES and CPL are as they were"
        case 9: "CR2 is as it was"
        case 10: "DebugCtl and the last branches are as they were"
        case 11: "the pointers of AVIC are as they were"
        case 12: "S_CET, SSP and ISST_ADDR are as they were"
        default: nil
        }
    }
}

extension VMControlRegister: ExplainedFlags {
    public static var title: StaticString { "VM_CR" }
    public static var manual: StaticString { "APM volume 2" }
    public static var section: StaticString { "VM_CR MSR (C001_0114h)" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "the external debug port and some debug features are off"
        case 1: "INIT signals that do not exit become #SX"
        case 2: "masking of address line 20 is off"
        case 3: "this bit and SVMDIS cannot be written"
        case 4: "EFER.SVME cannot be set: there is no SVM"
        default: nil
        }
    }
}

extension SVMFeatures: ExplainedFlags {
    public static var title: StaticString { "features of SVM, EDX of CPUID Fn8000_000A" }
    public static var manual: StaticString { "APM volume 3" }
    public static var section: StaticString { "Function 8000_000Ah" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "nested paging"
        case 1: "the registers of last branches can be switched with the guest"
        case 2: "SVM is locked by a key"
        case 3: "exits tell the address of the next instruction"
        case 4: "the rate of the guest's time-stamp counter can be set"
        case 5: "the VMCB Clean field"
        case 6: "TLB_CONTROL can flush one guest's translations"
        case 7: "exits tell more of the instruction"
        case 8: "the performance counters can be switched with the guest"
        case 10: "PAUSE exits after a number of them"
        case 12: "PAUSE exits by their distance"
        case 13: "the processor works the guest's local APIC"
        case 15: "VMSAVE and VMLOAD of the guest need not exit"
        case 16: "the guest can have a global interrupt flag of its own"
        case 17: "guest mode execute trap"
        case 18: "the processor works the guest's local APIC in x2APIC mode, too"
        case 19: "nested tables can restrict supervisor shadow stacks"
        case 20: "SPEC_CTRL is switched with the guest"
        case 21: "the guest's page tables may lie in pages that it may not write"
        case 23: "the host's CR4.MCE counts in the guest"
        case 24: "INVLPGB and TLBSYNC can be given to the guest, and TLBSYNC can exit"
        case 25: "virtual NMIs"
        case 26: "the registers of instruction-based sampling can be switched with the guest"
        case 27: "AVIC lets the guest read the extended local vector table"
        case 28: "the address of a guest's own VMCB is checked"
        case 29: "bus locks can exit after a number of them"
        case 30: "HLT can exit only if no virtual interrupt is pending"
        case 31: "the shutdown intercept comes in more cases"
        default: nil
        }
    }
}
