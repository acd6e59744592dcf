import Foundation

/// The lines that were typed, kept between sessions.
public struct History {
    /// The most that are kept.
    static var capacity: Int { 1000 }

    private let file: URL?
    public private(set) var lines: [String] = []

    /// - Parameter file: where they are kept; nil for nowhere.
    public init(file: URL?) {
        self.file = file
        guard let file, let text = try? String(contentsOf: file, encoding: .utf8) else { return }
        lines = text.split(separator: "\n").suffix(Self.capacity).map(String.init)
    }

    /// The current user's file.
    public static var usual: URL? {
        let environment = ProcessInfo.processInfo.environment
        if let state = environment["XDG_STATE_HOME"], !state.isEmpty {
            return URL(fileURLWithPath: state).appendingPathComponent("martlet/study-history")
        }
        guard let home = environment["HOME"], !home.isEmpty else { return nil }
        return URL(fileURLWithPath: home).appendingPathComponent(".local/state/martlet/study-history")
    }

    /// Keeps a line, unless it is empty or the one before. A file that cannot be written is not worth an error.
    public mutating func append(_ line: String) {
        guard line.contains(where: { $0 != " " }), line != lines.last else { return }
        lines.append(line)
        guard let file else { return }
        try? FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try? Data((lines.suffix(Self.capacity).joined(separator: "\n") + "\n").utf8).write(to: file, options: .atomic)
    }
}
