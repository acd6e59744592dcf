import Text
import VMX

/// What a person typed to name a field of the VMCS: words each of which is a part of the field's name, or its encoding.
struct FieldName {
    /// In small letters.
    private let words: [String]
    /// What was typed, for an answer.
    let text: String

    init(_ typed: String) {
        text = typed.trimmingPrefix { $0 == " " }.description.trimmedEnd
        words = text.lowercased().split(separator: " ").map(String.init)
    }

    var isEmpty: Bool { words.isEmpty }

    /// The group of this name.
    var group: VMCSDump.Group? {
        switch text.lowercased() {
        case "guest": .guestState
        case "host": .hostState
        case "control", "controls": .control
        case "exit": .exitInformation
        default: nil
        }
    }

    /// The field with the encoding that was typed, such as 0x6820.
    var encoding: VMCSFieldEncoding? {
        guard words.count == 1, text.count > 2, text.count <= 6, words[0].hasPrefix("0x") else { return nil }
        return UInt32(words[0].dropFirst(2), radix: 16).map { VMCSFieldEncoding(rawValue: $0) }
    }

    /// The one field that it names.
    var field: VMCSFieldDescription? {
        if let encoding { return VMCSFieldDescription.position(of: encoding).map { .field(at: $0) } }
        guard !isEmpty else { return nil }
        let fields = VMCSFieldDescription.all
        if let whole = fields.first(where: { matches($0.name) }) { return whole }
        let found = fields.filter { isPart(of: $0.name) }
        return found.count == 1 ? found[0] : nil
    }

    /// Whether it is the whole name.
    func matches(_ name: StaticString) -> Bool { text.lowercased() == "\(name)".lowercased() }

    /// Whether each word is a part of the name, whatever its case.
    func isPart(of name: StaticString) -> Bool {
        let name = "\(name)".lowercased()
        return words.allSatisfy { name.contains($0) }
    }

    /// How many letters would have to be put in, left out or changed to make it a part of the name (by Sellers' algorithm).
    private func distance(to name: StaticString) -> Int {
        let typed = Array(text.lowercased().utf8)
        // Column by column of the name: how far the first letters typed are from a part that ends here.
        var column = Array(0...typed.count)
        var best = typed.count
        for letter in "\(name)".lowercased().utf8 {
            var diagonal = 0
            for row in typed.indices {
                let changed = typed[row] == letter ? diagonal : diagonal + 1
                diagonal = column[row + 1]
                column[row + 1] = min(changed, min(diagonal, column[row]) + 1)
            }
            best = min(best, column[typed.count])
        }
        return best
    }

    /// The field nearest to what was typed, or nil if it is like none.
    var nearest: StaticString? {
        var best = text.count / 2
        var nearest: StaticString?
        for field in VMCSFieldDescription.all {
            let distance = distance(to: field.name)
            if distance < best { (best, nearest) = (distance, field.name) }
        }
        return nearest
    }
}

extension VMCSFieldDescription {
    /// The list, for the host.
    static let all = (0..<count).map { field(at: $0) }
}

extension String {
    fileprivate var trimmedEnd: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
