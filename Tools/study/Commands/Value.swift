import Debug
import Virtualization

/// A number as a person types it: 16, 0x10, a register (rsp, $eax, ah), a symbol, or a sum of these: rsp+8, main-0x10.
enum Value {
    /// A term of a sum.
    enum Term: Equatable {
        case number(UInt64)
        case register(NamedRegister)
        case symbol(UInt64)
    }

    /// The value of a text.
    /// - Parameter register: returns a register's value.
    static func number(
        _ text: String, _ symbols: Symbols, _ register: (GuestRegister) throws(Complaint) -> UInt64
    ) throws(Complaint) -> UInt64 {
        var sum: UInt64 = 0
        for (sign, word) in try terms(text) {
            let value: UInt64
            switch try term(word, symbols) {
            case .number(let number), .symbol(let number): value = number
            case .register(let name): value = name.part.value(of: try register(name.register))
            }
            sum = sign == "-" ? sum &- value : sum &+ value
        }
        return sum
    }

    /// Divides at the signs.
    private static func terms(_ text: String) throws(Complaint) -> [(sign: Character, word: String)] {
        var terms: [(Character, String)] = [("+", "")]
        for character in text where character != " " {
            if character == "+" || character == "-" {
                terms.append((character, ""))
            } else {
                terms[terms.count - 1].1.append(character)
            }
        }
        if terms.count > 1, terms[0].1.isEmpty, text.first == "+" { terms.removeFirst() }
        guard !terms.isEmpty, terms.allSatisfy({ !$0.1.isEmpty }) else { throw none(text) }
        return terms
    }

    private static func term(_ word: String, _ symbols: Symbols) throws(Complaint) -> Term {
        if let number = word.number { return .number(number) }
        if let register = NamedRegister(word) { return .register(register) }
        if let address = symbols.address(of: word) { return .symbol(address) }
        throw none(word)
    }

    private static func none(_ word: String) -> Complaint { Complaint("\"\(word)\" is not a number, such as 16, 0x10 or rsp") }
}

/// A register by one of its names: RAX, EAX, AX, AL, AH, $rax.
struct NamedRegister: Equatable {
    typealias Part = StopCondition.Operand.Part

    let register: GuestRegister
    let part: Part

    init?(_ word: String) {
        let name = word.lowercased()
        if name.hasPrefix("$") {
            guard let found = NamedRegister.generic[name] ?? NamedRegister.all[String(name.dropFirst())] else { return nil }
            self = found
        } else {
            guard let found = NamedRegister.all[name] else { return nil }
            self = found
        }
    }

    init(_ register: GuestRegister, _ part: Part = .all) {
        self.register = register
        self.part = part
    }

    /// What gdb calls these on every machine.
    private static let generic: [String: NamedRegister] = ["$pc": .init(.rip), "$sp": .init(.rsp), "$fp": .init(.rbp)]

    /// In small letters.
    static let all: [String: NamedRegister] = {
        var names: [String: NamedRegister] = ["flags": .init(.rflags, .low16)]
        for number in GuestRegister.all {
            guard let register = GuestRegister(rawValue: number) else { continue }
            names[register.name.lowercased()] = .init(register)
            guard let general = register.general else { continue }
            for (part, size) in [(Part.low32, 4), (.low16, 2), (.low8, 1)] {
                names[RegisterName(general, size: size).text.lowercased()] = .init(register, part)
            }
            if general.value < 4 {
                names[RegisterName(general, size: 1, isHighByte: true).text.lowercased()] = .init(register, .high8)
            }
        }
        names["eip"] = .init(.rip, .low32)
        names["ip"] = .init(.rip, .low16)
        names["eflags"] = .init(.rflags, .low32)
        return names
    }()

    /// As it is shown.
    var name: String {
        if let general = register.general {
            switch part {
            case .all: return "\(general.name)"
            case .low32: return RegisterName(general, size: 4).text
            case .low16: return RegisterName(general, size: 2).text
            case .low8: return RegisterName(general, size: 1).text
            case .high8: return RegisterName(general, size: 1, isHighByte: true).text
            }
        }
        switch (register, part) {
        case (.rip, .low32): return "EIP"
        case (.rip, .low16): return "IP"
        case (.rflags, .low32): return "EFLAGS"
        case (.rflags, .low16): return "FLAGS"
        default: return register.name
        }
    }
}

extension GuestRegister {
    var name: String {
        if let general { return "\(general.name)" }
        if let selector { return "\(selector.name)" }
        return switch self {
        case .rip: "RIP"
        case .rflags: "RFLAGS"
        case .esBase: "ES_BASE"
        case .csBase: "CS_BASE"
        case .ssBase: "SS_BASE"
        case .dsBase: "DS_BASE"
        case .fsBase: "FS_BASE"
        case .gsBase: "GS_BASE"
        case .kernelGSBase: "K_GS_BASE"
        case .cr0: "CR0"
        case .cr2: "CR2"
        case .cr3: "CR3"
        case .cr4: "CR4"
        case .cr8: "CR8"
        default: "EFER"
        }
    }

    /// The one register whose name a text begins.
    init?(named text: String) {
        let all = GuestRegister.all.compactMap { GuestRegister(rawValue: $0) }
        guard let register = try? NameSearch.find(text, "register", "", among: all.map { ($0.name, $0) }) else { return nil }
        self = register
    }
}
