import Memory

/// A word of the form key=value.
struct OptionWord {
    let whole: UnsafeRawBufferPointer
    let key: UnsafeRawBufferPointer
    /// Empty without "=".
    let value: UnsafeRawBufferPointer

    init(_ word: UnsafeRawBufferPointer) {
        var length = 0
        while length < word.count, word[length] != 0x3D { length += 1 }
        whole = word
        key = UnsafeRawBufferPointer(rebasing: word[..<length])
        value = UnsafeRawBufferPointer(rebasing: word[min(length + 1, word.count)...])
    }

    /// Its value as a number.
    var number: UInt64? { value.decimal }

    /// Its value as a number of bytes with an optional K, M or G.
    var size: ByteCount? {
        guard let unit = value.last else { return nil }
        let shift: UInt64 =
            switch unit {
            case 0x4B, 0x6B: 10
            case 0x4D, 0x6D: 20
            case 0x47, 0x67: 30
            default: 0
            }
        let digits = UnsafeRawBufferPointer(rebasing: value.dropLast(shift == 0 ? 0 : 1))
        guard let count = digits.decimal, count <= UInt64.max >> shift else { return nil }
        return ByteCount(count << shift)
    }
}

extension UnsafeRawBufferPointer {
    /// Which of the words of a list "a, b or c" it is, up to a parenthesis.
    func index(in list: StaticString) -> Int? {
        var words = WordList(list)
        var index = 0
        while let word = words.next(), word.first != 0x28 {
            if word.equals("or") { continue }
            if equals(word) { return index }
            index += 1
        }
        return nil
    }

    /// Whether the bytes are those of an ASCII text.
    func equals(_ text: StaticString) -> Bool {
        equals(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }

    /// A decimal number, or nil if it is none or too large.
    fileprivate var decimal: UInt64? {
        var result: UInt64 = 0
        for byte in self {
            guard (0x30...0x39).contains(byte) else { return nil }
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 0x30))
            guard !overflow, !carry else { return nil }
            result = sum
        }
        return isEmpty ? nil : result
    }
}
