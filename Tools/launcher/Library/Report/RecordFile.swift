import Foundation
import StudyTools
import Trace

/// The file with a run's exit records.
struct RecordFile {
    let path: String
    private let way: RecordWay

    /// What the machine writes as binary goes straight into the file, even if the launcher dies.
    init(_ path: String, _ way: RecordWay, folder: String) throws(Failure) {
        self.path = path
        self.way = way
        unlink(folder + "/records")
        guard way == .report || symlink(path, folder + "/records") == 0 else { throw cannotBeMade(folder + "/records") }
    }

    /// Completes the file, or cuts it after the last whole record.
    /// - Returns: a message if some records could not be written.
    func close(_ report: Report) -> String? {
        if way == .report { write(report.records) }
        let size = size(path)
        let count = size / ExitRecord.size
        guard let expected = report.recordCount else {
            truncate(path, off_t(count * ExitRecord.size))
            return nil
        }
        guard size != expected * ExitRecord.size else { return nil }
        return "TRACE_FILE: \(count) of \(expected) records were written: is the disk with \(path) full?"
    }

    private func write(_ lines: [Substring]) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { return }
        defer { Foundation.close(file) }
        for line in lines { Poller.write(Array(Data(base64Encoded: String(line)) ?? Data()), to: file) }
    }
}
