import ExplainTools
import Foundation

// martlet-explain KIND VALUE...: VMX numbers in words. `martlet-explain --help` says which.

let status = ExplainCommand.run(
    Array(CommandLine.arguments.dropFirst()),
    reading: { path in
        let bytes =
            path == "-" ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(fileURLWithPath: path))
        return String(decoding: bytes, as: UTF8.self)
    },
    print: { print($0) },
    complain: { FileHandle.standardError.write(Data(($0 + "\n").utf8)) })
exit(status)
