import VMX

extension ExitReason {
    /// What happened, according to the basic reason: nil for a number that the manual reserves.
    public var sentence: StaticString? {
        switch basic {
        case .exceptionOrNMI:
            "The guest raised an exception that the exception bitmap asks for, or an NMI arrived. The VM-exit interruption information says which; it was not delivered to the guest."
        case .externalInterrupt:
            "An external interrupt arrived for the processor. It belongs to the host, which takes it after the exit or by the acknowledged vector."
        case .tripleFault:
            "An exception during the delivery of #DF: the guest can go no further. A bare processor would shut down and the board reset it."
        case .initSignal: "An INIT signal arrived. It is not for the guest: the hypervisor decides what becomes of it."
        case .startupIPI:
            "A start-up IPI arrived while the guest waited for one (wait-for-SIPI). The qualification holds its vector."
        case .ioSMI: "A system-management interrupt came right after an I/O instruction of the guest, to an SMM monitor."
        case .otherSMI: "A system-management interrupt came for another cause than an I/O instruction, to an SMM monitor."
        case .interruptWindow:
            "The guest can take an interrupt from now on, which the hypervisor asked to be told. Usually it has one waiting and injects it at the next entry."
        case .nmiWindow: "The guest can take an NMI from now on, which the hypervisor asked to be told."
        case .taskSwitch:
            "The guest tried to switch tasks by hardware (CALL, JMP, IRET or an interrupt through a task gate), which no processor with VMX does for a guest."
        case .cpuid: "The guest executed CPUID. The hypervisor decides what the guest learns of its processor."
        case .getsec: "The guest executed GETSEC, with which safer mode extensions are used."
        case .hlt:
            "The guest executed HLT: it has nothing to do until the next interrupt. The hypervisor waits for it, or runs another guest."
        case .invd: "The guest executed INVD, which would throw away cached data of the host."
        case .invlpg:
            "The guest executed INVLPG, to drop the translation of one linear address. Under EPT the processor can do it without the hypervisor."
        case .rdpmc: "The guest executed RDPMC, to read a performance counter."
        case .rdtsc: "The guest executed RDTSC, to read the time-stamp counter."
        case .rsm: "The guest executed RSM in system-management mode, to leave it."
        case .vmcall: "The guest executed VMCALL: it asks the hypervisor for a service."
        case .vmclear: "The guest executed VMCLEAR, as a hypervisor does that runs inside the guest."
        case .vmlaunch: "The guest executed VMLAUNCH, as a hypervisor does that runs inside the guest."
        case .vmptrld: "The guest executed VMPTRLD, as a hypervisor does that runs inside the guest."
        case .vmptrst: "The guest executed VMPTRST, as a hypervisor does that runs inside the guest."
        case .vmread: "The guest executed VMREAD. With VMCS shadowing, it is a field whose bit in the VMREAD bitmap is 1."
        case .vmresume: "The guest executed VMRESUME, as a hypervisor does that runs inside the guest."
        case .vmwrite: "The guest executed VMWRITE. With VMCS shadowing, it is a field whose bit in the VMWRITE bitmap is 1."
        case .vmxoff: "The guest executed VMXOFF, as a hypervisor does that runs inside the guest."
        case .vmxon: "The guest executed VMXON, as a hypervisor does that runs inside the guest."
        case .controlRegisterAccess:
            "The guest accessed CR0, CR3, CR4 or CR8 (MOV, CLTS or LMSW) in a way that the masks or controls keep for the hypervisor."
        case .movDR: "The guest executed MOV to or from a debug register."
        case .ioInstruction:
            "The guest executed IN, OUT, INS or OUTS on a port that is not its own. For the string instructions the operand is in memory."
        case .rdmsr: "The guest executed RDMSR on a register that it may not read itself. ECX holds the register's number."
        case .wrmsr: "The guest executed WRMSR on a register that it may not write itself. ECX holds the register's number."
        case .entryFailureGuestState:
            "VM entry found the guest state invalid: nothing of the guest ran. Some rule of the guest-state area is broken."
        case .entryFailureMSRLoading:
            "VM entry could not load an MSR of the VM-entry MSR-load area: nothing of the guest ran. The qualification is the number of the entry."
        case .mwait: "The guest executed MWAIT, to sleep until the memory that it monitors is written."
        case .monitorTrapFlag: "The guest executed one instruction, after which the monitor trap flag stops it."
        case .monitor: "The guest executed MONITOR, to name the memory that MWAIT watches."
        case .pause: "The guest executed PAUSE, or so many close together that it seems to spin on a lock."
        case .entryFailureMachineCheck: "A machine check happened during VM entry: nothing of the guest ran."
        case .tprBelowThreshold:
            "The guest lowered its task priority below the TPR threshold, so that an interrupt that the hypervisor holds can now be delivered."
        case .apicAccess: "The guest accessed the APIC-access page in a way that the processor does not virtualize."
        case .virtualizedEOI:
            "The guest ended an interrupt (EOI) whose vector is marked in the EOI-exit bitmap; the virtual APIC has done its part already."
        case .gdtrOrIDTRAccess: "The guest executed LGDT, LIDT, SGDT or SIDT."
        case .ldtrOrTRAccess: "The guest executed LLDT, LTR, SLDT or STR."
        case .eptViolation:
            "The guest accessed a guest-physical address that the extended page tables do not map, or not for this kind of access. The address is in the VMCS."
        case .eptMisconfiguration:
            "The guest's access met an entry of the extended page tables that no processor accepts. The hypervisor made it, by mistake or to catch device accesses."
        case .invept: "The guest executed INVEPT, as a hypervisor does that runs inside the guest."
        case .rdtscp: "The guest executed RDTSCP, to read the time-stamp counter and IA32_TSC_AUX."
        case .preemptionTimerExpired:
            "The VMX-preemption timer counted down to zero: the time that the hypervisor gave the guest is over."
        case .invvpid: "The guest executed INVVPID, as a hypervisor does that runs inside the guest."
        case .wbinvd: "The guest executed WBINVD or WBNOINVD, to write back all caches."
        case .xsetbv: "The guest executed XSETBV, to choose the extended state that XSAVE manages (XCR0)."
        case .apicWrite:
            "The guest wrote an APIC register; the value is in the virtual-APIC page, and what the write brings about is left to the hypervisor."
        case .rdrand: "The guest executed RDRAND."
        case .invpcid: "The guest executed INVPCID, to drop translations by process-context identifier."
        case .vmfunc: "The guest executed VMFUNC with a function that is not enabled, or with EPTP switching that failed."
        case .encls: "The guest executed ENCLS, a supervisor's instruction for enclaves."
        case .rdseed: "The guest executed RDSEED."
        case .pageModificationLogFull:
            "The page-modification log is full: the hypervisor must read it before the guest can make another page dirty."
        case .xsaves: "The guest executed XSAVES with state components that the XSS-exiting bitmap marks."
        case .xrstors: "The guest executed XRSTORS with state components that the XSS-exiting bitmap marks."
        case .pconfig: "The guest executed PCONFIG, which configures features of the platform such as memory encryption."
        case .sppEvent: "The processor met a sub-page permission table that misses an entry or has a wrong one."
        case .umwait: "The guest executed UMWAIT, a wait that user code may do."
        case .tpause: "The guest executed TPAUSE, a timed wait that user code may do."
        case .loadiwkey: "The guest executed LOADIWKEY, which sets the wrapping key of Key Locker."
        case .enclv: "The guest executed ENCLV, a virtual machine monitor's instruction for enclaves."
        case .enqcmdPASIDFailure: "The guest executed ENQCMD, and its process-address-space identifier could not be translated."
        case .enqcmdsPASIDFailure: "The guest executed ENQCMDS, and its process-address-space identifier could not be translated."
        case .busLock:
            "The guest locked the bus, with a locked access across a cache line or to uncacheable memory. The instruction is complete."
        case .instructionTimeout: "No instruction of the guest ended within the notify window: the guest may hang the processor."
        case .seamcall: "The guest executed SEAMCALL, which calls the module of trust domain extensions."
        case .tdcall: "The guest executed TDCALL, with which a trust domain calls the module."
        case .rdmsrlist: "The guest executed RDMSRLIST, and one of the registers in its list may not be read by the guest."
        case .wrmsrlist: "The guest executed WRMSRLIST, and one of the registers in its list may not be written by the guest."
        case .urdmsr: "The guest executed URDMSR, with which user code reads an MSR."
        case .uwrmsr: "The guest executed UWRMSR, with which user code writes an MSR."
        case .rdmsrImmediate:
            "The guest executed RDMSR with the register's number in the instruction; the qualification holds it."
        case .wrmsrnsImmediate:
            "The guest executed WRMSRNS with the register's number in the instruction; the qualification holds it."
        case .reserved35, .reserved38, .reserved42, .reserved71, .reserved82, .reserved83, nil: nil
        }
    }
}
