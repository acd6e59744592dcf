import Foundation

/// The signals that end a run, and SIGCHLD, as bytes to be read from a file.
final class SignalWatch {
    /// The signals that end the launcher.
    static let numbers = [SIGINT, SIGTERM, SIGHUP]

    /// Where a signal's number arrives.
    let file: Int32
    /// Where the handler writes.
    nonisolated(unsafe) private static var end: Int32 = -1

    init() {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        file = ends[0]
        SignalWatch.end = ends[1]
        for number in SignalWatch.numbers + [SIGCHLD] where number == SIGCHLD || !SignalWatch.isIgnored(number) {
            signal(number) { number in
                let error = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = Foundation.write(SignalWatch.end, &byte, 1)
                errno = error
            }
        }
        // A reader that has gone shows when writing; and the terminal is restored even from the background.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGTTOU, SIG_IGN)
    }

    /// Whether a signal is ignored, as under nohup; then it stays ignored.
    private static func isIgnored(_ number: Int32) -> Bool {
        guard let handler = signal(number, SIG_DFL) else { return false }
        signal(number, handler)
        return unsafeBitCast(handler, to: Int.self) == 1
    }

    /// The signals since the last call, except SIGCHLD.
    func take() -> [Int32] {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Foundation.read(file, &bytes, bytes.count)
        return count > 0 ? bytes[..<count].map(Int32.init).filter { $0 != SIGCHLD } : []
    }
}
