import Foundation

/// The folder of a run's files.
final class RunFolder {
    let path: String
    private let isKept: Bool
    private var lock: Int32 = -1

    /// Files that belong to one run, and mean nothing to the next in the same folder.
    private static let passing = ["console", "input", "stop", "port", "console.guest"]

    /// - Parameter kept: a folder to keep; nil for a new temporary one.
    init(kept: String?, temporary: String) throws(Failure) {
        if let kept {
            guard RunFolder.make(kept) else { throw .badUsage("KEEP=\(kept): this folder cannot be created") }
            path = absolute(kept)
            isKept = true
            for name in ["files", "tree"] { RunFolder.remove(path + "/" + name) }
            for name in RunFolder.passing + ["report"] { unlink(path + "/" + name) }
            return
        }
        let temporary = absolute(temporary)
        RunFolder.sweep(temporary)
        isKept = false
        var name = Array((temporary + "/martlet.XXXXXX").utf8CString)
        guard mkdtemp(&name) != nil else { throw cannotBeMade("a folder in \(temporary)") }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Nobody ever sees the lock unlocked. Children keep it locked as long as they live.
        lock = open(path + "/new", O_RDWR | O_CREAT, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX) == 0, rename(path + "/new", path + "/lock") == 0 else {
            let failure = cannotBeMade(path + "/lock")
            RunFolder.remove(path)
            throw failure
        }
    }

    /// Removes it, or, if it is kept, the files that are of no further use.
    func close() {
        guard isKept else { return RunFolder.remove(path) }
        for name in RunFolder.passing { unlink(path + "/" + name) }
    }

    /// Removes the folders of killed runs: neither they nor any child hold the lock.
    private static func sweep(_ temporary: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: temporary)) ?? []
        for name in names where name.hasPrefix("martlet.") && name.count == 14 {
            let folder = temporary + "/" + name
            var status = stat()
            guard stat(folder, &status) == 0, status.st_uid == geteuid() else { continue }
            let lock = open(folder + "/lock", O_RDONLY | O_CLOEXEC)
            guard lock >= 0 else { continue }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { remove(folder) }
            Foundation.close(lock)
        }
    }

    private static func make(_ path: String) -> Bool {
        (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)) != nil
    }

    private static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
