/// The symbol table of an ELF file of either width.
enum ELFSymbols {
    static var magic: [UInt8] { [0x7F, 0x45, 0x4C, 0x46] }

    /// - Returns: the functions, objects, and anything else with a name and an address; nil if the file is damaged or has none.
    static func read(_ bytes: [UInt8]) -> [(name: String, address: UInt64)]? {
        guard bytes.count > 64, bytes[5] == 1 else { return nil }
        let isWide = bytes[4] == 2
        func number(_ offset: Int, _ size: Int) -> UInt64? {
            guard offset >= 0, offset <= bytes.count - size else { return nil }
            return (0..<size).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
        }
        func word(_ offset: Int) -> Int? { number(offset, isWide ? 8 : 4).flatMap { Int(exactly: $0) } }
        guard let headers = word(isWide ? 40 : 32), let size = number(isWide ? 58 : 46, 2),
            let count = number(isWide ? 60 : 48, 2)
        else {
            return nil
        }
        /// Where a section is in the file.
        func section(_ index: Int) -> (type: UInt64, offset: Int, size: Int, link: Int)? {
            guard index >= 0, index < Int(count), headers <= bytes.count else { return nil }
            let start = headers + index * Int(size)
            guard let type = number(start + 4, 4), let offset = word(start + (isWide ? 24 : 16)),
                let length = word(start + (isWide ? 32 : 20)),
                let link = number(start + (isWide ? 40 : 24), 4), offset <= bytes.count, length <= bytes.count - offset
            else { return nil }
            return (type, offset, length, Int(link))
        }
        var list: [(String, UInt64)] = []
        for index in 0..<Int(count) {
            guard let table = section(index), table.type == 2, let names = section(table.link) else { continue }
            let entry = isWide ? 24 : 16
            for position in 0..<table.size / entry {
                let start = table.offset + position * entry
                guard let name = number(start, 4), let info = number(start + (isWide ? 4 : 12), 1),
                    let value = number(start + (isWide ? 8 : 4), isWide ? 8 : 4), let home = number(start + (isWide ? 6 : 14), 2)
                else { continue }
                // Of files and sections, and of what is not in this file, there is nothing to say.
                guard info & 15 < 3, home != 0, home != 0xFFF1, name < UInt64(names.size) else { continue }
                let text = bytes[(names.offset + Int(name))..<(names.offset + names.size)].prefix { $0 != 0 }
                if !text.isEmpty { list.append((String(decoding: text, as: UTF8.self), value)) }
            }
        }
        return list.isEmpty ? nil : list
    }
}
