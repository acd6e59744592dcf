import Debug

// Conditions as a person types them: rax == 0x10, al & 0x80, rcx & 0xff != 0 && cpl == 3.

extension StopCondition {
    /// The condition after the word "if", if there is one.
    static func behind(_ text: CommandText, _ index: Int, _ number: (String) throws(Complaint) -> UInt64) throws(Complaint)
        -> StopCondition?
    {
        guard let word = text.word(index) else { return nil }
        guard word == "if" else { throw Complaint("\"\(word)\" is unexpected: only \"if\" and a condition may follow") }
        var parser = ConditionParser(text.rest(from: index + 1))
        return try parser.condition(number)
    }

    /// As it is typed.
    var words: String {
        var results: [(text: String, joint: Joint?)] = []
        for step in steps {
            switch step {
            case .compare(let comparison): results.append((comparison.words, nil))
            case .join(let joint):
                guard results.count > 1, let right = results.popLast(), let left = results.popLast() else { return "" }
                // "&&" binds closer, so that an "or" in an "and" cannot be typed.
                results.append(("\(left.text) \(joint == .and ? "&&" : "||") \(right.text)", joint))
            }
        }
        return results.last?.text ?? ""
    }
}

extension StopCondition.Comparison {
    fileprivate var words: String {
        let masked = mask == .max ? "" : " & \(hex: mask)"
        return "\(operand.name)\(masked) \(relation.symbol) \(hex: value)"
    }
}

extension StopCondition.Operand {
    /// All names, besides those of registers.
    static var exitFields: [(String, StopCondition.ExitField)] {
        [("cpl", .cpl), ("reason", .reason), ("qualification", .qualification), ("physical", .physical), ("linear", .linear)]
    }

    fileprivate var name: String {
        switch source {
        case .register(let register): NamedRegister(register, part).conditionName
        case .exit(let field): Self.exitFields.first { $0.1 == field }?.0 ?? ""
        }
    }

    init(_ word: String) throws(Complaint) {
        if let register = NamedRegister(word) {
            self.init(.register(register.register), register.part)
            return
        }
        let registers: [(String, Source)] = GuestRegister.all.compactMap { GuestRegister(rawValue: $0) }.map {
            ($0.name, .register($0))
        }
        let source = try NameSearch.find(
            word, "register or field",
            "use rax to r15, eax, ax, al, ah and so on, rip, rflags, cr0, cr3, cr4, cpl, reason, qualification, physical, linear",
            among: registers + Self.exitFields.map { ($0.0, .exit($0.1)) })
        self.init(source)
    }
}

extension NamedRegister {
    /// General registers in capitals, as everywhere; the others as they are typed.
    fileprivate var conditionName: String { register.general != nil && register != .rsp ? name : name.lowercased() }
}

extension StopCondition.Relation {
    static var all: [StopCondition.Relation] { [.equal, .unequal, .atMost, .atLeast, .less, .greater, .hasBits] }

    var symbol: String {
        switch self {
        case .equal: "=="
        case .unequal: "!="
        case .less: "<"
        case .greater: ">"
        case .atMost: "<="
        case .atLeast: ">="
        case .hasBits: "&"
        }
    }
}

/// Takes a condition apart: words and signs, with blanks between them or without.
private struct ConditionParser {
    private var tokens: [String] = []
    private var position = 0

    private static let signs = ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "&"]

    init(_ text: String) {
        var rest = text[...]
        var word = ""
        while let character = rest.first {
            if let sign = Self.signs.first(where: { rest.hasPrefix($0) }) {
                if !word.isEmpty { tokens.append(word) }
                word = ""
                tokens.append(sign)
                rest = rest.dropFirst(sign.count)
            } else {
                if character != " " { word.append(character) } else if !word.isEmpty { tokens.append(word) }
                if character == " " { word = "" }
                rest = rest.dropFirst()
            }
        }
        if !word.isEmpty { tokens.append(word) }
    }

    private mutating func take(_ token: String) -> Bool {
        guard position < tokens.count, tokens[position] == token else { return false }
        position += 1
        return true
    }

    private mutating func next() throws(Complaint) -> String {
        guard position < tokens.count else {
            throw Complaint("a condition is three words, such as rax == 0x10, or several joined by && and ||")
        }
        position += 1
        return tokens[position - 1]
    }

    mutating func condition(_ number: (String) throws(Complaint) -> UInt64) throws(Complaint) -> StopCondition {
        var result = try all(number)
        while take("||") { result = try joined(result, try all(number), .or) }
        if position < tokens.count {
            throw Complaint("\"\(tokens[position])\" is unexpected: comparisons are joined by && and ||")
        }
        return result
    }

    /// Comparisons joined by "&&".
    private mutating func all(_ number: (String) throws(Complaint) -> UInt64) throws(Complaint) -> StopCondition {
        var result = StopCondition(try comparison(number))
        while take("&&") { result = try joined(result, StopCondition(try comparison(number)), .and) }
        return result
    }

    private func joined(_ left: StopCondition, _ right: StopCondition, _ joint: StopCondition.Joint) throws(Complaint)
        -> StopCondition
    {
        guard let result = left.joined(with: right, by: joint) else {
            throw Complaint("a condition has \(StopCondition.capacity) comparisons at most")
        }
        return result
    }

    /// `operand relation number`, or `operand & mask relation number`.
    private mutating func comparison(_ number: (String) throws(Complaint) -> UInt64) throws(Complaint) -> StopCondition.Comparison
    {
        let operand = try StopCondition.Operand(try next())
        let sign = try next()
        guard let relation = StopCondition.Relation.all.first(where: { $0.symbol == sign }) else {
            throw Complaint("\"\(sign)\" is not a comparison: use ==, !=, <, >, <=, >= or & (all of these bits are set)")
        }
        let value = try number(try next())
        guard relation == .hasBits, position < tokens.count,
            let second = StopCondition.Relation.all.first(where: { $0.symbol == tokens[position] }), second != .hasBits
        else { return StopCondition.Comparison(operand, relation, value) }
        position += 1
        return StopCondition.Comparison(operand, mask: value, second, try number(try next()))
    }
}
