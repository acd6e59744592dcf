import Foundation

extension MachineSetup {
    /// Nested KVM on any host: QEMU with KVM, in Linux 6.1, in Bochs.
    func nested() throws(Failure) -> PreparedMachine {
        var request = request
        try NestedLinux.check(checkout)
        let bochs = try Bochs(.usual, checkout, processes)
        let processor = try bochs.processor(request.words.given(.processor), processes)
        try request.checkNestedMemory(files)
        request.extra.insert(contentsOf: NestedLinux.kernelWords(hasMonitor: monitorPort != nil), at: 0)
        let commandLine = request.kernelCommandLine(columns: columns, rows: rows, records: .report)
        let arguments =
            QEMU.arguments(request.qemuMebibytes(files), commandLine, files)
            + QEMU.serialPorts(monitor: monitorPort.map { _ in "pipe:/line" }, report: "/report", stop: "/stop")
        try makeInitramfs(NestedLinux.initProgram(arguments, takesInput: takesInput, hasMonitor: monitorPort != nil))
        try makeImage(
            checkout.nested + "/vmlinuz", NestedLinux.commandLine,
            modules: [(checkout.nested + "/base.cpio", ""), (folder + "/run.cpio", "")], boot: "linux", once: false)
        var ports: [Int: Bochs.SerialPort] = [1: .file("linux.log"), 2: .file("report")]
        if takesInput { ports[3] = .pipe("input") }
        if let monitorPort { ports[3] = .connection(monitorPort) } else { ports[4] = .pipe("stop") }
        var machine = try bochs.machine(
            folder,
            bochs.configuration(
                processor: processor, mebibytes: Bochs.mostMebibytes, image: "machine.iso", speed: request.words[.speed],
                ports: ports))
        machine.patience = 30
        machine.beginning = "booting Linux with KVM in Bochs"
        machine.saysBeginning = true
        machine.lastWords = NestedLinux.lastWords
        return machine
    }

    /// What the run adds to Linux's initramfs: the files, the init program, and the programs that relay the serial ports.
    private func makeInitramfs(_ initProgram: String) throws(Failure) {
        let tree = folder + "/tree"
        try processes.run(["mkdir", "-p", tree])
        try processes.run(["cp", "-RL", files.folder, tree])
        for program in ["port", "line"] {
            let object = "\(folder)/\(program).o"
            let sources = checkout.root + "/Tools/nested"
            try processes.run(["nasm", "-f", "elf64", "-i", sources + "/", "-o", object, "\(sources)/\(program).asm"])
            try processes.run(["ld.lld", "-static", "-o", "\(tree)/\(program)", object])
        }
        try write(initProgram, to: tree + "/init")
        chmod(tree + "/init", 0o755)
        try processes.run([checkout.root + "/Tools/nested/archive", tree, checkout.nested + "/busybox", folder + "/run.cpio"])
    }
}

/// The Linux that runs KVM in Bochs.
enum NestedLinux {
    /// - Throws: that it is not installed.
    static func check(_ checkout: Checkout) throws(Failure) {
        guard ["vmlinuz", "base.cpio", "busybox"].allSatisfy({ size("\(checkout.nested)/\($0)") > 0 }) else {
            throw .noMachine("nested KVM is not set up: run \"Tools/setup nested\"")
        }
    }

    /// Bochs's TSC runs at its ips; nothing else is worth probing at every start.
    static let commandLine = """
        console=ttyS0 quiet loglevel=3 nokaslr mitigations=off tsc=reliable tsc_early_khz=50000 lpj=200000 no_timer_check \
        cryptomgr.notests init_on_alloc=0 audit=0 apparmor=0 selinux=0 nowatchdog random.trust_cpu=on 8250.nr_uarts=2 \
        i8042.nokbd i8042.noaux i8042.nopnp i8042.dumbkbd ipv6.disable=1 clearcpuid=fsrm,erms
        """

    /// The kernel words with which Martlet works around what Bochs does to KVM.
    static func kernelWords(hasMonitor: Bool) -> [String] {
        // When an interrupt for the outer Linux arrives while the guest's IF is clear, Bochs delivers a pending virtual interrupt
        // to the guest regardless of IF: typed input brought a Linux guest to a standstill.
        // No interrupt makes a guest that was entered with IF clear exit until it changes IF. The processor's own preemption
        // timer does, and KVM uses it for Martlet's host timer: so the monitor can stop a guest that spins.
        ["apic=tpr"] + (hasMonitor ? ["timer=host"] : [])
    }

    /// Why it ended; empty if it was switched off.
    static func lastWords(_ folder: String) -> String {
        let words = Bochs.lastWords(folder)
        guard words.isEmpty else { return words }
        return contents(folder + "/linux.log").split(whereSeparator: \.isNewline).suffix(3).joined(separator: "\n")
    }

    /// The init program: runs QEMU, with its output going through Bochs's port 0xE9, and ends Bochs.
    static func initProgram(_ arguments: [String], takesInput: Bool, hasMonitor: Bool) -> String {
        let quoted = arguments.map { " '" + $0.replacing("'", with: "'\\''") + "'" }.joined()
        let line =
            takesInput ? "/line 3E8 <> /line.out > /line.in" : hasMonitor ? "/line 3E8 < /line.out > /line.in" : ":"
        return """
            #!/bin/busybox sh
            b=/bin/busybox
            $b mount -t devtmpfs dev /dev
            $b mount -t proc proc /proc
            $b mount -t sysfs sys /sys
            exec < /dev/console > /dev/console 2>&1
            echo 1 > /proc/sys/vm/overcommit_memory
            for module in irqbypass kvm; do $b insmod /modules/$module.ko; done
            # Bochs refuses the descriptors of posted interrupts that KVM makes.
            $b insmod /modules/kvm-intel.ko nested=1 enable_apicv=0
            cd /files
            $b mkfifo /line.in /line.out /stop.in /stop.out
            \(line) &
            \(hasMonitor ? ":" : "/line 2E8 < /stop.out > /stop.in") &
            LD_LIBRARY_PATH=/lib /bin/qemu-system-x86_64 -L /firmware -accel kvm -cpu host\(quoted) \
            < \(takesInput ? "/line.in" : "/dev/null") | /port E9
            # For the last answer, even if QEMU did not start.
            \(hasMonitor && !takesInput ? ": <> /line.out; wait" : ":")
            $b stty -F /dev/ttyS1 raw
            $b cat /report > /dev/ttyS1
            $b printf Shutdown | /port 8900

            """
    }
}
