import Foundation

/// The signals that end a run, and the ends of children, as bytes that a file brings.
final class SignalWatch {
    /// Those that are for the launcher.
    static let numbers = [SIGINT, SIGTERM, SIGHUP]

    /// Where a signal's number arrives.
    let file: Int32
    /// What a handler writes to.
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
        // Who reads no longer is noticed when it is written to; and whoever ends gives the terminal back from wherever it is.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGTTOU, SIG_IGN)
    }

    /// As under nohup: who started this wants nothing to come of it.
    private static func isIgnored(_ number: Int32) -> Bool {
        guard let handler = signal(number, SIG_DFL) else { return false }
        signal(number, handler)
        return unsafeBitCast(handler, to: Int.self) == 1
    }

    /// What came since the last time, without the ends of children.
    func take() -> [Int32] {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Foundation.read(file, &bytes, bytes.count)
        return count > 0 ? bytes[..<count].map(Int32.init).filter { $0 != SIGCHLD } : []
    }
}
