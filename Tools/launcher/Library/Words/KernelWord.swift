/// A word of the kernel's command line that only EXTRA can give, for the help.
struct KernelWord {
    let name: String
    let help: String

    static let all = [
        KernelWord(name: "guest=tour|real|protected|long", help: "which of the kernel's built-in guests to run"),
        KernelWord(
            name: "apic=auto|tpr|plain",
            help: """
                the most that the processor may do for the guest's local APIC: deliver interrupts, keep the task priority, or \
                nothing; nested uses tpr, as Bochs delivers interrupts too early there
                """),
        KernelWord(
            name: "timer=auto|host",
            help: "run guests' timers on the preemption timer or on the host's timer; nested with a monitor: host"),
        KernelWord(name: "slice=TICKS", help: "the longest that a guest runs without an exit, in time-stamp ticks"),
        KernelWord(name: "exceptions=on", help: "make every guest exception exit, to show it in the trace"),
        KernelWord(
            name: "selftest=NAME",
            help: "provoke a failure: panic, stack, text, data, guest-state, controls"),
        KernelWord(name: "stop=com4", help: "end the guest when a byte arrives on the fourth serial port"),
        KernelWord(
            name: "step=auto|tf",
            help: "single-step with the monitor trap flag where it works, or always with TF and #DB"),
        KernelWord(
            name: "record=memory records=N", help: "keep the last N records and write them at the end"),
        KernelWord(
            name: "restart=N limit=N",
            help: """
                restart a guest, up to N times, if it failed or left a note; end it if it leaves none within the limit in ticks
                """),
        KernelWord(
            name: "then=tour checksum=on",
            help: "run a built-in guest afterwards; check the kernel's memory at the end"),
        KernelWord(
            name: "roundtrip=N",
            help: "every N exits, save the guest's whole state and restore it into a new machine"),
        KernelWord(
            name: "report= agent= recordway= rows= columns=",
            help: "where reports, the monitor and records go, and the terminal's size: the launcher sets these"),
    ]

    /// The keys that it explains.
    var keys: [String] { name.split(separator: " ").map { String($0.prefix { $0 != "=" }) } }
}
