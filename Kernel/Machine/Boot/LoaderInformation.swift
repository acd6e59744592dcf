import Memory

/// What a multiboot 1 or 2 loader hands over: command line, modules, memory map.
///
/// Everything is copied or noted at once, so that only the modules themselves depend on the loader's memory later.
public struct LoaderInformation<Memory: PhysicalMemory>: ~Copyable {
    /// One file that the loader put into memory, with its words.
    public struct Module: Sendable {
        public var range: HostPhysicalRange
        /// Offset and length in `text`.
        var words: Range<Int>
    }

    public enum Failure: Error, Equatable, Sendable {
        case notMultiboot(magic: UInt32)
        case noMemoryMap
        case tooManyModules
        case wordsTooLong
        case memoryMap(PhysicalMemoryMapError)
        case invalidModule(Int)
    }

    public static var moduleCapacity: Int { 33 }
    public static var textCapacity: Int { 8192 }

    private let memory: Memory
    public private(set) var moduleCount = 0
    private var modules: [33 of Module]
    private var text: [8192 of UInt8] = .init(repeating: 0)
    private var textCount = 0
    private var commandLineRange: Range<Int> = 0..<0
    private var quotesWords = false
    /// What the loader calls usable.
    public private(set) var map: PhysicalMemoryMap

    /// - Parameters:
    ///   - magic: what the loader left in EAX.
    ///   - address: of its information structure, from EBX.
    public init(
        magic: UInt32, address: UInt32, memory: Memory, physicalAddressWidth: Int
    ) throws(Failure) {
        self.memory = memory
        modules = .init(repeating: Module(range: HostPhysicalRange(start: .init(0), count: .zero), words: 0..<0))
        map = PhysicalMemoryMap(physicalAddressWidth: physicalAddressWidth)
        switch magic {
        case 0x2BAD_B002: try readMultiboot1(UInt64(address))
        case 0x36D7_6289: try readMultiboot2(UInt64(address))
        default: throw .notMultiboot(magic: magic)
        }
    }

    /// A module, from 0 up to `moduleCount`.
    public func module(_ index: Int) -> Module { modules[index] }

    /// Calls `body` with the command line.
    public func withCommandLine<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { withText(commandLineRange, body) }

    /// Calls `body` with the words of a module.
    public func withWords<Result>(of index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withText(modules[index].words, body)
    }

    private func withText<Result>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        text.span.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    // MARK: Reading the loader's memory

    private func word(_ address: UInt64) -> UInt32 { memory.readUInt32(at: HostPhysicalAddress(address)) }

    private func double(_ address: UInt64) -> UInt64 { UInt64(word(address)) | UInt64(word(address + 4)) << 32 }

