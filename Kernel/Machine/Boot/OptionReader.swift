import Memory
import Text

/// Offers a word of the command line to the rows of `KernelOptions`: the row with its key takes it, or says what it takes
/// instead. Without a word, it collects the rows' keys.
struct OptionReader {
    private let word: OptionWord?
    /// A row had the word's key.
    private(set) var isTaken = false
    /// That row does not take its value.
    private(set) var error: KernelOptionError?
    /// The keys of the rows, separated by commas, when there is no word.
    private(set) var keys = Line()

    init(_ word: OptionWord) { self.word = word }
    /// Collects the keys.
    init() { word = nil }

    /// The word, if it is this row's.
    @inline(never)
    private mutating func word(of key: StaticString) -> OptionWord? {
        guard let word else {
            if keys.count > 0 { keys.write(", ") }
            keys.write(key)
            return nil
        }
        guard word.key.equals(key) else { return nil }
        isTaken = true
        return word
    }

    private mutating func refuse(_ word: OptionWord, _ accepted: StaticString) {
        error = .badValue(OptionText(word.whole), accepted: accepted)
    }

    // MARK: Rows

    /// - Parameters:
    ///   - accepted: "a, b or c", perhaps with a remark in parentheses.
    ///   - values: what they stand for, in the same order.
    @inline(__always)
    mutating func choice<Value, let count: Int>(
        _ key: StaticString, _ accepted: StaticString, _ values: [count of Value], _ option: inout Value
    ) {
        if let index = index(key, accepted) { option = values[index] }
    }

    @inline(never)
    private mutating func index(_ key: StaticString, _ accepted: StaticString) -> Int? {
        guard let word = word(of: key) else { return nil }
        let index = word.value.index(in: accepted)
        if index == nil { refuse(word, accepted) }
        return index
    }

    mutating func flag(_ key: StaticString, _ option: inout Bool) { choice(key, "on or off", [true, false], &option) }

    @inline(never)
    mutating func number(
        _ key: StaticString, _ range: ClosedRange<UInt64>, _ accepted: StaticString, _ option: inout UInt64?
    ) {
        guard let word = word(of: key) else { return }
        guard let number = word.number, range.contains(number) else { return refuse(word, accepted) }
        option = number
    }

    mutating func number(
        _ key: StaticString, _ range: ClosedRange<UInt64>, _ accepted: StaticString, _ option: inout UInt64
    ) {
        var number: UInt64?
        self.number(key, range, accepted, &number)
        if let number { option = number }
    }

    /// A multiple of 4 KiB.
    @inline(never)
    mutating func size(
        _ key: StaticString, from least: ByteCount, to most: ByteCount = ByteCount(.max), _ accepted: StaticString,
        _ option: inout ByteCount
    ) {
        guard let word = word(of: key) else { return }
        guard let size = word.size, size.bytes & 0xFFF == 0, size >= least, size <= most else { return refuse(word, accepted) }
        option = size
    }

    /// Names of features, separated by commas.
    @inline(never)
    mutating func features(_ key: StaticString, _ option: inout HiddenFeatures) {
        guard let word = word(of: key) else { return }
        var names = WordList(word.value)
        while let name = names.next() {
            guard !option.hide(name) else { continue }
            error = .unknownFeature(OptionText(name), nearest: OptionText(HiddenFeatures.nearestName(to: name)))
            return
        }
    }
}
