import Foundation
import StudyTools

/// What the guest prints, on its way to whoever reads. Of what nobody takes, 64 KiB and a piece wait.
final class PrintedOutput {
    private let poller: Poller
    private let file: Int32
    private let isOwn: Bool
    private var waiting: [UInt8] = []
    private var last: UInt8 = 10
    /// How much is written at once: what fits into a pipe without waiting, where there is room at all.
    private let piece: Int
    /// Nobody reads any longer.
    private(set) var isReadNoLonger = false
    /// It cannot be written, for another reason.
    private(set) var isUnwritable = false

    var isEmpty: Bool { waiting.isEmpty }
    var isFull: Bool { waiting.count > 65536 }

    /// - Parameter isOwn: the file is closed in the end.
    init(_ poller: Poller, to file: Int32, isOwn: Bool = false) {
        self.poller = poller
        self.file = file
        self.isOwn = isOwn
        piece = isatty(file) == 0 ? 4096 : 256
        isReadNoLonger = file < 0
        // The end of a pipe shows without a word to write; a plain file, or a terminal, has none.
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

    /// On a terminal what is said next begins a line of its own.
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
