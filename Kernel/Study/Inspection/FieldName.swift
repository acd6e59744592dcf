import Text
import VMX

/// What a person typed to name a field of the VMCS: words each of which is a part of the field's name, or its encoding.
struct FieldName {
    private let typed: UnsafeRawBufferPointer

    init(_ typed: UnsafeRawBufferPointer) {
        var start = 0
        var end = typed.count
        while start < end, FieldName.isBlank(typed[start]) { start += 1 }
        while end > start, FieldName.isBlank(typed[end - 1]) { end -= 1 }
        self.typed = UnsafeRawBufferPointer(rebasing: typed[start..<end])
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    var isEmpty: Bool { typed.isEmpty }

    /// What was typed, for an answer.
    var line: Line { Line(typed) }

    /// The group of this name.
    var group: VMCSDump.Group? {
        if matches("guest") { return .guestState }
        if matches("host") { return .hostState }
        if matches("control") || matches("controls") { return .control }
        if matches("exit") { return .exitInformation }
        return nil
    }

    /// The field with the encoding that was typed, such as 0x6820.
    var encoding: VMCSFieldEncoding? {
        guard typed.count > 2, typed.count <= 6, typed[0] == 0x30, FieldName.lower(typed[1]) == 0x78 else { return nil }
        var value: UInt32 = 0
        for position in 2..<typed.count {
            switch FieldName.lower(typed[position]) {
            case let digit where (0x30...0x39).contains(digit): value = value << 4 | UInt32(digit - 0x30)
            case let digit where (0x61...0x66).contains(digit): value = value << 4 | UInt32(digit - 0x57)
            default: return nil
            }
        }
        return VMCSFieldEncoding(rawValue: value)
    }

    /// The one field that it names.
    var field: VMCSFieldDescription? {
        if let encoding { return VMCSFieldDescription.position(of: encoding).map { .field(at: $0) } }
        var found: VMCSFieldDescription?
        var count = 0
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position)
            if matches(field.name) { return field }
            guard !isEmpty, isPart(of: field.name) else { continue }
            found = field
            count += 1
        }
        return count == 1 ? found : nil
    }

    /// Whether it is the whole name.
    func matches(_ name: StaticString) -> Bool {
        typed.count == name.utf8CodeUnitCount && occurs(0..<typed.count, in: name)
    }

    /// Whether each word is a part of the name, whatever its case.
    func isPart(of name: StaticString) -> Bool {
        var start = 0
        while start < typed.count {
            var end = start
            while end < typed.count, !FieldName.isBlank(typed[end]) { end += 1 }
            guard occurs(start..<end, in: name) else { return false }
            start = end
            while start < typed.count, FieldName.isBlank(typed[start]) { start += 1 }
        }
        return true
    }

    private func occurs(_ word: Range<Int>, in name: StaticString) -> Bool {
        let most = name.utf8CodeUnitCount - word.count
        var start = 0
        while start <= most {
            var position = 0
            while position < word.count,
                FieldName.lower(typed[word.lowerBound + position]) == FieldName.lower(name.utf8Start[start + position])
            {
                position += 1
            }
            if position == word.count { return true }
            start += 1
        }
        return false
    }

    /// How many letters would have to be put in, left out or changed to make it a part of the name (by Sellers' algorithm, of
    /// the first 48 letters).
    func distance(to name: StaticString) -> Int {
        let count = min(typed.count, 48)
        // Column by column of the name: how far the first letters typed are from a part that ends here.
        var column: [49 of UInt8] = .init(repeating: 0)
        for row in 0...count { column[row] = UInt8(row) }
        var best = count
        for position in 0..<name.utf8CodeUnitCount {
            let letter = FieldName.lower(name.utf8Start[position])
            var diagonal: UInt8 = 0
            for row in 1..<(count + 1) {
                let changed = FieldName.lower(typed[row - 1]) == letter ? diagonal : diagonal + 1
                diagonal = column[row]
                column[row] = min(changed, min(diagonal, column[row - 1]) + 1)
            }
            best = min(best, Int(column[count]))
        }
        return best
    }

    /// The field nearest to what was typed, or nil if it is like none.
    var nearest: StaticString? {
        var best = min(typed.count, 48) / 2
        var nearest: StaticString?
        for position in 0..<VMCSFieldDescription.count {
            let name = VMCSFieldDescription.field(at: position).name
            let distance = distance(to: name)
            if distance < best { (best, nearest) = (distance, name) }
        }
        return nearest
    }
}
