extension Word {
    private static let switches = Value.choice(["on", "off"])

    /// All words, in the order in which the help explains them.
    static let all: [Word] = [
        Word(
            .guest, .text, usual: "tour", example: "tour",
            """
            the guests in the kernel one after the other; or a name from build/guests; or a file: a flat binary, a multiboot 1 \
            image, a Linux kernel (make linux brings one)
            """),
        Word(.commandLine, .text, example: "\"...\"", "the guest's command line"),
        Word(
            .modules, .text, example: "\"a x;b y\"", "further modules, each a file, whose path may have blanks, and its words"),
        Word(.memory, .size, usual: "256M", example: "256M", "the guest's memory: a number and K, M or G"),
        Word(
            .machine, .choice(MachineKind.allCases.map(\.rawValue)), usual: "auto", example: "auto",
            """
            kvm: QEMU on nested KVM; bochs: Bochs 3.0; auto: kvm where the host has it, else bochs; tcg: QEMU without VMX; \
            nested: nested KVM inside Bochs; bochs2.7: for the smoke run
            """),
        Word(.processor, .text, example: "...", "any unique part of the name of one of the machine's processor models"),
        Word(
            .trace, .choice(["off", "summary", "exits", "full"]), usual: "exits", example: "exits",
            "what is printed of exits: off, summary, exits, full"),
        Word(
            .traceFile, .text, example: "file", "every exit as a binary record in a file, for `Tools/martlet trace file`"),
        Word(
            .monitor, .choice(["off", "study", "gdb"]), example: "study",
            """
            start stopped, with a prompt to study the guest (make study), whose "help" lists its commands; gdb: serve GDB on the \
            TCP port PORT, or the next that is free; the guest waits for it, stopped. One debugger may come after the other, \
            the first before the machine has started. Nested, gdb needs -ex 'set remotetimeout 200' first: it waits for the \
            start of Linux, too
            """),
        Word(.port, .port, example: "N", "where GDB is served; any free port if it is not given"),
        Word(
            .script, .file, example: "file",
            "commands for that prompt; \"stop\" in it stops a guest that runs for a second"),
        Word(
            .symbols, .file, example: "file",
            "names of the guest's addresses: an ELF file (that of GUEST by itself), or Linux's System.map"),
        Word(.large, .choice(["4k", "2m", "1g"]), example: "4k|2m|1g", "the largest page that maps the guest's memory"),
        Word(
            .mmu, .choice(["nested", "shadow", "direct"]), example: "nested",
            """
            what translates the guest's addresses: EPT; shadow: shadow page tables of at most SHADOW=16M, which a processor \
            without EPT gets by itself; direct: the guest's own, for a guest that speaks with Martlet about them (Docs/Memory.md)
            """),
        Word(.shadow, .size, example: "16M", "the memory for the shadow page tables of MMU=shadow"),
        Word(.vpid, switches, example: "on|off", "tag the guest's translations, or flush them"),
        Word(
            .flat, switches, example: "on|off",
            "take GUEST for a flat binary, though it has neither a header nor a boot sector's signature"),
        Word(
            .hide, .text, example: "\"x2apic avx2\"",
            "features that the guest is not to see, by their names in Docs/Guest.md, with all that depends on them"),
        Word(.checks, switches, example: "on|off", "check the guest's state before every VM entry"),
        Word(
            .testDevice, switches, example: "on|off",
            "a device for test suites, as QEMU's pc-testdev: ports E0H to E7H, 2000H up, memory at FF000000H"),
        Word(
            .input, .choice(["auto", "on", "off"]), usual: "auto", example: "auto",
            """
            what you type, or what comes from a pipe, goes to the guest's COM1. auto: Ctrl-C ends the run, but a Linux gets it; \
            on: every guest gets it; off: nothing goes there
            """),
        Word(
            .prompt, .text, example: "\"# \"",
            "what comes from a pipe goes to the guest line by line, whenever what it printed ends in this, and then its end"),
        Word(
            .screen, .choice(["auto", "on", "off"]), example: "auto",
            """
            the guest's text screen (B8000H): drawn on a terminal as it changes, and the last one as plain text in a pipe; \
            auto: of a guest that does not write to COM1; on, off
            """),
        Word(
            .timeout, .seconds, example: "SECONDS",
            """
            end the machine when it takes longer, the start of Linux included when nested. The guest is stopped and its exits \
            are told, as by Ctrl-C and SIGTERM; Ctrl-C again, or ten seconds, kill the machine
            """),
        Word(.extra, .text, example: "\"words for the kernel\"", for: .tests),
        Word(.kernel, .text, example: "file", for: .tests),
        Word(
            .boot, .choice(["multiboot", "multiboot2"]), usual: "multiboot", example: "multiboot|multiboot2", for: .tests),
        Word(.keep, .text, example: "folder", for: .tests),
        Word(.speed, .speed, usual: "50000000", example: "instructions a second, of Bochs", for: .tests),
    ]

    static func of(_ key: WordKey) -> Word { all.first { $0.key == key }! }
}
