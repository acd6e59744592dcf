import VMX
import X86

// What each control does when it is 1, for the explanations.

extension PinControls: ExplainedFlags {
    public static var title: StaticString { "pin-based VM-execution controls" }
    public static var section: StaticString { "Pin-Based VM-Execution Controls" }
    public static var reservedOnes: UInt32 { 0x16 }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "external interrupts exit instead of going through the guest's IDT"
        case 3: "NMIs exit instead of going through the guest's IDT"
        case 5:
            "NMIs are never blocked for the hypervisor; blocking by NMI in the interruptibility state is the guest's own"
        case 6: "the preemption timer counts down while the guest runs and exits at zero"
        case 7: "interrupts posted in the descriptor in memory reach the guest without an exit"
        default: nil
        }
    }
}

extension PrimaryControls: ExplainedFlags {
    public static var title: StaticString { "primary processor-based VM-execution controls" }
    public static var section: StaticString { "Processor-Based VM-Execution Controls" }
    public static var reservedOnes: UInt32 { 0x0400_6172 }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 2: "exits before an instruction as soon as RFLAGS.IF is 1 and nothing blocks interrupts"
        case 3: "RDTSC, RDTSCP and reads of the TSC's MSR add the TSC offset"
        case 7: "HLT exits"
        case 9: "INVLPG exits, and INVPCID where it is enabled"
        case 10: "MWAIT exits"
        case 11: "RDPMC exits"
        case 12: "RDTSC and RDTSCP exit"
        case 15: "MOV to CR3 exits, but for the CR3-target values"
        case 16: "MOV from CR3 exits"
        case 17: "the tertiary controls count; without it they are taken as 0"
        case 19: "MOV to CR8 exits"
        case 20: "MOV from CR8 exits"
        case 21: "CR8 and the task priority are those of the virtual-APIC page, with the TPR threshold"
        case 22: "exits before an instruction as soon as nothing blocks NMIs"
        case 23: "MOV to and from debug registers exits"
        case 24: "every IN, OUT, INS and OUTS exits, unless the I/O bitmaps are in use"
        case 25: "IN, OUT, INS and OUTS exit when the port's bit in the I/O bitmaps is 1"
        case 27: "exits after each instruction of the guest"
        case 28: "RDMSR and WRMSR exit as the MSR bitmaps say; without it they always exit"
        case 29: "MONITOR exits"
        case 30: "PAUSE exits"
        case 31: "the secondary controls count; without it they are taken as 0"
        default: nil
        }
    }
}

extension SecondaryControls: ExplainedFlags {
    public static var title: StaticString { "secondary processor-based VM-execution controls" }
    public static var section: StaticString { "Processor-Based VM-Execution Controls" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "accesses to the APIC-access page are virtualized or exit"
        case 1: "guest-physical addresses go through the extended page tables"
        case 2: "LGDT, LIDT, LLDT, LTR, SGDT, SIDT, SLDT and STR exit"
        case 3: "RDTSCP and RDPID work; without it they raise #UD"
        case 4: "RDMSR and WRMSR of x2APIC registers (800H to 8FFH) are virtualized"
        case 5: "cached translations carry the VPID and survive VM entries and exits"
        case 6: "WBINVD and WBNOINVD exit"
        case 7: "the guest may run without paging and in real mode"
        case 8: "most reads of APIC registers come from the virtual-APIC page, most writes go there"
        case 9: "the processor evaluates and delivers pending virtual interrupts, and virtualizes EOI"
        case 10: "a series of PAUSE at privilege level 0 that fits PLE_Gap and PLE_Window exits"
        case 11: "RDRAND exits"
        case 12: "INVPCID works; without it it raises #UD"
        case 13: "VMFUNC works; without it it raises #UD"
        case 14: "VMREAD and VMWRITE of the guest may go to a shadow VMCS, as two bitmaps say"
        case 15: "ENCLS exits as its bitmap says"
        case 16: "RDSEED exits"
        case 17: "guest-physical addresses of pages that get dirty are logged, until the log is full"
        case 18: "EPT violations become the exception #VE, unless the EPT entry suppresses it"
        case 19: "Intel Processor Trace does not show VM entries and exits"
        case 20: "XSAVES and XRSTORS work; without it they raise #UD"
        case 21: "ENQCMD and ENQCMDS translate the process-address-space identifier"
        case 22: "EPT entries give execute permission apart for supervisor and user addresses"
        case 23: "EPT entries can give write permission to pieces of 128 bytes"
        case 24: "Intel Processor Trace writes to guest-physical addresses, through EPT"
        case 25: "RDTSC, RDTSCP and reads of the TSC's MSR multiply by the TSC multiplier"
        case 26: "TPAUSE, UMONITOR and UMWAIT work; without it they raise #UD"
        case 27: "PCONFIG works; without it it raises #UD"
        case 28: "ENCLV exits as its bitmap says"
        case 30: "a bus lock exits after the instruction"
        case 31: "exits when no instruction ends within the notify window"
        default: nil
        }
    }
}

