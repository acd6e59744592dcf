/// A word of a run, KEY=value: its permitted values and its help text.
struct Word: Sendable {
    /// Which values are accepted.
    enum Value: Sendable {
        case text
        /// One of these.
        case choice([String])
        case size
        /// More than zero, possibly with a fraction.
        case seconds
        /// A TCP port that needs no privilege.
        case port
        /// A file that can be read.
        case file
        /// Instructions per second.
        case speed
    }

    /// Whom the help explains it to.
    enum Audience: Sendable { case everyone, tests }

    let key: WordKey
    let value: Value
    /// The default.
    let usual: String
    /// What the help shows after the key.
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

    /// - Throws: what is wrong with the value.
    func check(_ value: String) throws(Failure) {
        guard !value.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else {
            throw .badUsage("\(key.rawValue) contains a control character, which no machine passes on")
        }
        // Empty means not given.
        guard !value.isEmpty else { return }
        let said = "\(key.rawValue)=\(value)"
        switch self.value {
        case .text, .file: break
        case .choice(let values):
            guard values.contains(value) else {
                throw .badUsage("\(said) is not accepted: use one of \(values.joined(separator: ", "))")
            }
        case .size:
            guard Size(value) != nil else {
                throw .badUsage("\(said) is not a size: use a whole number and K, M or G, such as \(usualSize)")
            }
        case .seconds:
            guard let seconds = Word.seconds(value), seconds > 0 else { throw .badUsage("\(said) is not a number of seconds") }
        case .port:
            guard let port = UInt16(value), port >= 1024, !value.hasPrefix("+"), !value.hasPrefix("0") else {
                throw .badUsage("\(said) is not a TCP port from 1024 to 65535")
            }
        case .speed:
            guard (7...10).contains(value.count), value.first != "0", value.allSatisfy({ ("0"..."9").contains($0) }) else {
                throw .badUsage("\(said) is not a number of instructions per second, at least 1000000")
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
