import VMX

extension ExitReason {
    /// What happened, for a basic reason: nil for a number that the manual reserves.
    public static func sentence(ofBasic reason: UInt16) -> StaticString? {
        if reason <= 17 { return events(reason) }
        if reason <= 44 { return instructions(reason) }
        return later(reason)
    }

    private static func events(_ reason: UInt16) -> StaticString? {
        switch reason {
        case 0:
            "The guest raised an exception that the exception bitmap asks for, or an NMI arrived. The VM-exit interruption information says which; it was not delivered to the guest."
        case 1:
            "An external interrupt arrived for the processor. It belongs to the host, which takes it after the exit or by the acknowledged vector."
        case 2:
            "An exception during the delivery of #DF: the guest can go no further. A bare processor would shut down and the board reset it."
        case 3: "An INIT signal arrived. It is not for the guest: the hypervisor decides what becomes of it."
        case 4:
            "A start-up IPI arrived while the guest waited for one (wait-for-SIPI). The qualification holds its vector."
        case 5: "A system-management interrupt came right after an I/O instruction of the guest, to an SMM monitor."
        case 6: "A system-management interrupt came for another cause than an I/O instruction, to an SMM monitor."
        case 7:
            "The guest can take an interrupt from now on, which the hypervisor asked to be told. Usually it has one waiting and injects it at the next entry."
        case 8: "The guest can take an NMI from now on, which the hypervisor asked to be told."
        case 9:
            "The guest tried to switch tasks by hardware (CALL, JMP, IRET or an interrupt through a task gate), which no processor with VMX does for a guest."
        case 10: "The guest executed CPUID. The hypervisor decides what the guest learns of its processor."
        case 11: "The guest executed GETSEC, with which safer mode extensions are used."
        case 12:
            "The guest executed HLT: it has nothing to do until the next interrupt. The hypervisor waits for it, or runs another guest."
        case 13: "The guest executed INVD, which would throw away cached data of the host."
        case 14:
            "The guest executed INVLPG, to drop the translation of one linear address. Under EPT the processor can do it without the hypervisor."
        case 15: "The guest executed RDPMC, to read a performance counter."
        case 16: "The guest executed RDTSC, to read the time-stamp counter."
        default: "The guest executed RSM in system-management mode, to leave it."
        }
    }

    private static func instructions(_ reason: UInt16) -> StaticString? {
        switch reason {
        case 18: "The guest executed VMCALL: it asks the hypervisor for a service."
        case 19: "The guest executed VMCLEAR, as a hypervisor does that runs inside the guest."
        case 20: "The guest executed VMLAUNCH, as a hypervisor does that runs inside the guest."
        case 21: "The guest executed VMPTRLD, as a hypervisor does that runs inside the guest."
        case 22: "The guest executed VMPTRST, as a hypervisor does that runs inside the guest."
        case 23: "The guest executed VMREAD. With VMCS shadowing, it is a field whose bit in the VMREAD bitmap is 1."
        case 24: "The guest executed VMRESUME, as a hypervisor does that runs inside the guest."
        case 25: "The guest executed VMWRITE. With VMCS shadowing, it is a field whose bit in the VMWRITE bitmap is 1."
        case 26: "The guest executed VMXOFF, as a hypervisor does that runs inside the guest."
        case 27: "The guest executed VMXON, as a hypervisor does that runs inside the guest."
        case 28:
            "The guest accessed CR0, CR3, CR4 or CR8 (MOV, CLTS or LMSW) in a way that the masks or controls keep for the hypervisor."
        case 29: "The guest executed MOV to or from a debug register."
        case 30:
            "The guest executed IN, OUT, INS or OUTS on a port that is not its own. For the string instructions the operand is in memory."
        case 31: "The guest executed RDMSR on a register that it may not read itself. ECX holds the register's number."
        case 32: "The guest executed WRMSR on a register that it may not write itself. ECX holds the register's number."
        case 33:
            "VM entry found the guest state invalid: nothing of the guest ran. Some rule of the guest-state area is broken."
        case 34:
            "VM entry could not load an MSR of the VM-entry MSR-load area: nothing of the guest ran. The qualification is the number of the entry."
        case 36: "The guest executed MWAIT, to sleep until the memory that it monitors is written."
        case 37: "The guest executed one instruction, after which the monitor trap flag stops it."
        case 39: "The guest executed MONITOR, to name the memory that MWAIT watches."
        case 40: "The guest executed PAUSE, or so many close together that it seems to spin on a lock."
        case 41: "A machine check happened during VM entry: nothing of the guest ran."
        case 43:
            "The guest lowered its task priority below the TPR threshold, so that an interrupt that the hypervisor holds can now be delivered."
        case 44: "The guest accessed the APIC-access page in a way that the processor does not virtualize."
        default: nil
        }
    }

