import X86

/// A set of the features that a guest may see.
struct CPUIDFeatureSet: Equatable, Sendable {
    private var words: [12 of UInt32] = .init(repeating: 0)

    static func == (left: Self, right: Self) -> Bool {
        for index in 0..<CPUIDFeatureWord.count where left.words[index] != right.words[index] { return false }
        return true
    }

    /// The bits of one register.
    subscript(word: CPUIDFeatureWord) -> UInt32 { words[Int(word.rawValue)] }

    func contains(_ feature: CPUIDFeature) -> Bool { self[feature.word] & feature.mask != 0 }

    mutating func insert(_ feature: CPUIDFeature) { words[Int(feature.word.rawValue)] |= feature.mask }
}

/// Features that a guest is not to see, and those that are useless without them.
public struct HiddenFeatures: Equatable, Sendable {
    private(set) var features = CPUIDFeatureSet()

    public init() {}

    /// Hides PKU, with what depends on it.
    public mutating func hideProtectionKeys() { hide(.pku) }

    /// Hides a feature by its name, in any case.
    /// - Returns: false if there is none with that name.
    mutating func hide(_ name: UnsafeRawBufferPointer) -> Bool {
        let (row, distance) = HiddenFeatures.nearest(to: name)
        guard distance == 0 else { return false }
        hide(CPUIDFeatureTable.rows[row].feature)
        return true
    }

    private mutating func hide(_ feature: CPUIDFeature) {
        features.insert(feature)
        while hideDependents() {}
    }

    /// - Returns: whether any was still visible.
    private mutating func hideDependents() -> Bool {
        var isChanged = false
        for index in 0..<CPUIDFeatureTable.rows.count {
            let row = CPUIDFeatureTable.rows[index]
            guard !features.contains(row.feature), isHidden(row.needs.0) || isHidden(row.needs.1) else { continue }
            features.insert(row.feature)
            isChanged = true
        }
        return isChanged
    }

    private func isHidden(_ feature: CPUIDFeature?) -> Bool {
        guard let feature else { return false }
        return features.contains(feature)
    }
}

// MARK: Names

extension HiddenFeatures {
    /// The name of a feature that is nearest to a word.
    static func nearestName(to word: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        CPUIDFeatureTable.rows[nearest(to: word).row].letters
    }

    /// The row whose name is nearest to a word, and the distance: 0 if they differ only in case.
    private static func nearest(to word: UnsafeRawBufferPointer) -> (row: Int, distance: Int) {
        var nearest = (row: 0, distance: Int.max)
        for row in 0..<CPUIDFeatureTable.rows.count {
            let distance = distance(CPUIDFeatureTable.rows[row].letters, word)
            if distance < nearest.distance { nearest = (row, distance) }
        }
        return nearest
    }

    /// How many letters must be inserted, removed or replaced to turn one into the other (Levenshtein), of the first 31.
    private static func distance(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
        let width = min(second.count, 31)
        var line: [32 of Int] = .init(repeating: 0)
        for column in 0...width { line[column] = column }
        for index in 0..<first.count {
            var diagonal = index
            line[0] = index + 1
            for column in 0..<width {
                let above = line[column + 1]
                let replaced = diagonal + (large(first[index]) == large(second[column]) ? 0 : 1)
                line[column + 1] = min(replaced, min(above, line[column]) + 1)
                diagonal = above
            }
        }
        return line[width] + second.count - width
    }

    private static func large(_ letter: UInt8) -> UInt8 { (0x61...0x7A).contains(letter) ? letter & 0xDF : letter }
}

/// Words between blanks or commas.
struct WordList {
    private let text: UnsafeRawBufferPointer
    private var position = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }
    init(_ text: StaticString) { self.init(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)) }

    private func isBetween(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x2C }

    mutating func next() -> UnsafeRawBufferPointer? {
        while position < text.count, isBetween(text[position]) { position += 1 }
        let start = position
        while position < text.count, !isBetween(text[position]) { position += 1 }
        return start == position ? nil : UnsafeRawBufferPointer(rebasing: text[start..<position])
    }
}
