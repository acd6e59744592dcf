import Foundation
import StudyTools
import Text
import VMX
import X86

/// `martlet explain`: its arguments, its answers, its exit status.
public enum ExplainCommand {
    /// Answers on standard output, and reads files, "-" being standard input.
    /// - Parameter arguments: without the command's name.
    /// - Returns: the exit status.
    public static func run(_ arguments: [String]) -> Int32 {
        run(
            arguments,
            reading: { path in
                let bytes =
                    path == "-"
                    ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(fileURLWithPath: path))
                return String(decoding: bytes, as: UTF8.self)
            },
            print: { print($0) },
            complain: { FileHandle.standardError.write(Data(($0 + "\n").utf8)) })
    }

    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - read: the text of a file.
    ///   - print: takes a line of the answer.
    ///   - complain: takes a line that says what is wrong.
    /// - Returns: 0; 1 if a VMCS or VMCB breaks a rule; 2 if the arguments or a file are wrong.
    public static func run(
        _ arguments: [String], reading read: @escaping (String) throws -> String, print: @escaping (String) -> Void,
        complain: (String) -> Void
    ) -> Int32 {
        guard let word = arguments.first else {
            complain(
                "martlet explain: what should be explained? Give a kind and a value, such as: martlet explain exit-reason 48")
            complain("martlet explain --help shows every kind.")
            return 2
        }
        if word == "--help" || word == "-h" || word == "help" {
            help(arguments.dropFirst().first, print)
            return 0
        }
        guard let kind = Kind.all.first(where: { $0.name == word }) else {
            complain("martlet explain: there is no kind \"\(word)\"\(suggestion(word)); martlet explain --help shows every kind")
            return 2
        }
        if arguments.dropFirst().contains("--help") {
            help(kind.name, print)
            return 0
        }
        var rest = Arguments(arguments.dropFirst(), of: kind)
        do {
            return try kind.explain(&rest, Session(read: read, print: print))
        } catch let error as UsageError {
            complain("martlet explain: \(error.message)")
        } catch {
            complain("martlet explain: \(kind.name): \(error)")
        }
        return 2
    }

    /// A kind that begins like the word.
    private static func suggestion(_ word: String) -> String {
        guard
            let near = Kind.all.first(where: { $0.name.hasPrefix(word) || $0.name.replacing("-", with: "") == word.lowercased() })
        else {
            return ""
        }
        return "; is \"\(near.name)\" meant?"
    }

    private static func help(_ name: String?, _ print: (String) -> Void) {
        let kinds = Kind.all.filter { name == nil || $0.name == name }
        if name == nil || kinds.isEmpty {
            print("martlet explain KIND VALUE: explains VMX and SVM numbers in words, bit by bit, with the manual's section.")
            print("Numbers are in base 16 with 0x before them, or in base 10.")
            print("")
        }
        for kind in kinds.isEmpty ? Kind.all : kinds {
            print("\(kind.name) \(kind.operands)")
            print("    \(kind.about)")
            print("    martlet explain \(kind.example)")
            if kind.name == "vmcs" { for line in ProcessorDescription.help { print("    \(line)") } }
        }
    }
}

/// A line of the kernel's modules as a String.
extension String {
    init(_ line: Line) {
        self.init(decoding: (0..<line.count).map { line[$0] }, as: UTF8.self)
    }
}
