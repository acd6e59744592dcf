/// The words of a run: arguments over the environment over what is usual, each checked by itself.
struct GivenWords {
    private var values: [WordKey: String] = [:]

    /// - Parameters:
    ///   - arguments: KEY=value, the key in any letters.
    ///   - environment: where a key stands in capitals; what is empty there counts as not given.
    init(_ arguments: [String], environment: [String: String]) throws(Failure) {
        for key in WordKey.allCases {
            if let value = environment[key.rawValue], !value.isEmpty { values[key] = value }
        }
        for argument in arguments {
            let name = argument.prefix { $0 != "=" }
            guard let key = WordKey(rawValue: name.uppercased()) else {
                let keys = WordKey.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badUsage("unknown word \"\(argument)\": KEY=value is accepted with the keys \(keys)")
            }
            guard name.count < argument.count else { throw .badUsage("\(name): give it a value, as in \(key.rawValue)=...") }
            values[key] = String(argument.dropFirst(name.count + 1))
        }
        for word in Word.all { try word.check(self[word.key]) }
    }

    /// What was given, else what is usual, else nothing.
    subscript(key: WordKey) -> String {
        guard let value = values[key], !value.isEmpty else { return Word.of(key).usual }
        return value
    }

    /// The same, but nil for nothing.
    func given(_ key: WordKey) -> String? {
        let value = self[key]
        return value.isEmpty ? nil : value
    }

    /// As it is written, for complaints.
    func said(_ key: WordKey) -> String { "\(key.rawValue)=\(self[key])" }
}
