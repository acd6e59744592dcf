import Foundation
import Machine
import StudyTools
import Text

/// `martlet trace`: what its words mean, and its exit status.
public enum CommandLineTool {
    static let usage = """
        martlet trace FILE               the exits as the console shows them
        martlet trace FILE --full        also why each exit happened
        martlet trace FILE --table       counts and times by reason, as `perf kvm stat` shows them
        martlet trace FILE --perfetto OUT.json
                                         a trace for ui.perfetto.dev
        martlet trace FILE --html OUT.html
                                         a web page with a timeline
        martlet trace --diff A B         two runs compared by reason, and the first exit at which they diverge
        martlet trace --diff A B --html OUT.html
                                         a web page with both side by side

        Tools/martlet TRACE_FILE=FILE writes such files. Several options can be combined.
        Output is as wide as the terminal, or 100 columns, or COLUMNS in the environment.
        status: 0 done; 1 --diff found a difference; 2 bad usage or a bad file
        """

    /// What the words ask for.
    struct Request: Equatable {
        var files: [String] = []
        var text = false
        var full = false
        var table = false
        var diff = false
        var perfetto: String?
        var html: String?
    }

    struct UsageError: Error, CustomStringConvertible {
        var description: String
    }

    static func request(_ words: [String]) throws(UsageError) -> Request {
        var request = Request()
        var rest = words[...]
        func value(_ word: String) throws(UsageError) -> String {
            guard let value = rest.popFirst() else { throw UsageError(description: "\(word) needs the name of a file to write") }
            return value
        }
        while let word = rest.popFirst() {
            switch word {
            case "--full": request.full = true
            case "--table": request.table = true
            case "--diff": request.diff = true
            case "--perfetto": request.perfetto = try value(word)
            case "--html": request.html = try value(word)
            case _ where word.hasPrefix("-"): throw UsageError(description: "unknown word \"\(word)\"")
            default: request.files.append(word)
            }
        }
        let wanted = request.diff ? 2 : 1
        guard request.files.count == wanted else {
            throw UsageError(
                description: request.diff
                    ? "--diff compares two files, and \(count: request.files.count, "is", "are") given"
                    : request.files.isEmpty ? "which file?" : "one file at a time, or --diff")
        }
        if request.diff, request.full || request.table || request.perfetto != nil {
            throw UsageError(description: "--diff can only be combined with --html")
        }
        request.text = request.full || !(request.diff || request.table || request.perfetto != nil || request.html != nil)
        return request
    }

    /// Runs the tool; returns its exit status.
    public static func run(_ words: [String]) -> Int32 {
        if words.contains("--help") || words.contains("-h") || words == ["help"] {
            print(usage)
            return 0
        }
        do {
            return try perform(request(words))
        } catch let error as UsageError {
            complain("\(error.description)\n\n\(usage)")
        } catch {
            complain("\(error)")
        }
        return 2
    }

    private static func perform(_ request: Request) throws -> Int32 {
        let file = try TraceFile(contentsOf: request.files[0])
        warn(file, request.files[0])
        let columns = max(40, Screen().width)
        if request.diff {
            let other = try TraceFile(contentsOf: request.files[1])
            warn(other, request.files[1])
            let diff = TraceDiff(file, other)
            if let path = request.html {
                try write(HTMLExport(file, other, names: (request.files[0], request.files[1])).page, to: path)
            } else {
                for line in diff.lines(request.files[0], request.files[1]) {
                    line.rows(columns: columns, indentation: 4 + ExitLine.reasonColumn).forEach { print($0) }
                }
            }
            return diff.parting == nil ? 0 : 1
        }
        if request.text { TextReport(showsCauses: request.full, columns: columns).lines(file) { print($0) } }
        if request.table { Summary(file.guests).lines.forEach { print($0) } }
        if let path = request.perfetto { try write(PerfettoExport(file).json, to: path) }
        if let path = request.html { try write(HTMLExport(file, name: request.files[0]).page, to: path) }
        return 0
    }

    private static func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            throw UsageError(description: "\(path): it cannot be written")
        }
    }

    private static func warn(_ file: TraceFile, _ path: String) {
        for warning in file.warnings { complain("\(path): \(warning)") }
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data("martlet trace: \(text)\n".utf8))
    }
}
