import Foundation
import StudyTools

/// The guest's output on its way to a reader. Up to 64 KiB and a piece are buffered for a slow reader.
final class PrintedOutput {
    private let poller: Poller
    private let file: Int32
    private let isOwn: Bool
    private var waiting: [UInt8] = []
    private var last: UInt8 = 10
    /// How much is written at once: an amount that a pipe takes without blocking if it has any room.
    private let piece: Int
    /// The reader is gone.
    private(set) var isReadNoLonger = false
    /// It cannot be written, for some other reason.
    private(set) var isUnwritable = false

    var isEmpty: Bool { waiting.isEmpty }
    var isFull: Bool { waiting.count > 65536 }

    /// - Parameter isOwn: close the file at the end.
    init(_ poller: Poller, to file: Int32, isOwn: Bool = false) {
        self.poller = poller
        self.file = file
        self.isOwn = isOwn
        piece = isatty(file) == 0 ? 4096 : 256
        isReadNoLonger = file < 0
        // A pipe shows that its reader is gone even with nothing to write; a plain file, or a terminal, does not.
        var status = stat()
        if fstat(file, &status) == 0, [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT) {
            poller.addEnd(file) { [unowned self] in
                isReadNoLonger = true
                poller.removeEnd(file)
            }
        }
    }

    func put(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, !isReadNoLonger, !isUnwritable else { return }
        if waiting.isEmpty { poller.addWriter(file) { [unowned self] in write() } }
        waiting += bytes
        last = bytes[bytes.count - 1]
    }

    private func write() {
        let count = waiting.withUnsafeBytes { Foundation.write(file, $0.baseAddress, min($0.count, piece)) }
        if count > 0 {
            waiting.removeFirst(count)
        } else if count < 0, errno == EPIPE {
            isReadNoLonger = true
        } else if count < 0, errno != EINTR, errno != EAGAIN {
            isUnwritable = true
        }
        if isReadNoLonger || isUnwritable { waiting = [] }
        if waiting.isEmpty { poller.removeWriter(file) }
    }

    /// On a terminal, ensures that the next message starts on a new line.
    func endLine() {
        guard last != 10, isatty(file) != 0, !isReadNoLonger else { return }
        Poller.write([10], to: file)
    }

    func close() {
        poller.removeWriter(file)
        poller.removeEnd(file)
        if isOwn { Foundation.close(file) }
    }
}
