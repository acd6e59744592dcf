/// The words of a run: arguments override the environment, which overrides the defaults. Each is checked by itself.
struct GivenWords {
    private var values: [WordKey: String] = [:]

    /// - Parameters:
    ///   - arguments: KEY=value, the key in upper or lower case.
    ///   - environment: keys in upper case; an empty value counts as not given.
    init(_ arguments: [String], environment: [String: String]) throws(Failure) {
        for key in WordKey.allCases {
            if let value = environment[key.rawValue], !value.isEmpty { values[key] = value }
        }
        for argument in arguments {
            let name = argument.prefix { $0 != "=" }
            guard let key = WordKey(rawValue: name.uppercased()) else {
                let keys = WordKey.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badUsage("unknown word \"\(argument)\"; the keys are \(keys)")
            }
            guard name.count < argument.count else { throw .badUsage("\(name) needs a value, as in \(key.rawValue)=...") }
            values[key] = String(argument.dropFirst(name.count + 1))
        }
        for word in Word.all { try word.check(self[word.key]) }
    }

    /// What was given, otherwise the default, which may be empty.
    subscript(key: WordKey) -> String {
        guard let value = values[key], !value.isEmpty else { return Word.of(key).usual }
        return value
    }

    /// The same, but nil if empty.
    func given(_ key: WordKey) -> String? {
        let value = self[key]
        return value.isEmpty ? nil : value
    }

    /// As it is typed, for error messages.
    func said(_ key: WordKey) -> String { "\(key.rawValue)=\(self[key])" }
}
