import ExplainTools
import Foundation
import StudyTools
import TraceTools

/// `martlet`: the one program of the host's.
public enum Launcher {
    /// - Parameter arguments: with the program's own name.
    /// - Returns: the exit status.
    public static func main(_ arguments: [String]) -> Int32 {
        let environment = ProcessInfo.processInfo.environment
        let program = ownPath(arguments.first ?? "martlet")
        var rest = Array(arguments.dropFirst())
        let isForMake = rest.first == "--make"
        if isForMake { rest.removeFirst() }
        let speech = Speech()
        var status: Int32
        do throws(Failure) {
            guard let root = root(of: program) else { throw .noMachine("\(program) is in no checkout of Martlet's") }
            let command = RunCommand(
                checkout: Checkout(environment: environment, root: root), environment: environment, program: program,
                speech: speech)
            status = try perform(rest, command)
        } catch {
            if let words = error.words { speech.say(words) }
            status = error.status.rawValue
        }
        guard isForMake else { return status }
        // Make has only one status for whatever is no success.
        if status == 0 || status == 1 { return 0 }
        if let words = RunStatus.wordsForMake(status) { speech.say(words) }
        return 1
    }

    private static func perform(_ words: [String], _ run: RunCommand) throws(Failure) -> Int32 {
        let command = words.first.flatMap(Command.init) ?? .run
        let isNamed = words.first == command.rawValue
        let rest = isNamed ? Array(words.dropFirst()) : words
        let wantsHelp = rest.contains { ["help", "--help", "-h"].contains($0) }
        // A line, or an option, is for a Martlet that somebody else has started.
        let isElsewhere = !rest.allSatisfy { $0.contains("=") && !$0.hasPrefix("-") }
        switch command {
        case .run, .bare:
            guard !wantsHelp else {
                print(Help.text)
                return 0
            }
            return try run.run(rest, isBare: command == .bare)
        case .study, .gdb:
            if isElsewhere { return MonitorCommand.main(rest, servesDebugger: command == .gdb) }
            let monitor = ["MONITOR=\(command.rawValue)"] + (run.environment["TRACE"] ?? "" == "" ? ["TRACE=off"] : [])
            return try run.run((command == .study ? monitor : [monitor[0]]) + rest)
        case .machines: return try MachinesCommand(checkout: run.checkout).run(rest, isHelp: wantsHelp)
        case .trace: return CommandLineTool.run(rest)
        case .explain: return ExplainCommand.run(rest)
        case .bench: return try bench(rest, run.checkout, wantsHelp: wantsHelp)
        case .linux: return try become([run.checkout.root + "/Tools/linux/start"] + rest)
        }
    }

    private static func bench(_ words: [String], _ checkout: Checkout, wantsHelp: Bool) throws(Failure) -> Int32 {
        let programs = ["exits": "bench", "linux": "bench-linux", "mmu": "bench-mmu"]
        guard let program = programs[words.first ?? "exits"], words.count <= 1, !wantsHelp else {
            let usage = """
                martlet bench exits   instructions of each kind of exit, against the recorded figures
                martlet bench linux   what Linux costs more than without Martlet
                martlet bench mmu     what nested, shadow and direct paging cost

                ROUNDS, RECORD, SPEEDS, WAYS and MACHINE come from the environment (make help).
                """
            guard wantsHelp else { throw .badUsage("bench knows exits, linux and mmu, not \"\(words.joined(separator: " "))\"") }
            print(usage)
            return 0
        }
        return try become([checkout.root + "/Tools/" + program])
    }

    /// Another program takes this one's place.
    private static func become(_ command: [String]) throws(Failure) -> Int32 {
        let words = command.map { strdup($0) } + [nil]
        execv(command[0], words)
        throw .noMachine("\(command[0]) cannot be started: \(String(cString: strerror(errno)))")
    }

    /// The path of this program, whoever asks from wherever.
    private static func ownPath(_ name: String) -> String {
        guard name.contains("/"), let path = realpath(name, nil) else { return name }
        defer { free(path) }
        return String(cString: path)
    }

    /// The folder above the program that has Martlet's sources.
    private static func root(of program: String) -> String? {
        var folder = program[...]
        while let slash = folder.lastIndex(of: "/") {
            folder = folder[..<slash]
            if isFile(folder + "/Linker/kernel.ld") { return String(folder) }
        }
        return nil
    }
}
