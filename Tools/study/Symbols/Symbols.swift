import Foundation

/// Names of the guest's addresses: of its ELF file, or of Linux's System.map.
public struct Symbols: Sendable {
    private struct Symbol: Sendable {
        let address: UInt64
        let name: String
    }

    /// In the order of their addresses, which are those of the file.
    private var symbols: [Symbol] = []
    private var places: [String: UInt64] = [:]
    /// How far above the file's addresses the guest has them: Linux puts itself anywhere (KASLR).
    public var slide: UInt64 = 0

    public init() {}

    public var isEmpty: Bool { symbols.isEmpty }
    public var count: Int { symbols.count }

    /// The names and addresses of a list.
    public init(_ list: [(name: String, address: UInt64)]) {
        symbols = list.map { Symbol(address: $0.address, name: $0.name) }.sorted { ($0.address, $0.name) < ($1.address, $1.name) }
        for symbol in list where places[symbol.name] == nil { places[symbol.name] = symbol.address }
    }

    /// The symbols of a file: an ELF file, or a System.map.
    public init(file: URL) throws(Complaint) {
        guard let data = try? Data(contentsOf: file) else { throw Complaint("\(file.path): this file cannot be read") }
        let bytes = [UInt8](data)
        guard let list = bytes.starts(with: ELFSymbols.magic) ? ELFSymbols.read(bytes) : Symbols.systemMap(bytes) else {
            throw Complaint("\(file.path) is neither an ELF file with symbols nor a System.map")
        }
        self.init(list)
    }

    /// Lines "ffffffff81000000 T _text".
    static func systemMap(_ bytes: [UInt8]) -> [(name: String, address: UInt64)]? {
        var list: [(String, UInt64)] = []
        for line in bytes.split(separator: 10) {
            let words = line.split(separator: 0x20)
            guard words.count >= 3, let address = UInt64(String(decoding: words[0], as: UTF8.self), radix: 16) else { return nil }
            // Absolute ones are offsets, of variables of each processor's for instance.
            guard words[1] != [0x41], words[1] != [0x61] else { continue }
            list.append((String(decoding: words[2], as: UTF8.self), address))
        }
        return list.isEmpty ? nil : list
    }

    /// Where the guest has a symbol.
    public func address(of name: String) -> UInt64? { places[name].map { $0 &+ slide } }

    /// All names, for completion.
    public var names: [String] { symbols.map(\.name) }

    /// The name of exactly this address.
    public func name(at address: UInt64) -> String? {
        guard let symbol = symbol(before: address &- slide), symbol.address == address &- slide else { return nil }
        return symbol.name
    }

    /// An address as a name and an offset: "main+0x10"; nil if it is not within 32 KiB after a symbol.
    public func words(_ address: UInt64) -> String? {
        let place = address &- slide
        guard let symbol = symbol(before: place), place - symbol.address < 1 << 15 else { return nil }
        return place == symbol.address ? symbol.name : "\(symbol.name)+0x\(String(place - symbol.address, radix: 16))"
    }

    /// An instruction's text with the names of the addresses in it.
    func annotated(_ text: String) -> String {
        guard !isEmpty, let start = text.range(of: "0x", options: .backwards) else { return text }
        let digits = text[start.upperBound...].prefix { $0.isHexDigit }
        guard let address = UInt64(digits, radix: 16), digits.count >= 5, let words = words(address) else { return text }
        return "\(text) <\(words)>"
    }

    private func symbol(before address: UInt64) -> Symbol? {
        var (low, high) = (0, symbols.count)
        while low < high {
            let middle = (low + high) / 2
            if symbols[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        // Of several at one address the first.
        var index = low - 1
        while index > 0, symbols[index - 1].address == symbols[index].address { index -= 1 }
        return symbols[index]
    }

    // MARK: Linux

    private static let pageFaultHandlers = ["asm_exc_page_fault", "page_fault", "async_page_fault"]

    /// They are Linux's, and where it is has not been found out.
    var mayMove: Bool { slide == 0 && Self.pageFaultHandlers.contains { places[$0] != nil } }

    /// Finds out where Linux has put itself: where its handler of page faults is by the guest's interrupt descriptor table.
    /// - Parameter handler: that handler's address; it is one of a 2-MiB-aligned slide away from where the file has it.
    public mutating func findSlide(pageFaultHandler handler: UInt64) {
        for name in Self.pageFaultHandlers {
            guard let place = places[name], (handler &- place) & 0x1F_FFFF == 0, handler >> 63 == 1 else { continue }
            slide = handler &- place
            return
        }
    }
}
