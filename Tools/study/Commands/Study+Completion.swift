import Debug
import VMX

extension Study {
    /// What may follow what was typed of a line: commands, and what each takes.
    public func completion(of line: String) -> Completion { Study.completion(of: line, symbols) }

    static func completion(of line: String, _ symbols: Symbols = Symbols()) -> Completion {
        let words = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        let isNewWord = line.isEmpty || line.hasSuffix(" ")
        let word = isNewWord ? "" : words.last ?? ""
        let before = isNewWord ? words : Array(words.dropLast())
        guard let first = before.first else { return Completion(of: word, among: Command.allCases.map(\.rawValue)) }
        guard let name = first.split(separator: "/").first, let command = try? Command(String(name)) else { return Completion() }
        if before.contains("if") { return Completion(of: word, among: conditionNames) }
        let position = before.count
        switch command {
        case .break where position == 1:
            return Completion(
                of: word, among: ["exit", "port", "msr", "cpuid", "read", "write", "fetch", "address"] + named(word, symbols))
        case .break where before[1] == "exit": return phrase(line, behind: "exit", among: reasonNames + ["if"])
        case .until: return phrase(line, behind: first, among: reasonNames + ["if"])
        case .delete where position == 1: return Completion(of: word, among: ["all"])
        case .vmcs: return phrase(line, behind: first, among: fieldNames + ["guest", "host", "control", "exit"] + controlNames)
        case .controls:
            return phrase(
                line, behind: first, among: ["pin", "primary", "secondary", "tertiary", "exit", "entry"] + controlNames)
        case .set: return phrase(line, behind: first, among: registerNames + fieldNames.filter { $0.hasPrefix("guest") })
        case .walk where position > 1: return Completion(of: word, among: ["read", "write", "fetch", "user", "supervisor"])
        case .memory where position > 1: return Completion(of: word, among: ["physical"])
        case .inject where position == 1: return Completion(of: word, among: ["interrupt", "exception", "nmi"])
        case .trace where position == 1: return Completion(of: word, among: ["off", "exits", "full"])
        case .help where position == 1: return Completion(of: word, among: Command.allCases.map(\.rawValue))
        case .info where position == 1: return Completion(of: word, among: ["registers", "breakpoints", "symbol"])
        case .info where before[1] == "registers": return Completion(of: word, among: registerNames + ["vmcs"])
        case .info, .walk, .memory, .disassemble, .examine, .print, .ept:
            return Completion(
                of: word, among: (command == .print ? registerNames + fieldNames : registerNames) + named(word, symbols))
        default: return Completion()
        }
    }

    /// Names of several words: completes a name of which a part was typed.
    private static func phrase(_ line: String, behind word: String, among names: [String]) -> Completion {
        guard let range = line.range(of: word) else { return Completion() }
        let typed = line[range.upperBound...].drop { $0 == " " }
        let completion = Completion(of: String(typed), among: names)
        if !completion.choices.isEmpty { return completion }
        // Behind a name only a condition follows.
        let last = line.split(separator: " ", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        return Completion(of: last, among: ["if"])
    }

    /// Symbols are many: only those that a word begins.
    private static func named(_ word: String, _ symbols: Symbols) -> [String] {
        word.count < 2 ? [] : symbols.names.filter { $0.hasPrefix(word) }
    }

    static let reasonNames = ExitReason.allNames.map { $0.0.lowercased().replacing(" ", with: "-") }
    static let fieldNames = VMCSFieldDescription.all.map { "\($0.name)".lowercased() }
    static let registerNames = NamedRegister.all.keys.sorted()
    static let conditionNames = registerNames + StopCondition.Operand.exitFields.map(\.0)
    static let controlNames: [String] = {
        func names<Flags: ExplainedFlags>(_: Flags.Type) -> [String] {
            (0..<Flags.RawValue.bitWidth).compactMap { bit in Flags.name(ofBit: bit).map { "\($0)".lowercased() } }
        }
        return names(PinControls.self) + names(PrimaryControls.self) + names(SecondaryControls.self) + names(ExitControls.self)
            + names(EntryControls.self)
    }()
}
