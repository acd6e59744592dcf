import Foundation
import StudyTools

/// Runs the programs that set up a machine, and ends them when the launcher is told to end.
final class Processes {
    /// A program's output and status.
    struct Output {
        let text: String
        let status: Int32

        var succeeded: Bool { status == 0 }
    }

    private let signals: SignalWatch

    init(_ signals: SignalWatch) { self.signals = signals }

    /// Runs a program to its end.
    /// - Throws: that it failed, after it has printed why.
    func run(_ command: [String], environment: [String: String?] = [:]) throws(Failure) {
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        let child = try ChildProcess(
            command, environment: environment,
            streams: ChildProcess.Streams(input: nothing, output: STDERR_FILENO))
        try wait(child)
        guard child.status == 0 else {
            if let status = RunStatus(rawValue: child.status ?? 0), status == .noMachine || status == .badUsage {
                throw Failure(status, nil)
            }
            throw .noMachine("\(command[0]) failed, so nothing was run")
        }
    }

    /// Runs a program and returns its output.
    /// - Parameters:
    ///   - input: its standard input.
    ///   - hasErrors: include its standard error, which is discarded otherwise.
    func output(_ command: [String], input: String? = nil, hasErrors: Bool = false) throws(Failure) -> Output {
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        var (into, from): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        pipe(&from)
        if input != nil { pipe(&into) }
        defer { (into + [from[0]]).filter { $0 >= 0 }.forEach { close($0) } }
        for end in into + from where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let child: ChildProcess
        do throws(Failure) {
            child = try ChildProcess(
                command,
                streams: ChildProcess.Streams(
                    input: input == nil ? nothing : into[0], output: from[1], errors: hasErrors ? from[1] : nothing))
        } catch {
            close(from[1])
            throw error
        }
        close(from[1])
        if let input {
            // The input fits in the pipe's buffer.
            Poller.write(Array(input.utf8), to: into[1])
            into.forEach { close($0) }
            into = [-1, -1]
        }
        var bytes: [UInt8] = []
        var isAtEnd = false
        let poller = Poller()
        poller.add(from[0]) {
            if let more = Poller.read(from[0]) { bytes += more } else { isAtEnd = true }
        }
        poller.add(signals.file) {}
        while !isAtEnd {
            poller.wait(3600)
            try endIfTold(child)
        }
        try wait(child)
        return Output(text: String(decoding: bytes, as: UTF8.self), status: child.status ?? -1)
    }

    private func wait(_ child: ChildProcess) throws(Failure) {
        let poller = Poller()
        poller.add(signals.file) {}
        while !child.hasEnded {
            poller.wait(3600)
            try endIfTold(child)
        }
        // The signal that ended it may have been meant for both.
        try endIfTold(child)
    }

    private func endIfTold(_ child: ChildProcess) throws(Failure) {
        guard let number = signals.take().first else { return }
        child.end()
        throw Failure(signal: number)
    }
}
