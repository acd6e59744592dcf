import Foundation
import StudyTools

/// `martlet run`: starts a machine that runs a guest on Martlet.
struct RunCommand {
    let checkout: Checkout
    let environment: [String: String]
    /// This program's own path.
    let program: String
    let speech: Speech
    /// Whether standard input was open.
    let hasInput: Bool
    /// The make that started this, with which a run ends; nil if there is none.
    let parent: pid_t?

    /// - Parameter isBare: start the kernel without Martlet.
    /// - Returns: the exit status that the guest's end calls for.
    func run(_ arguments: [String], isBare: Bool = false) throws(Failure) -> Int32 {
        let words = try GivenWords(arguments, environment: environment)
        var request = try RunRequest(words, kernel: checkout.kernel)
        let signals = SignalWatch()
        let processes = Processes(signals)
        let folder = try RunFolder(
            kept: words.given(.keep), temporary: environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp")
        defer { folder.close() }
        let poller = Poller()
        if isBare {
            let machine = try bare(request, folder.path, processes)
            return try bareEnding(machine, folder.path, request, poller, signals)
        }
        let files = try request.stage(in: folder.path + "/files", checkout)
        let monitor = try request.monitor.map { _ throws(Failure) in
            try MonitorProcess(request, files, folder: folder.path, program: program, signals)
        }
        defer { monitor?.child.end() }
        let rows =
            words[.screen] != "off" && monitor == nil && Speech.canRewrite
            ? GuestTerminal.rowsForScreen : nil
        let setup = MachineSetup(
            request: request, checkout: checkout, processes: processes, speech: speech, files: files, folder: folder.path,
            takesInput: takesInput(request), columns: speech.columns, rows: rows, monitorPort: monitor?.port)
        var machine = try setup.prepare()
        if request.monitor == .debugger, request.machine == .nested {
            speech.say(
                "Linux boots first, for longer than gdb waits by default: start gdb with -ex 'set remotetimeout 200'")
        }
        // Neither a stopped guest nor a quiet one shows when it has started.
        if monitor != nil || request.isQuiet { machine.beginning = nil }
        if machine.saysBeginning, !speech.isTerminal, let words = machine.beginning {
            speech.say(words + "; this takes a few seconds")
        }
        let records = try request.traceFile.map { path throws(Failure) in
            try RecordFile(path, machine.records, folder: folder.path)
        }
        try write("", to: folder.path + "/report")
        let keepsSignals = words[.input] != "on" && !files.guestIsLinux
        let input =
            setup.takesInput
            ? try GuestInput(poller, path: folder.path + "/input", prompt: words.given(.prompt), keepsSignals: keepsSignals) : nil
        defer {
            // A machine that was killed may have left its colours, and no cursor.
            if rows != nil { Poller.write(Array("\u{1B}[0m\u{1B}[?25h".utf8), to: STDOUT_FILENO) }
            input?.close()
        }
        if input?.terminal != nil {
            let ends = keepsSignals ? "Ctrl-C or Ctrl-A x ends the machine" : "Ctrl-A x ends the machine"
            speech.say("what you type goes to the guest's COM1; \(ends), Ctrl-A Ctrl-A sends Ctrl-A")
        }
        // The monitor may have ended by now: the run notices.
        let output = PrintedOutput(
            poller, to: monitor?.console.map { open($0, O_WRONLY | O_NONBLOCK | O_CLOEXEC) } ?? STDOUT_FILENO,
            isOwn: monitor?.console != nil)
        let run = MachineRun(
            machine, folder: folder.path, monitor: monitor, input: input, output: output, poller: poller, signals: signals,
            speech: speech, parent: parent)
        let ending = try run.run(timeout: request.timeout)
        let report = Report(contents(folder.path + "/report"))
        let unwritten = records.flatMap { $0.close(report) }
        if let unwritten { speech.say(unwritten) }
        try tell(report, request, processes)
        try check(ending, request, wasKilled: run.wasKilled)
        guard let status = report.status else {
            let words = machine.lastWords(folder.path)
            throw .noMachine(
                "the machine ended without a report from Martlet" + (words.isEmpty ? "" : ": \(words)"))
        }
        if unwritten != nil { throw Failure(.noMachine, nil) }
        return status
    }

    /// Whether typed or piped input goes to the guest: a monitor reads it itself.
    private func takesInput(_ request: RunRequest) -> Bool {
        guard request.monitor == nil, request.words[.input] != "off", hasInput else { return false }
        return isatty(STDIN_FILENO) == 0 || GuestTerminal.isOurs
    }

    /// Prints what the kernel has reported.
    private func tell(_ report: Report, _ request: RunRequest, _ processes: Processes) throws(Failure) {
        if request.isQuiet { report.errors.forEach(speech.say) }
        guard !report.backtrace.isEmpty else { return }
        let trace = Backtrace(checkout: checkout, processes: processes)
        guard let lines = try trace.lines(report.backtrace, of: request.kernel) else {
            return speech.say("no llvm-symbolizer: the backtrace has addresses only")
        }
        Poller.write(
            Array(lines.map { $0 + "\n" }.joined().utf8), to: request.isQuiet ? STDERR_FILENO : STDOUT_FILENO)
    }

    /// - Throws: why the run is over, if the guest did not end it.
    func check(_ ending: MachineRun.Ending, _ request: RunRequest, wasKilled: Bool) throws(Failure) {
        let unheard = wasKilled ? "; the machine did not respond and was killed" : ""
        switch ending {
        case .itself, .monitor(0): break
        case .timedOut:
            throw Failure(.timedOut, "timed out (TIMEOUT=\(request.words[.timeout]))\(unheard)")
        case .byHand: throw Failure(.endedByHand, "ended from the keyboard\(unheard)")
        case .stopped: throw Failure(.stopped, "stopped by SIGTERM\(unheard)")
        case .monitor(RunStatus.scriptError.rawValue): throw Failure(.scriptError, "a command in the script failed")
        case .monitor(RunStatus.endedByHand.rawValue): throw Failure(.endedByHand, "ended from the keyboard")
        case .monitor(let status):
            // If the status is one of its own, it has printed why.
            guard let own = RunStatus(rawValue: status) else {
                throw .noMachine("the monitor ended unexpectedly, with status \(status)")
            }
            throw Failure(own, nil)
        case .hungUp: throw Failure(.stopped, nil)
        case .readNoLonger: throw Failure(.readNoLonger, nil)
        case .unwritable: throw .noMachine("the guest's output could not be written")
        }
    }
}
