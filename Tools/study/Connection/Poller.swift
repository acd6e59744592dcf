import Foundation

/// Waits for several files at a time, and takes up what comes on each.
public final class Poller {
    private var readers: [Int32: () -> Void] = [:]
    private var writers: [Int32: () -> Void] = [:]
    /// Those of which only the end counts.
    private var ends: [Int32: () -> Void] = [:]

    public init() {}

    /// - Parameter ready: called when the file can be read; it reads.
    public func add(_ file: Int32, _ ready: @escaping () -> Void) { readers[file] = ready }
    public func remove(_ file: Int32) { readers[file] = nil }

    /// - Parameter ready: called when the file can be written; it writes.
    public func addWriter(_ file: Int32, _ ready: @escaping () -> Void) { writers[file] = ready }
    public func removeWriter(_ file: Int32) { writers[file] = nil }

    /// - Parameter over: called when the file's other end has been closed.
    public func addEnd(_ file: Int32, _ over: @escaping () -> Void) { ends[file] = over }
    public func removeEnd(_ file: Int32) { ends[file] = nil }

    /// Waits until something can be done with one of them, at most so many seconds.
    public func wait(_ timeout: Double) {
        let files = Set(readers.keys).union(writers.keys).union(ends.keys).sorted()
        var polled = files.map { file in
            pollfd(
                fd: file, events: Int16((readers[file] == nil ? 0 : POLLIN) | (writers[file] == nil ? 0 : POLLOUT)), revents: 0)
        }
        let milliseconds = Int32(max(0, min(timeout, 3600)) * 1000)
        guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return }
        for entry in polled where entry.revents != 0 {
            let events = Int32(entry.revents)
            let isOver = events & Int32(POLLERR | POLLHUP | POLLNVAL) != 0
            if isOver || events & Int32(POLLIN) != 0 { readers[entry.fd]?() }
            if isOver || events & Int32(POLLOUT) != 0 { writers[entry.fd]?() }
            if isOver { ends[entry.fd]?() }
        }
    }

    /// What can be read of a file without waiting; nil at its end.
    public static func read(_ file: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Foundation.read(file, &bytes, bytes.count)
            if count > 0 { return Array(bytes[..<count]) }
            if count < 0, errno == EINTR { continue }
            return count < 0 && errno == EAGAIN ? [] : nil
        }
    }

    /// Writes all of it; false if that fails.
    @discardableResult
    public static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var entry = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, 1000)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}

/// A file that is read whenever something comes.
final class PolledFile {
    let file: Int32
    private let poller: Poller
    /// What has arrived and has not been taken yet.
    private(set) var bytes: [UInt8] = []
    private(set) var isAtEnd = false

    init(_ file: Int32, _ poller: Poller) {
        self.file = file
        self.poller = poller
        poller.add(file) { [unowned self] in take() }
    }

    private func take() {
        if let more = Poller.read(file) { bytes += more } else { close() }
    }

    func close() {
        guard !isAtEnd else { return }
        isAtEnd = true
        poller.remove(file)
        Foundation.close(file)
    }

    /// Takes all.
    func takeAll() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    func takeFirst() -> UInt8? { bytes.isEmpty ? nil : bytes.removeFirst() }
}
