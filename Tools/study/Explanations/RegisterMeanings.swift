import VMX
import X86

// What each flag of a register does when it is 1, for the explanations.

extension ControlRegister0: ExplainedFlags {
    public static var title: StaticString { "CR0" }
    public static var section: StaticString { "Control Registers" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "protected mode"
        case 1: "WAIT raises #NM when TS is 1"
        case 2: "there is no x87: its instructions raise #NM, SSE raises #UD"
        case 3: "the next x87 or SSE instruction raises #NM (set by a task switch)"
        case 4: "always 1 on processors since the 486"
        case 5: "x87 errors raise #MF instead of an external interrupt; VMX operation fixes it to 1"
        case 16: "supervisor code may not write to read-only pages"
        case 18: "RFLAGS.AC checks alignment at privilege level 3"
        case 29: "writes do not go through to memory"
        case 30: "caching is restricted"
        case 31: "paging"
        default: nil
        }
    }
}

extension ControlRegister4: ExplainedFlags {
    public static var title: StaticString { "CR4" }
    public static var section: StaticString { "Control Registers" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "virtual-8086 mode has virtual interrupts"
        case 1: "protected mode has virtual interrupts"
        case 2: "RDTSC works at privilege level 0 only"
        case 3: "DR4 and DR5 raise #UD; breakpoints on ports"
        case 4: "4-MiB pages in 32-bit paging"
        case 5: "page-table entries of 64 bits; needed for long mode"
        case 6: "machine checks raise #MC"
        case 7: "global pages stay in the TLB when CR3 is written"
        case 8: "RDPMC works at every privilege level"
        case 9: "SSE works, and FXSAVE saves its state"
        case 10: "unmasked SSE errors raise #XM"
        case 11: "SGDT, SIDT, SLDT, SMSW and STR raise #GP at privilege level 3"
        case 12: "5-level paging: linear addresses of 57 bits"
        case 13: "VMX is enabled; VMX operation fixes it to 1"
        case 14: "SMX (GETSEC) is enabled"
        case 16: "RDFSBASE, WRFSBASE and their kind work"
        case 17: "process-context identifiers tag the TLB"
        case 18: "XSAVE and XGETBV work"
        case 19: "Key Locker works"
        case 20: "supervisor code may not execute user pages"
        case 21: "supervisor code may not access user pages unless RFLAGS.AC is 1"
        case 22: "protection keys for user pages"
        case 23: "control-flow enforcement: shadow stacks and indirect-branch tracking"
        case 24: "protection keys for supervisor pages"
        case 25: "user interrupts"
        case 28: "supervisor pointers may carry metadata in their unused bits"
        case 32: "flexible return and event delivery"
        default: nil
        }
    }
}

extension ExtendedFeatureEnable: ExplainedFlags {
    public static var title: StaticString { "IA32_EFER" }
    public static var section: StaticString { "Extended Feature Enable Register" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "SYSCALL and SYSRET work in 64-bit mode"
        case 8: "long mode will be active once paging is on"
        case 10: "long mode is active"
        case 11: "page-table entries can forbid execution (bit 63)"
        default: nil
        }
    }
}

extension RFlags: ExplainedFlags {
    public static var title: StaticString { "RFLAGS" }
    public static var section: StaticString { "System Flags and Fields in the EFLAGS Register" }
    public static var reservedOnes: UInt64 { 2 }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "carry"
        case 1: "always 1"
        case 2: "even parity of the low byte"
        case 4: "carry out of the low half-byte"
        case 6: "zero"
        case 7: "negative"
        case 8: "single step: #DB after each instruction"
        case 9: "maskable interrupts are taken"
        case 10: "string instructions go downwards"
        case 11: "signed overflow"
        case 12: "low bit of the privilege level needed for ports"
        case 13: "high bit of the privilege level needed for ports"
        case 14: "IRET returns to another task"
        case 16: "instruction breakpoints are held off for one instruction"
        case 17: "virtual-8086 mode"
        case 18: "alignment is checked, or SMAP is suspended"
        case 19: "virtual interrupt flag"
        case 20: "a virtual interrupt is pending"
        case 21: "software can change it: CPUID exists"
        default: nil
        }
    }
}

extension InterruptibilityState: ExplainedFlags {
    public static var title: StaticString { "interruptibility state" }
    public static var section: StaticString { "Guest Non-Register State" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "the last instruction was STI: interrupts wait for one more"
        case 1: "the last instruction was MOV SS or POP SS: interrupts, NMIs and debug exceptions wait for one more"
        case 2: "system-management interrupts are blocked"
        case 3: "an NMI is being handled: others wait until IRET"
        case 4: "the exit came in the midst of an enclave"
        default: nil
        }
    }
}

extension PendingDebugExceptions: ExplainedFlags {
    public static var title: StaticString { "pending debug exceptions" }
    public static var section: StaticString { "Guest Non-Register State" }

    public static func meaning(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0...3: "the condition of this breakpoint was met"
        case 12: "a breakpoint that was met is enabled in DR7"
        case 14: "a single-step trap is pending"
        case 16: "it happened in a transactional region"
        default: nil
        }
    }
}
