import Foundation
import StudyTools

/// Runs a machine from its start to its end, whatever causes that.
final class MachineRun {
    /// How a run has ended.
    enum Ending: Equatable {
        case itself
        case timedOut
        case byHand
        case stopped
        /// The monitor ended, with this status.
        case monitor(Int32)
        /// The terminal went away.
        case hungUp
        case readNoLonger
        case unwritable

        /// How a signal ends a run.
        init(signal: Int32) {
            self =
                switch signal {
                case SIGINT: .byHand
                case SIGHUP: .hungUp
                default: .stopped
                }
        }
    }

    private let machine: PreparedMachine
    private let folder: String
    private let monitor: MonitorProcess?
    private let input: GuestInput?
    private let signals: SignalWatch
    private let speech: Speech
    /// Whoever started this, if the run is to end with it.
    private let parent: pid_t?
    private let poller: Poller
    private let output: PrintedOutput
    private var stream: ConsoleStream
    private var console: Int32 = -1
    private var consoleHasEnded = false
    private var isReading = false
    private var hasPrinted = false
    /// Why the machine is to end; nil while it should keep running.
    private var ending: Ending?
    /// It did not end cleanly, and was killed.
    private(set) var wasKilled = false
    /// The exit status of the machine's program; nil if it was killed.
    private(set) var status: Int32?

    /// - Parameters:
    ///   - output: where what the guest prints goes.
    ///   - parent: the run ends when this process does; nil if it outlives whoever started it.
    init(
        _ machine: PreparedMachine, folder: String, monitor: MonitorProcess?, input: GuestInput?, output: PrintedOutput,
        poller: Poller, signals: SignalWatch, speech: Speech, parent: pid_t?
    ) {
        self.parent = parent
        self.machine = machine
        self.folder = folder
        self.monitor = monitor
        self.input = input
        self.output = output
        self.poller = poller
        self.signals = signals
        self.speech = speech
        stream = machine.filter.stream
    }

    func run(timeout: Double?) throws(Failure) -> Ending {
        // If a signal came before the start, there is nothing to end.
        if let number = signals.take().first { return Ending(signal: number) }
        var stop: Int32 = -1
        if monitor == nil {
            try makePipe(folder + "/stop")
            stop = open(folder + "/stop", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        }
        defer { if stop >= 0 { close(stop) } }
        let child = try start()
        defer {
            child.end()
            monitor?.child.end()
            if console >= 0 { close(console) }
            speech.endProgress()
        }
        let begin = now()
        poller.add(signals.file) {}
        var lastStop = 0.0
        var patienceEnds = Double.infinity
        while true {
            readIfRoom()
            var next = 1.0
            if let timeout, ending == nil { next = min(next, max(0, begin + timeout - now())) }
            if ending != nil { next = min(next, 0.05) }
            poller.wait(next)
            showBeginning(now() - begin)
            for number in signals.take() {
                // The second signal ends it at once.
                if number == SIGHUP || ending != nil {
                    wasKilled = true
                    return Ending(signal: number)
                }
                ending = Ending(signal: number)
            }
            if let failed = outputFailure { return failed }
            if child.hasEnded {
                status = child.status
                break
            }
            if ending == nil {
                if let parent, getppid() != parent { ending = .hungUp }
                if input?.isToEnd == true { ending = .byHand }
                if let timeout, now() - begin >= timeout { ending = .timedOut }
                if let monitor, monitor.child.hasEnded {
                    let status = monitor.child.status ?? 0
                    // After its quit command, it has told the machine to end.
                    guard status == 0 || status == RunStatus.scriptError.rawValue else { return .monitor(status) }
                }
            }
            guard ending != nil else { continue }
            // Only without a monitor does the kernel listen for the request to end the guest.
            if stop < 0 { break }
            if patienceEnds == .infinity { patienceEnds = now() + machine.patience }
            if now() > patienceEnds {
                wasKilled = true
                break
            }
            if now() - lastStop >= 0.05 {
                // A byte that arrives before the kernel listens is lost.
                var byte = UInt8(ascii: ".")
                _ = Foundation.write(stop, &byte, 1)
                lastStop = now()
            }
        }
        child.end()
        return finish()
    }

    private func start() throws(Failure) -> ChildProcess {
        let typed = open(machine.readsInput ? folder + "/input" : "/dev/null", O_RDONLY | O_CLOEXEC)
        let errors = open(folder + "/machine.err", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard errors >= 0 else { throw cannotBeMade(folder + "/machine.err") }
        var ends: [Int32] = [-1, -1]
        if let name = machine.console {
            let path = folder + "/" + name
            try makePipe(path)
            console = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            ends[1] = open(folder + "/machine.out", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        } else {
            pipe(&ends)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
            console = ends[0]
        }
        defer { for file in [typed, errors, ends[1]] { close(file) } }
        return try ChildProcess(
            machine.command, environment: machine.environment, folder: folder + "/" + machine.folder,
            streams: ChildProcess.Streams(input: typed, output: ends[1], errors: errors), isAside: true)
    }

    private func readIfRoom() {
        let wanted = !consoleHasEnded && !output.isFull
        guard wanted != isReading else { return }
        isReading = wanted
        if wanted { poller.add(console) { [unowned self] in read() } } else { poller.remove(console) }
    }

    private func read() {
        guard let bytes = Poller.read(console) else {
            consoleHasEnded = true
            isReading = false
            poller.remove(console)
            return take(stream.end())
        }
        take(stream.take(bytes))
    }

    private func take(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if !hasPrinted {
            hasPrinted = true
            speech.endProgress()
        }
        output.put(bytes)
        input?.see(bytes)
    }

    /// Shows that a machine without output yet is starting, for at most a minute: it may have nothing to print.
    private func showBeginning(_ seconds: Double) {
        guard !hasPrinted, let words = machine.beginning, seconds >= 1 else { return }
        if seconds < 60 { speech.show("\(words): \(Int(seconds)) s") } else { speech.endProgress() }
    }

    /// Whether writing the output has failed. If the monitor reads it, it may have its own reasons to stop.
    private var outputFailure: Ending? {
        guard monitor?.console == nil else { return nil }
        return output.isReadNoLonger ? .readNoLonger : output.isUnwritable ? .unwritable : nil
    }

    /// After the machine's end: prints the rest of its output, and lets the monitor show its last part.
    private func finish() -> Ending {
        let begin = now()
        while !consoleHasEnded || !output.isEmpty {
            readIfRoom()
            // A named pipe that the machine never opened has no end-of-file to wait for.
            if machine.console != nil, !consoleHasEnded { read() }
            poller.wait(consoleHasEnded && output.isEmpty ? 0 : 1)
            if let failed = outputFailure { return failed }
            for number in signals.take() {
                // After a request to end, or a second one, do not wait for a reader that does not read.
                if number == SIGHUP || ending != nil { return Ending(signal: number) }
                ending = Ending(signal: number)
            }
            if let parent, getppid() != parent { return .hungUp }
            // Nor does a run that is out of time wait for longer than its machine might have taken to end.
            if ending == .timedOut, now() - begin > machine.patience { break }
        }
        if ending != nil { output.endLine() }
        output.close()
        if let ending { return ending }
        guard let monitor, monitor.console != nil || monitor.child.hasEnded else { return .itself }
        while !monitor.child.hasEnded {
            poller.wait(0.05)
            if let number = signals.take().first {
                monitor.child.end()
                return Ending(signal: number)
            }
        }
        return .monitor(monitor.child.status ?? 0)
    }
}

/// The monotonic clock, in seconds.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
