import Instructions
import Machine

/// Tests that only the machine itself can make, by the command line's selftest=NAME.
enum SelfTests {
    /// Those that need nothing set up.
    static func runEarly(_ options: KernelOptions) {
        if options.selfTest == .panic { undefined_instruction() }
    }

    /// Those that need the kernel's page tables and VMX.
    static func run(_ options: KernelOptions, _ machine: inout HostMachine) {
        if options.selfTest == .stack { exhaust(&machine, depth: 0) }
    }

    /// Runs out of stack, into the guard page under it.
    @inline(never)
    private static func exhaust(_ machine: inout HostMachine, depth: UInt64) {
        if depth < 1_000_000 { exhaust(&machine, depth: depth + 1) }
        spin_pause()
    }
}