extension TertiaryControls: ExplainedFlags {
    public static var title: StaticString { "tertiary processor-based VM-execution controls" }
    public static var section: StaticString { "Processor-Based VM-Execution Controls" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "LOADIWKEY exits"
        case 1:
            "some linear addresses go through page tables that the hypervisor gives (hypervisor-managed linear-address translation)"
        case 2: "EPT entries can allow the guest's page walk to write what the guest itself may not"
        case 3: "EPT entries can demand that the guest's page walk used permitted tables only"
        case 4: "the processor sends virtual interprocessor interrupts without an exit"
        case 6: "RDMSRLIST and WRMSRLIST work; without it they raise #UD"
        case 7: "the guest changes only those bits of IA32_SPEC_CTRL that the hypervisor leaves to it"
        default: nil
        }
    }
}

extension ExitControls: ExplainedFlags {
    public static var title: StaticString { "primary VM-exit controls" }
    public static var section: StaticString { "VM-Exit Controls" }
    public static var reservedOnes: UInt32 { 0x3_6DFB }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 2: "DR7 and IA32_DEBUGCTL are saved"
        case 9: "the host runs in 64-bit mode after the exit"
        case 12: "IA32_PERF_GLOBAL_CTRL is loaded from the host state"
        case 15: "an external interrupt is taken from the interrupt controller, and its vector stored"
        case 18: "the guest's IA32_PAT is saved"
        case 19: "IA32_PAT is loaded from the host state"
        case 20: "the guest's IA32_EFER is saved"
        case 21: "IA32_EFER is loaded from the host state"
        case 22: "what is left of the preemption timer is saved"
        case 23: "IA32_BNDCFGS is cleared"
        case 24: "Intel Processor Trace does not show the exit"
        case 25: "IA32_RTIT_CTL is cleared"
        case 26: "IA32_LBR_CTL is cleared"
        case 28: "IA32_S_CET, SSP and IA32_INTERRUPT_SSP_TABLE_ADDR are loaded from the host state"
        case 29: "IA32_PKRS is loaded from the host state"
        case 31: "the secondary VM-exit controls count; without it they are taken as 0"
        default: nil
        }
    }
}

extension SecondaryExitControls: ExplainedFlags {
    public static var title: StaticString { "secondary VM-exit controls" }
    public static var section: StaticString { "VM-Exit Controls" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "the guest's MSRs of flexible return and event delivery are saved"
        case 1: "the MSRs of flexible return and event delivery are loaded from the host state"
        case 3: "an exit in the midst of an event's delivery says whether it left a supervisor shadow stack busy"
        default: nil
        }
    }
}

extension EntryControls: ExplainedFlags {
    public static var title: StaticString { "VM-entry controls" }
    public static var section: StaticString { "VM-Entry Controls" }
    public static var reservedOnes: UInt32 { 0x11FB }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 2: "DR7 and IA32_DEBUGCTL are loaded"
        case 9: "the guest is in IA-32e (long) mode after the entry"
        case 10: "the guest is in system-management mode after the entry"
        case 11: "SMIs get their default treatment again after the entry"
        case 13: "IA32_PERF_GLOBAL_CTRL is loaded"
        case 14: "IA32_PAT is loaded"
        case 15: "IA32_EFER is loaded"
        case 16: "IA32_BNDCFGS is loaded"
        case 17: "Intel Processor Trace does not show the entry"
        case 18: "IA32_RTIT_CTL is loaded"
        case 20: "IA32_S_CET, SSP and IA32_INTERRUPT_SSP_TABLE_ADDR are loaded"
        case 21: "IA32_LBR_CTL is loaded"
        case 22: "IA32_PKRS is loaded"
        case 23: "the MSRs of flexible return and event delivery are loaded"
        default: nil
        }
    }
}
