extension Word {
    private static let switches = Value.choice(["on", "off"])

    /// All words, in the order of the help.
    static let all: [Word] = [
        Word(
            .guest, .text, usual: "tour", example: "tour",
            """
            the kernel's built-in guests, one after the other; or a name from build/guests; or a file: a flat binary, a \
            multiboot 1 image, a Linux kernel (make linux fetches one)
            """),
        Word(.commandLine, .text, example: "\"...\"", "the guest's command line"),
        Word(
            .modules, .text, example: "\"a x;b y\"", "further modules: a file, whose path may contain blanks, and its words"),
        Word(.memory, .size, usual: "256M", example: "256M", "the guest's memory: a number with K, M or G"),
        Word(
            .machine, .choice(MachineKind.allCases.map(\.rawValue)), usual: "auto", example: "auto",
            """
            kvm: QEMU on nested KVM; bochs: Bochs 3.0; auto: kvm if the host has it, otherwise bochs; tcg: QEMU without VMX; \
            nested: nested KVM inside Bochs; bochs2.7: for a smoke test
            """),
        Word(.processor, .text, example: "...", "a processor model of the machine; any unique part of its name"),
        Word(
            .trace, .choice(["off", "summary", "exits", "full"]), usual: "exits", example: "exits",
            "how much is printed about exits: off, summary, exits, full"),
        Word(
            .traceFile, .text, example: "file", "record every exit in a binary file, for `Tools/martlet trace file`"),
        Word(
            .monitor, .choice(["off", "study", "gdb"]), example: "study",
            """
            start stopped, with a prompt for studying the guest (make study); its "help" lists the commands. gdb: serve GDB on \
            TCP port PORT; the guest waits, stopped. Debuggers may connect one after another, the first even before the \
            machine has started. With MACHINE=nested, gdb needs -ex 'set remotetimeout 200' first, as Linux has to boot
            """),
        Word(.port, .port, example: "N", "the port for GDB, or the next free one; without PORT, any free port"),
        Word(
            .script, .file, example: "file",
            "commands for the monitor's prompt; \"stop\" in it lets the guest run for a second, then stops it"),
        Word(
            .symbols, .file, example: "file",
            "names for the guest's addresses: an ELF file (by default GUEST), or Linux's System.map"),
        Word(.large, .choice(["4k", "2m", "1g"]), example: "4k|2m|1g", "the largest page that maps the guest's memory"),
        Word(
            .mmu, .choice(["nested", "shadow", "direct"]), example: "nested",
            """
            what translates the guest's addresses. nested: EPT; shadow: shadow page tables of at most SHADOW=16M, the default \
            without EPT; direct: the guest's own tables, which it changes through Martlet (Docs/Memory.md)
            """),
        Word(.shadow, .size, example: "16M", "the memory for the shadow page tables of MMU=shadow"),
        Word(.vpid, switches, example: "on|off", "tag the guest's translations (on), or flush them"),
        Word(
            .flat, switches, example: "on|off",
            "treat GUEST as a flat binary, even without a header or a boot sector signature"),
        Word(
            .hide, .text, example: "\"x2apic avx2\"",
            "features to hide from the guest, as named in Docs/Guest.md, with all that depend on them"),
        Word(.checks, switches, example: "on|off", "check the guest's state before every VM entry"),
        Word(
            .testDevice, switches, example: "on|off",
            "a device for test suites, like QEMU's pc-testdev: ports E0H to E7H, from 2000H, memory at FF000000H"),
        Word(
            .input, .choice(["auto", "on", "off"]), usual: "auto", example: "auto",
            """
            what you type, or pipe in, goes to the guest's COM1. auto: Ctrl-C ends the run, unless the guest is Linux, which \
            receives it; on: every guest receives it; off: no input
            """),
        Word(
            .prompt, .text, example: "\"# \"",
            "send piped input line by line, each when the guest's output ends in this, and then end-of-file"),
        Word(
            .screen, .choice(["auto", "on", "off"]), example: "auto",
            """
            the guest's text screen (B8000H): drawn on a terminal as it changes; in a pipe, the final screen as plain text. \
            auto: only if the guest does not write to COM1; on, off
            """),
        Word(
            .timeout, .seconds, example: "SECONDS",
            """
            end the machine after this time, which includes booting Linux when nested. The guest is stopped and its exits are \
            reported, as with Ctrl-C and SIGTERM; a second Ctrl-C, or ten more seconds, kill the machine
            """),
        Word(.extra, .text, example: "\"words for the kernel\"", for: .tests),
        Word(.kernel, .text, example: "file", for: .tests),
        Word(
            .boot, .choice(["multiboot", "multiboot2"]), usual: "multiboot", example: "multiboot|multiboot2", for: .tests),
        Word(.keep, .text, example: "folder", for: .tests),
        Word(.speed, .speed, usual: "50000000", example: "Bochs's instructions per second", for: .tests),
    ]

    static func of(_ key: WordKey) -> Word { all.first { $0.key == key }! }
}
