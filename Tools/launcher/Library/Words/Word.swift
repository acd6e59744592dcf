/// A word of a run, KEY=value: what it may be, and what the help says of it.
struct Word: Sendable {
    /// Which values are accepted.
    enum Value: Sendable {
        case text
        /// One of these.
        case choice([String])
        case size
        /// More than nothing, whole or with a fraction.
        case seconds
        /// A TCP port that needs no privilege.
        case port
        /// A file that can be read.
        case file
        /// Instructions a second.
        case speed
    }

    /// To whom the help tells it.
    enum Audience: Sendable { case everyone, tests }

    let key: WordKey
    let value: Value
    /// What holds where nobody gives one.
    let usual: String
    /// What the help writes behind the key.
    let example: String
    let help: String
    let audience: Audience

    init(
        _ key: WordKey, _ value: Value, usual: String = "", example: String, _ help: String = "",
        for audience: Audience = .everyone
    ) {
        self.key = key
        self.value = value
        self.usual = usual
        self.example = example
        self.help = help
        self.audience = audience
    }

    /// - Throws: what is wrong with it.
    func check(_ value: String) throws(Failure) {
        guard !value.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else {
            throw .badUsage("\(key.rawValue) holds a control character, which no machine passes on")
        }
        // Nothing is what was not given.
        guard !value.isEmpty else { return }
        let said = "\(key.rawValue)=\(value)"
        switch self.value {
        case .text, .file: break
        case .choice(let values):
            guard values.contains(value) else {
                throw .badUsage("\(said) is not accepted: it is one of \(values.joined(separator: ", "))")
            }
        case .size:
            guard Size(value) != nil else {
                throw .badUsage("\(said) is not a size: a whole number and K, M or G, such as \(usualSize)")
            }
        case .seconds:
            guard let seconds = Word.seconds(value), seconds > 0 else { throw .badUsage("\(said) is not a number of seconds") }
        case .port:
            guard let port = UInt16(value), port >= 1024, !value.hasPrefix("+"), !value.hasPrefix("0") else {
                throw .badUsage("\(said) is not a TCP port from 1024 to 65535")
            }
        case .speed:
            guard (7...10).contains(value.count), value.first != "0", value.allSatisfy({ ("0"..."9").contains($0) }) else {
                throw .badUsage("\(said) is not a number of instructions a second, from 1000000 on")
            }
        }
    }

    private var usualSize: String { usual.isEmpty ? "16M" : usual }

    /// A number without a sign or an exponent; nil for anything else.
    static func seconds(_ text: String) -> Double? {
        guard text.allSatisfy({ ("0"..."9").contains($0) || $0 == "." }), text.last != "." else { return nil }
        return Double(text.first == "." ? "0" + text : text)
    }
}
