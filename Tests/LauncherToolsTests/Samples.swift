import Foundation

@testable import LauncherTools

/// A folder that goes with the test.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/launcher-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Makes a file of so many bytes, or with a text.
    func file(_ name: String, _ text: String = "x", size: Int? = nil) throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        if let size { truncate(file, off_t(size)) }
        return file
    }
}

/// What is said when a run is asked for with these words; nil if nothing is wrong.
func refusal(_ words: String..., environment: [String: String] = [:]) -> Failure? {
    do {
        _ = try RunRequest(GivenWords(words, environment: environment), kernel: "/martlet.elf")
        return nil
    } catch {
        return error
    }
}

func request(_ words: String..., environment: [String: String] = [:]) throws -> RunRequest {
    try RunRequest(GivenWords(words, environment: environment), kernel: "/martlet.elf")
}
