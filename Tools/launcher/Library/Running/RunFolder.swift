import Foundation

/// The folder of a run's files.
final class RunFolder {
    let path: String
    private let isKept: Bool
    private var lock: Int32 = -1

    /// What is of a run alone, and means nothing to the next one in the same folder.
    private static let passing = ["console", "input", "stop", "port", "console.guest"]

    /// - Parameter kept: a folder that stays; nil for a new one that goes.
    init(kept: String?, temporary: String) throws(Failure) {
        if let kept {
            guard RunFolder.make(kept) else { throw .badUsage("KEEP=\(kept): that folder cannot be made") }
            path = absolute(kept)
            isKept = true
            RunFolder.remove(path + "/files")
            for name in RunFolder.passing + ["report"] { unlink(path + "/" + name) }
            return
        }
        RunFolder.sweep(temporary)
        isKept = false
        var name = Array((temporary + "/martlet.XXXXXX").utf8CString)
        guard mkdtemp(&name) != nil else { throw cannotBeMade("a folder in \(temporary)") }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Whoever sees a lock sees it locked. Children keep it as long as they live.
        lock = open(path + "/new", O_RDWR | O_CREAT, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX) == 0, rename(path + "/new", path + "/lock") == 0 else {
            let failure = cannotBeMade(path + "/lock")
            RunFolder.remove(path)
            throw failure
        }
    }

    /// Removes it, or of one that is kept what is of no use.
    func close() {
        guard isKept else { return RunFolder.remove(path) }
        for name in RunFolder.passing { unlink(path + "/" + name) }
    }

    /// What those left behind that were killed goes: nobody has their lock, no child either.
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
