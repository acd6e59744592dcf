/// A word of the kernel's command line that only EXTRA gives, for the help.
struct KernelWord {
    let name: String
    let help: String

    static let all = [
        KernelWord(name: "guest=tour|real|protected|long", help: "which of the guests in the kernel run"),
        KernelWord(
            name: "apic=auto|tpr|plain",
            help: """
                the most that the processor does for the guest's local APIC: deliver interrupts, keep the task priority, nothing; \
                nested: tpr, as Bochs delivers interrupts too early there
                """),
        KernelWord(
            name: "timer=auto|host",
            help: "whether guests' timers run on the preemption timer or on the host's; nested with a monitor: host"),
        KernelWord(name: "slice=TICKS", help: "the most time-stamp ticks that a guest runs without an exit"),
        KernelWord(name: "exceptions=on", help: "have all exceptions of the guest exit, to be seen in the trace"),
        KernelWord(
            name: "selftest=NAME",
            help: "have something go wrong: panic, stack, text, data, guest-state, controls"),
        KernelWord(name: "stop=com4", help: "a byte on the fourth serial port ends the guest"),
        KernelWord(
            name: "step=auto|tf",
            help: "whether the monitor steps by the monitor trap flag, where it works, or always by TF and #DB"),
        KernelWord(
            name: "record=memory records=N", help: "keep the last N records and write them at the end"),
        KernelWord(
            name: "restart=N limit=N",
            help: """
                start a guest anew that failed, or left a note; end it when it leaves none for so many ticks
                """),
        KernelWord(
            name: "then=tour checksum=on",
            help: "run a guest of ours afterwards; check the kernel's memory at the end"),
        KernelWord(
            name: "roundtrip=N",
            help: "every N exits, take the guest's whole state out and put it into a machine made anew"),
        KernelWord(
            name: "report= agent= recordway= rows= columns=",
            help: "where reports, the monitor and records are, and the terminal's size: the launcher says these itself"),
    ]

    /// The keys that it explains.
    var keys: [String] { name.split(separator: " ").map { String($0.prefix { $0 != "=" }) } }
}
