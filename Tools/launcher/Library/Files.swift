import Foundation
import StudyTools

/// The text of a file; empty if it cannot be read.
func contents(_ path: String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes: [UInt8] = []
    while let more = Poller.read(file), !more.isEmpty { bytes += more }
    return String(decoding: bytes, as: UTF8.self)
}

/// Writes a text to a file, which is created or emptied first.
func write(_ text: String, to path: String) throws(Failure) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw cannotBeMade(path) }
    defer { close(file) }
    guard Poller.write(Array(text.utf8), to: file) else { throw cannotBeMade(path) }
}

/// Creates a named pipe.
func makePipe(_ path: String) throws(Failure) {
    guard mkfifo(path, 0o600) == 0 else { throw cannotBeMade(path) }
}

/// Whether a shell would find a program of that name.
func isInPath(_ program: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
}
