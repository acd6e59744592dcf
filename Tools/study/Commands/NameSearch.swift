/// Finds the one name that a word begins: a whole name wins.
enum NameSearch {
    /// - Parameters:
    ///   - kind: what the names are, for the complaint, as in "command".
    ///   - advice: how to find the right one.
    static func find<Value>(_ word: String, _ kind: String, _ advice: String, among names: [(String, Value)]) throws(Complaint)
        -> Value
    {
        let wanted = folded(word)
        let found = wanted.isEmpty ? [] : names.filter { folded($0.0).hasPrefix(wanted) }
        if let whole = found.first(where: { folded($0.0) == wanted }) ?? (found.count == 1 ? found[0] : nil) { return whole.1 }
        if found.isEmpty { throw Complaint("there is no \(kind) \"\(word)\": \(advice)") }
        throw Complaint("\"\(word)\" may be \(found.map(\.0).joined(separator: ", "))")
    }

    /// A name's letters and digits in lower case: case and separators do not matter.
    static func folded(_ text: String) -> String { text.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) } }
}
