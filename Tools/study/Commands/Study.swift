import Debug
import Foundation
import Memory
import Text
import Trace
import VMX
import Virtualization
import X86

/// The monitor: does what is typed at its prompt, for the guest that the agent has in its hands. Its commands are in extensions,
/// by subject.
public final class Study {
    public let guest: StudiedGuest
    public var symbols: Symbols
    let disassembler: Disassembler
    /// The line that the trace has for each exit while the guest runs.
    var trace: TraceLevel
    /// Where `examine` continues.
    var nextExamined: UInt64?

    public init(_ guest: StudiedGuest, symbols: Symbols = Symbols(), disassembler: Disassembler = Disassembler()) {
        self.guest = guest
        self.symbols = symbols
        self.disassembler = disassembler
        trace = guest.facts.trace
    }

    /// What follows on a command.
    public enum Consequence: Equatable, Sendable {
        /// The guest is still stopped in the same place.
        case stay
        /// It runs.
        case run
        /// It will be restarted.
        case reset
        /// The machine ends.
        case quit
    }

    /// Does a command.
    /// - Parameter output: takes what it says.
    public func perform(_ line: String, saying output: inout Answer) throws(Complaint) -> Consequence {
        let text = CommandText(line)
        guard let word = text.word(0) else { return .stay }
        // gdb's formats follow a slash: x/4xg.
        let (name, format) = try Format.divide(word)
        let command = try Command(name)
        if format != nil, command != .examine, command != .print {
            throw Complaint("\"\(word)\": only print and examine take a format")
        }
        switch command {
        case .step: return try run(.exits(try count(text)))
        case .next: return try run(.instructions(try count(text)))
        case .continue:
            try text.end(1)
            return try run(.never)
        case .until: return try until(text)
        case .quit:
            try text.end(1)
            try guest.connection.ask(.quit)
            return .quit
        case .reset:
            try text.end(1)
            try guest.connection.ask(.reset)
            guest.forget()
            return .reset
        case .break: try setBreakpoint(text, &output)
        case .delete: try deleteBreakpoint(text, &output)
        case .set: try set(text, &output)
        case .inject: try inject(text, &output)
        case .type: try type(text)
        case .trace: try setTrace(text, &output)
        case .statistics: try showStatistics(text, &output)
        case .registers, .vmcs, .controls, .changes, .check, .why, .disassemble: try inspect(command, text, &output)
        case .memory: try showMemory(text, &output)
        case .walk: try walk(text, &output)
        case .ept: try showMap(text, &output)
        case .shadow: try showShadow(text, &output)
        case .print: try print(text, format ?? Format(), &output)
        case .examine: try examine(text, format ?? Format(), &output)
        case .backtrace: try backtrace(text, &output)
        case .info: try info(text, &output)
        case .symbols: try takeSymbols(text, &output)
        case .help: try help(text, &output)
        }
        return .stay
    }

    // MARK: Running

    private func run(_ goal: Goal) throws(Complaint) -> Consequence {
        try guest.run(goal)
        return .run
    }

    private func until(_ text: CommandText) throws(Complaint) -> Consequence {
        guard let reason = text.name(from: 1) else { throw Complaint("until needs an exit reason: \"help until\"") }
        let basic = try exitReason(reason.name)
        return try run(.reason(basic, try condition(text, reason.end)))
    }

    /// The number after a command; 1 if there is none.
    private func count(_ text: CommandText) throws(Complaint) -> UInt64 {
        guard let word = text.word(1) else { return 1 }
        try text.end(2)
        guard let count = try? number(word), count > 0 else { throw Complaint("\"\(word)\" is not a number of at least 1") }
        return count
    }

    // MARK: What is typed

    /// The value of a number, a register, a symbol, or a sum of these.
    func number(_ word: String, upTo limit: UInt64 = .max) throws(Complaint) -> UInt64 {
        let value = try Value.number(word, symbols) { (register) throws(Complaint) in try guest.value(of: register) }
        guard value <= limit else { throw Complaint("\"\(word)\" is not a number up to \(hex: limit), such as 16 or 0x10") }
        return value
    }

    /// The value at an index; nil if there is no such word.
    func number(_ text: CommandText, _ index: Int) throws(Complaint) -> UInt64? {
        guard let word = text.word(index) else { return nil }
        return try number(word)
    }

    /// The condition after the word "if", if there is one.
    func condition(_ text: CommandText, _ index: Int) throws(Complaint) -> StopCondition? {
        try StopCondition.behind(text, index) { (word) throws(Complaint) in try number(word) }
    }

    /// The basic reason that a number is, or whose name a word begins.
    func exitReason(_ word: String) throws(Complaint) -> UInt16 {
        if let number = word.number {
            guard let basic = UInt16(exactly: number), ExitReason(rawValue: UInt32(basic)).isNamed else {
                throw Complaint("there is no exit reason \(number)")
            }
            return basic
        }
        return try NameSearch.find(
            word, "exit reason", "it is a number, or the beginning of a name such as cpuid, hlt, ept-violation",
            among: ExitReason.allNames)
    }
}

extension ExitReason {
    /// The name and the number of each basic reason that has a name.
    static let allNames: [(String, UInt16)] = (0...BasicExitReason.highest.rawValue).compactMap {
        let reason = ExitReason(rawValue: UInt32($0))
        return reason.isNamed ? ("\(reason.name)", $0) : nil
    }
}
