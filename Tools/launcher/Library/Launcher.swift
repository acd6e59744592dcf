import ExplainTools
import Foundation
import StudyTools
import TraceTools

/// `martlet`: the host program.
public enum Launcher {
    /// - Parameter arguments: without the program's own name.
    /// - Returns: the exit status.
    public static func main(_ arguments: [String]) -> Int32 {
        let hasInput = openStandardFiles()
        var words = arguments
        let isForMake = words.first == "--make"
        if isForMake { words.removeFirst() }
        let speech = Speech()
        var status: Int32
        do throws(Failure) {
            status = try perform(words, speech, hasInput: hasInput, parent: isForMake ? getppid() : nil)
        } catch {
            if let words = error.words { speech.say(words) }
            status = error.status.rawValue
        }
        guard isForMake else { return status }
        // Make has a single status for every failure.
        if status == 0 || status == 1 { return 0 }
        if let words = RunStatus.wordsForMake(status) { speech.say(words) }
        return 1
    }

    /// Opens /dev/null for any of standard input, output and error that is closed, so that no other file gets its number.
    /// - Returns: whether standard input was open.
    private static func openStandardFiles() -> Bool {
        let hasInput = fcntl(STDIN_FILENO, F_GETFD) != -1
        for file in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(file, F_GETFD) == -1 {
            // Writing there fails, as it would have.
            _ = open("/dev/null", O_RDONLY)
        }
        return hasInput
    }

    private static func perform(_ words: [String], _ speech: Speech, hasInput: Bool, parent: pid_t?) throws(Failure) -> Int32 {
        let named = words.first.flatMap(Command.init)
        let rest = named == nil ? words : Array(words.dropFirst())
        let wantsHelp = rest.contains { ["help", "--help", "-h"].contains($0) }
        let command = named ?? .run
        // A serial line, or an option, is for a Martlet that was started elsewhere.
        let isElsewhere = !rest.allSatisfy { $0.contains("=") && !$0.hasPrefix("-") }
        switch command {
        case .trace: return CommandLineTool.run(rest)
        case .explain: return ExplainCommand.run(rest)
        case .run, .bare, .linux:
            if wantsHelp {
                print(Help.text)
                return 0
            }
            if let word = rest.first(where: { !$0.contains("=") && WordKey(rawValue: $0.uppercased()) == nil }) {
                let commands = Command.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badUsage(
                    "\"\(word)\" is neither a command (\(commands)) nor KEY=value: \"martlet help\" explains both")
            }
        case .study, .gdb: if isElsewhere { return MonitorCommand.main(rest, servesDebugger: command == .gdb) }
        case .bench, .machines: break
        }
        let environment = ProcessInfo.processInfo.environment
        let program = Bundle.main.executablePath ?? "martlet"
        guard let root = root(of: program) else {
            throw .noMachine("\(program) is not inside a checkout of Martlet: use Tools/martlet in a checkout")
        }
        let run = RunCommand(
            checkout: Checkout(environment: environment, root: root), environment: environment, program: program, speech: speech,
            hasInput: hasInput, parent: parent)
        switch command {
        case .study, .gdb:
            let quiet = (environment["TRACE"] ?? "").isEmpty ? ["TRACE=off"] : []
            return try run.run(["MONITOR=\(command.rawValue)"] + quiet + rest)
        case .bench: return try bench(rest, run.checkout, wantsHelp: wantsHelp)
        case .linux: return try become([root + "/Tools/linux/start"] + rest)
        case .machines: return try MachinesCommand(checkout: run.checkout).run(rest, isHelp: wantsHelp)
        case .run, .bare, .trace, .explain: return try run.run(rest, isBare: command == .bare)
        }
    }

    private static func bench(_ words: [String], _ checkout: Checkout, wantsHelp: Bool) throws(Failure) -> Int32 {
        let programs = ["exits": "bench", "linux": "bench-linux", "mmu": "bench-mmu"]
        guard let program = programs[words.first ?? "exits"], words.count <= 1, !wantsHelp else {
            let usage = """
                martlet bench exits   instructions per exit of each kind, compared with the recorded figures
                martlet bench linux   what Linux costs beyond running without Martlet
                martlet bench mmu     what nested, shadow and direct paging cost

                ROUNDS, RECORD, SPEEDS, WAYS and MACHINE are taken from the environment (make help).
                """
            guard wantsHelp else {
                throw .badUsage("unknown benchmark \"\(words.joined(separator: " "))\": choose exits, linux or mmu")
            }
            print(usage)
            return 0
        }
        return try become([checkout.root + "/Tools/" + program])
    }

    /// Replaces this program with another.
    private static func become(_ command: [String]) throws(Failure) -> Int32 {
        let words = command.map { strdup($0) } + [nil]
        execv(command[0], words)
        throw .noMachine("\(command[0]) cannot be started: \(String(cString: strerror(errno)))")
    }

    /// The folder above the program that contains Martlet's sources.
    private static func root(of program: String) -> String? {
        var folder = program[...]
        while let slash = folder.lastIndex(of: "/") {
            folder = folder[..<slash]
            if isFile(folder + "/Linker/kernel.ld") { return String(folder) }
        }
        return nil
    }
}
