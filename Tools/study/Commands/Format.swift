/// How gdb's print and examine show something: "4xg" is four giant words in base 16.
struct Format: Equatable {
    var count = 1
    /// x, d, u, t, c, s or i.
    var letter: Character = "x"
    /// The bytes of a unit; nil if not given.
    var size: Int?

    init() {}

    init(_ text: Substring) throws(Complaint) {
        var rest = text
        let digits = rest.prefix { $0.isNumber }
        if !digits.isEmpty {
            guard let count = Int(digits), (1...1024).contains(count) else {
                throw Complaint("\"\(digits)\" is not a count up to 1024")
            }
            self.count = count
        }
        rest = rest.dropFirst(digits.count)
        for character in rest {
            switch character {
            case "x", "d", "u", "t", "c", "s", "i", "a": letter = character == "a" ? "x" : character
            case "b": size = 1
            case "h": size = 2
            case "w": size = 4
            case "g": size = 8
            default: throw Complaint("\"\(character)\" is not a format: use x, d, u, t, c, s, i and the sizes b, h, w, g")
            }
        }
    }

    /// A command's word without the format after its slash, and the format.
    static func divide(_ word: String) throws(Complaint) -> (String, Format?) {
        guard let stroke = word.firstIndex(of: "/") else { return (word, nil) }
        return (String(word[..<stroke]), try Format(word[word.index(after: stroke)...]))
    }

    /// A number of so many bytes.
    func words(_ value: UInt64, size: Int) -> String {
        let bits = UInt64(8 * size)
        let value = bits == 64 ? value : value & ((1 << bits) - 1)
        switch letter {
        case "d": return String(Int64(bitPattern: value << (64 - bits)) >> (64 - bits))
        case "u": return String(value)
        case "t":
            let digits = String(value, radix: 2)
            return String(repeating: "0", count: 8 * size - digits.count) + digits
        case "c":
            let byte = UInt8(truncatingIfNeeded: value)
            return "\(value) '\((0x20..<0x7F).contains(byte) ? String(Unicode.Scalar(byte)) : "\\x" + String(byte, radix: 16))'"
        default: return "\(hex: value, digits: 2 * size)"
        }
    }
}
