import Foundation
import StudyTools

/// What the guest prints, on its way to whoever reads: never more of it waits than a little.
final class PrintedOutput {
    private let poller: Poller
    private let file: Int32
    private let isOwn: Bool
    private var waiting: [UInt8] = []
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
    }

    func put(_ text: String) { put(Array(text.utf8)) }

    private func write() {
        // What fits into a pipe without waiting, where there is room at all.
        let count = waiting.withUnsafeBytes { Foundation.write(file, $0.baseAddress, min($0.count, 4096)) }
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

    /// Waits until all is written.
    func flush() {
        while !waiting.isEmpty { poller.wait(1) }
    }

    func close() {
        poller.removeWriter(file)
        poller.removeEnd(file)
        if isOwn { Foundation.close(file) }
    }
}
