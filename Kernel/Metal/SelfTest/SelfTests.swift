import Instructions
import Machine
import VMX
import X86

/// Tests that only the machine itself can run, chosen by selftest=NAME on the command line.
enum SelfTests {
    /// Those that need no setup.
    static func runEarly(_ options: KernelOptions) {
        if options.selfTest == .panic { undefined_instruction() }
    }

    /// Those that need the kernel's page tables and VMX.
    static func run(_ options: KernelOptions, _ machine: inout HostMachine) {
        if options.selfTest == .writeText { write_byte(address_of_image_start(), 0) }
        if options.selfTest == .executeData { call_address(address_of_virtual_cpu_area()) }
        if options.selfTest == .stack { exhaust(&machine, depth: 0) }
    }

    /// Those that spoil a guest's VMCS: its VM entry must fail and be explained.
    static func spoil(_ vmcs: VMCS<HardwareVMCS>, _ options: KernelOptions) {
        // Bit 1 of RFLAGS is always 1; a guest cannot be entered with a CR3-target value that does not exist.
        if options.selfTest == .badGuestState { vmcs[.guestRFLAGS] = .none }
        if options.selfTest == .badControls { vmcs[.cr3TargetCount] = 500 }
    }

    /// Runs out of stack, into the guard page under it.
    @inline(never)
    private static func exhaust(_ machine: inout HostMachine, depth: UInt64) {
        if depth < 1_000_000 { exhaust(&machine, depth: depth + 1) }
        spin_pause()
    }
}
