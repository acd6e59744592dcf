import StudyTools

/// `martlet bare`: the same machine without Martlet, for comparison.
extension RunCommand {
    func bare(_ request: RunRequest, _ folder: String, _ processes: Processes) throws(Failure) -> PreparedMachine {
        guard request.words.given(.kernel) != nil else { throw .badUsage("bare needs KERNEL=file") }
        guard request.monitor == nil, request.words[.guest] == "tour", request.traceFile == nil else {
            throw .badUsage("bare takes no GUEST, MONITOR or TRACE_FILE: it runs without Martlet")
        }
        guard request.machine != .tcg, request.machine != .nested else {
            throw .badUsage("\(request.words.said(.machine)): bare supports kvm, bochs and bochs2.7")
        }
        var files = try GuestFiles(folder: folder + "/files", kernel: request.kernel)
        try files.addList(request.words[.modules])
        return isBareOnKVM(request)
            ? try bareQEMU(request, files) : try bareBochs(request, files, folder, processes)
    }

    private func isBareOnKVM(_ request: RunRequest) -> Bool {
        request.machine == .kvm || request.machine == .auto && QEMU.hasNestedKVM
    }

    private func bareQEMU(_ request: RunRequest, _ files: GuestFiles) throws(Failure) -> PreparedMachine {
        try QEMU.check(.kvm)
        let command =
            [
                QEMU.program, "-enable-kvm", "-cpu", "host", "-machine", "q35", "-m", "\(request.memory.mebibytes)M",
                "-nodefaults",
                "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel", files.kernel, "-append",
                request.words[.commandLine],
            ] + QEMU.modules(files)
        return PreparedMachine(command: command, folder: "files", patience: 0, lastWords: QEMU.lastWords)
    }

    private func bareBochs(
        _ request: RunRequest, _ files: GuestFiles, _ folder: String, _ processes: Processes
    ) throws(Failure) -> PreparedMachine {
        let bochs = try Bochs(request.machine == .olderBochs ? .older : .usual, checkout, processes)
        let setup = MachineSetup(
            request: request, checkout: checkout, processes: processes, speech: speech, files: files, folder: folder,
            takesInput: false, columns: speech.columns, rows: nil, monitorPort: nil)
        try setup.makeImage(
            files.folder + "/" + files.kernel, request.words[.commandLine],
            modules: files.modules.map { (files.path($0), $0.string) }, boot: request.words[.boot], once: false)
        let configuration = bochs.configuration(
            processor: try bochs.processor(request.words.given(.processor), processes), mebibytes: request.memory.mebibytes,
            image: "machine.iso", speed: request.words[.speed], ports: [1: .file("console")])
        var machine = try bochs.machine(folder, configuration)
        machine.console = "console"
        machine.filter = .none
        // Nothing in there listens for the request to end.
        machine.patience = 0
        machine.beginning = "Bochs is starting"
        return machine
    }

    /// Runs it to its end, which carries no verdict.
    func bareEnding(
        _ machine: PreparedMachine, _ folder: String, _ request: RunRequest, _ poller: Poller, _ signals: SignalWatch
    ) throws(Failure) -> Int32 {
        let run = MachineRun(
            machine, folder: folder, monitor: nil, input: nil, output: PrintedOutput(poller, to: 1), poller: poller,
            signals: signals, speech: speech, parent: parent)
        try check(run.run(timeout: request.timeout), request, wasKilled: false)
        let words = machine.lastWords(folder)
        // QEMU's status tells whether its messages explain why it ended.
        guard isBareOnKVM(request) ? run.status == 0 : words.isEmpty else {
            throw .noMachine("the machine ended\(words.isEmpty ? " without saying why" : ": \(words)")")
        }
        return 0
    }
}