    private func byte(_ address: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: word(address & ~3) >> (UInt32(address & 3) * 8))
    }

    /// Copies zero-terminated words, as a person typed them.
    ///
    /// GRUB wraps words with blanks in double quotes and puts a backslash before quotes and backslashes; both are removed.
    private mutating func copyWords(_ address: UInt64) throws(Failure) -> Range<Int> {
        let start = textCount
        var position = address
        while true {
            var byte = byte(position)
            if byte == 0 { break }
            position += 1
            if quotesWords {
                if byte == 0x22 { continue }
                let next = self.byte(position)
                if byte == 0x5C, next == 0x5C || next == 0x27 || next == 0x22 {
                    byte = next
                    position += 1
                }
            }
            guard textCount < Self.textCapacity else { throw .wordsTooLong }
            text[textCount] = byte
            textCount += 1
        }
        return start..<textCount
    }

    /// Whether a loader's name is GRUB's.
    private func isGRUB(_ name: UInt64) -> Bool {
        byte(name) == 0x47 && byte(name + 1) == 0x52 && byte(name + 2) == 0x55 && byte(name + 3) == 0x42
    }

    private mutating func addModule(start: UInt64, end: UInt64, words: UInt64) throws(Failure) {
        guard moduleCount < Self.moduleCapacity else { throw .tooManyModules }
        guard start <= end else { throw .invalidModule(moduleCount) }
        let range = HostPhysicalRange(start: HostPhysicalAddress(start), count: ByteCount(end - start))
        modules[moduleCount] = Module(range: range, words: words == 0 ? 0..<0 : try copyWords(words))
        moduleCount += 1
    }

    private mutating func addMapEntry(start: UInt64, count: UInt64, isUsable: Bool) throws(Failure) {
        do throws(PhysicalMemoryMapError) {
            if isUsable {
                try map.addUsable(HostPhysicalAddress(start), count: ByteCount(count))
            } else {
                try map.addUnusable(HostPhysicalAddress(start), count: ByteCount(count))
            }
        } catch {
            throw .memoryMap(error)
        }
    }

    // MARK: The two formats

    /// Multiboot Specification 0.6.96, 3.3 "Boot information format".
    private mutating func readMultiboot1(_ information: UInt64) throws(Failure) {
        let flags = word(information)
        if flags & MultibootFlags.loaderName != 0 { quotesWords = isGRUB(UInt64(word(information + 64))) }
        if flags & MultibootFlags.commandLine != 0 { commandLineRange = try copyWords(UInt64(word(information + 16))) }
        if flags & MultibootFlags.modules != 0 {
            let list = UInt64(word(information + 24))
            for index in 0..<UInt64(word(information + 20)) {
                let entry = list + 16 * index
                try addModule(
                    start: UInt64(word(entry)), end: UInt64(word(entry + 4)), words: UInt64(word(entry + 8)))
            }
        }
        guard flags & MultibootFlags.memoryMap != 0 else { throw .noMemoryMap }
        var entry = UInt64(word(information + 48))
        let end = entry + UInt64(word(information + 44))
        while entry < end {
            try addMapEntry(start: double(entry + 4), count: double(entry + 12), isUsable: word(entry + 20) == 1)
            entry += UInt64(word(entry)) + 4
        }
    }

    /// Multiboot2 Specification 2.0, 3.6 "Boot information format".
    private mutating func readMultiboot2(_ information: UInt64) throws(Failure) {
        let end = information + UInt64(word(information))
        quotesWords = findTag(MultibootTag.loaderName, from: information + 8, to: end).map { isGRUB($0 + 8) } ?? false
        var tag = information + 8
        var hasMap = false
        while tag + 8 <= end {
            let size = UInt64(word(tag + 4))
            switch word(tag) {
            case MultibootTag.end: tag = end
            case MultibootTag.commandLine: commandLineRange = try copyWords(tag + 8)
            case MultibootTag.module: try addModule(start: UInt64(word(tag + 8)), end: UInt64(word(tag + 12)), words: tag + 16)
            case MultibootTag.memoryMap:
                hasMap = true
                var entry = tag + 16
                let entrySize = UInt64(word(tag + 8))
                // The specification's minimum size, and alignment.
                guard entrySize >= 24, entrySize & 7 == 0 else { throw .noMemoryMap }
                while entry + 20 <= tag + size {
                    try addMapEntry(start: double(entry), count: double(entry + 8), isUsable: word(entry + 16) == 1)
                    entry += entrySize
                }
            default: break
            }
            tag += max((size + 7) & ~7, 8)
        }
        guard hasMap else { throw .noMemoryMap }
    }

    private func findTag(_ type: UInt32, from first: UInt64, to end: UInt64) -> UInt64? {
        var tag = first
        while tag + 8 <= end, word(tag) != 0 {
            if word(tag) == type { return tag }
            tag += max((UInt64(word(tag + 4)) + 7) & ~7, 8)
        }
        return nil
    }
}

/// The flags of multiboot 1 that say which fields the information has.
private enum MultibootFlags {
    static var commandLine: UInt32 { 1 << 2 }
    static var modules: UInt32 { 1 << 3 }
    static var memoryMap: UInt32 { 1 << 6 }
    static var loaderName: UInt32 { 1 << 9 }
}

/// The types of multiboot 2's tags.
private enum MultibootTag {
    static var end: UInt32 { 0 }
    static var commandLine: UInt32 { 1 }
    static var loaderName: UInt32 { 2 }
    static var module: UInt32 { 3 }
    static var memoryMap: UInt32 { 6 }
}