    private static func later(_ reason: UInt16) -> StaticString? {
        switch reason {
        case 45:
            "The guest ended an interrupt (EOI) whose vector is marked in the EOI-exit bitmap; the virtual APIC has done its part already."
        case 46: "The guest executed LGDT, LIDT, SGDT or SIDT."
        case 47: "The guest executed LLDT, LTR, SLDT or STR."
        case 48:
            "The guest accessed a guest-physical address that the extended page tables do not map, or not for this kind of access. The address is in the VMCS."
        case 49:
            "The guest's access met an entry of the extended page tables that no processor accepts. The hypervisor made it, by mistake or to catch device accesses."
        case 50: "The guest executed INVEPT, as a hypervisor does that runs inside the guest."
        case 51: "The guest executed RDTSCP, to read the time-stamp counter and IA32_TSC_AUX."
        case 52: "The VMX-preemption timer counted down to zero: the time that the hypervisor gave the guest is over."
        case 53: "The guest executed INVVPID, as a hypervisor does that runs inside the guest."
        case 54: "The guest executed WBINVD or WBNOINVD, to write back all caches."
        case 55: "The guest executed XSETBV, to choose the extended state that XSAVE manages (XCR0)."
        case 56:
            "The guest wrote an APIC register; the value is in the virtual-APIC page, and what the write brings about is left to the hypervisor."
        case 57: "The guest executed RDRAND."
        case 58: "The guest executed INVPCID, to drop translations by process-context identifier."
        case 59: "The guest executed VMFUNC with a function that is not enabled, or with EPTP switching that failed."
        case 60: "The guest executed ENCLS, a supervisor's instruction for enclaves."
        case 61: "The guest executed RDSEED."
        case 62:
            "The page-modification log is full: the hypervisor must read it before the guest can make another page dirty."
        case 63: "The guest executed XSAVES with state components that the XSS-exiting bitmap marks."
        case 64: "The guest executed XRSTORS with state components that the XSS-exiting bitmap marks."
        case 65: "The guest executed PCONFIG, which configures features of the platform such as memory encryption."
        case 66: "The processor met a sub-page permission table that misses an entry or has a wrong one."
        case 67: "The guest executed UMWAIT, a wait that user code may do."
        case 68: "The guest executed TPAUSE, a timed wait that user code may do."
        case 69: "The guest executed LOADIWKEY, which sets the wrapping key of Key Locker."
        case 70: "The guest executed ENCLV, a virtual machine monitor's instruction for enclaves."
        case 72: "The guest executed ENQCMD, and its process-address-space identifier could not be translated."
        case 73: "The guest executed ENQCMDS, and its process-address-space identifier could not be translated."
        case 74:
            "The guest locked the bus, with a locked access across a cache line or to uncacheable memory. The instruction is complete."
        case 75: "No instruction of the guest ended within the notify window: the guest may hang the processor."
        case 76: "The guest executed SEAMCALL, which calls the module of trust domain extensions."
        case 77: "The guest executed TDCALL, with which a trust domain calls the module."
        case 78: "The guest executed RDMSRLIST, and one of the registers in its list may not be read by the guest."
        case 79: "The guest executed WRMSRLIST, and one of the registers in its list may not be written by the guest."
        case 80: "The guest executed URDMSR, with which user code reads an MSR."
        case 81: "The guest executed UWRMSR, with which user code writes an MSR."
        case 84: "The guest executed RDMSR with the register's number in the instruction; the qualification holds it."
        case 85: "The guest executed WRMSRNS with the register's number in the instruction; the qualification holds it."
        default: nil
        }
    }
}
