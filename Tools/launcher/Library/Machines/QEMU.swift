import Foundation

/// QEMU as a machine.
enum QEMU {
    static let program = "qemu-system-x86_64"

    enum Accelerator: String { case kvm, tcg }

    /// Whether this host's KVM offers VMX to its guests.
    static var hasNestedKVM: Bool { hasNestedKVM(device: "/dev/kvm", parameter: "/sys/module/kvm_intel/parameters/nested") }

    static func hasNestedKVM(device: String, parameter: String) -> Bool {
        access(device, R_OK | W_OK) == 0 && ["Y", "1"].contains(contents(parameter).prefix(1))
    }

    /// - Throws: that this host does not support it.
    static func check(_ accelerator: Accelerator, hasNestedKVM: Bool = hasNestedKVM) throws(Failure) {
        guard isInPath(program) else { throw .noMachine("QEMU is not set up: run \"make setup\"") }
        guard accelerator == .tcg || hasNestedKVM else {
            throw .noMachine(
                "MACHINE=kvm: this host offers guests no VMX (it needs /dev/kvm, and kvm_intel with nested=Y): use MACHINE=bochs")
        }
    }

    static func processorModels(_ processes: Processes) throws(Failure) -> [String] {
        try processes.output([program, "-cpu", "help"]).text.split(separator: "\n").prefix { !$0.hasPrefix("Recognized") }
            .compactMap { line in
                let words = line.split(separator: " ")
                return words.count > 1 && words[0] == "x86" ? String(words[1]) : nil
            }
    }

    /// Escapes commas, with which QEMU separates values.
    private static func escaped(_ text: String) -> String { text.replacing(",", with: ",,") }

    /// The machine and what it boots, by base name.
    static func arguments(_ mebibytes: Int, _ commandLine: String, _ files: GuestFiles) -> [String] {
        [
            "-machine", "q35", "-m", "\(mebibytes)M", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", files.kernel,
            // QEMU puts the kernel's name before it.
            "-append", String(commandLine.dropFirst(files.kernel.count + 1)),
        ] + modules(files)
    }

    /// The modules, by base names.
    static func modules(_ files: GuestFiles) -> [String] {
        files.modules.isEmpty ? [] : ["-initrd", files.modules.map { escaped($0.string) }.joined(separator: ",")]
    }

    /// The serial ports, the console first.
    /// - Parameter monitor: what the second is connected to; nil if there is no monitor, and a byte from the file `stop` ends the
    ///   guest.
    static func serialPorts(monitor: String?, report: String, stop: String) -> [String] {
        let console = ["-serial", "stdio"]
        if let monitor { return console + ["-serial", monitor, "-serial", "file:\(report)"] }
        return console + [
            "-serial", "file:\(report)", "-chardev", "pipe,id=stop,path=\(stop)", "-device",
            "isa-serial,iobase=0x2e8,irq=3,chardev=stop",
        ]
    }

    static func lastWords(_ folder: String) -> String {
        let name = program + ": "
        return contents(folder + "/machine.err").split(separator: "\n").suffix(3).map {
            String($0.hasPrefix(name) ? $0.dropFirst(name.count) : $0)
        }.joined(separator: "\n")
    }
}

extension MachineSetup {
    func qemu(_ accelerator: QEMU.Accelerator) throws(Failure) -> PreparedMachine {
        try QEMU.check(accelerator)
        var processor = accelerator == .kvm ? "host" : "max"
        if let part = request.words.given(.processor) {
            processor = try processorModel(part, of: QEMU.processorModels(processes))
            if accelerator == .kvm { processor += ",+vmx" }
        }
        let commandLine = request.kernelCommandLine(columns: columns, rows: rows, records: .port)
        var arguments = QEMU.arguments(request.qemuMebibytes(files), commandLine, files)
        if request.traceFile != nil {
            arguments += ["-chardev", "file,id=records,path=../records", "-device", "isa-debugcon,iobase=0x402,chardev=records"]
        }
        arguments += QEMU.serialPorts(
            monitor: monitorPort.map { "tcp:127.0.0.1:\($0)" }, report: "../report", stop: "../stop")
        return PreparedMachine(
            command: [QEMU.program, "-accel", accelerator.rawValue, "-cpu", processor] + arguments, folder: "files",
            readsInput: takesInput, records: .port, lastWords: QEMU.lastWords)
    }
}
