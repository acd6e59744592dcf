import Debug
import Memory

/// Words of an address space that the agent has read: tables, of which most entries are zero and cost next to nothing.
final class WordCache {
    /// How many words are asked for at a time, and how many where they are asked for in order.
    private static var fewWords: UInt64 { 16 }
    private static var manyWords: UInt64 { 128 }

    private let connection: GuestConnection
    private let space: AddressSpace
    private var known: [UInt64: UInt64] = [:]
    private var lastEnd: UInt64?

    init(_ connection: GuestConnection, _ space: AddressSpace) {
        self.connection = connection
        self.space = space
    }

    /// The word at an address, a multiple of 8; nil where there is no memory.
    func word(at address: UInt64) -> UInt64? {
        if let word = known[address] { return word }
        let count = address == lastEnd ? Self.manyWords : Self.fewWords
        let start = address & ~(8 * count - 1)
        fetch(start, count)
        lastEnd = start &+ 8 * count
        return known[address]
    }

    private func fetch(_ address: UInt64, _ count: UInt64) {
        guard let answer = try? connection.ask(.readWords(space, address: address, count: UInt16(count))) else { return }
        answer.withReader { reader in
            // Where memory ends, so do the words.
            guard MemoryAnswer(&reader) != nil else { return }
            var words = WordGroups(reader)
            for offset in 0..<count {
                guard let word = words.next() else { return }
                known[address &+ 8 * offset] = word
            }
        }
    }
}

/// The guest's RAM as its page tables are read. No accessed or dirty bit is set.
struct GuestTables: GuestTableMemory {
    private let words: WordCache

    init(_ words: WordCache) { self.words = words }

    func readUInt64(at address: GuestPhysicalAddress) -> UInt64? { words.word(at: address.rawValue) }

    func readUInt32(at address: GuestPhysicalAddress) -> UInt32? {
        words.word(at: address.rawValue & ~7).map { UInt32(truncatingIfNeeded: $0 >> (8 * (address.rawValue & 4))) }
    }

    func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) {}
}

/// The machine's memory as the extended page tables are read. Nothing can be changed.
struct HostTables: PhysicalMemory {
    private let words: WordCache

    init(_ words: WordCache) { self.words = words }

    func readUInt64(at address: HostPhysicalAddress) -> UInt64 { words.word(at: address.rawValue) ?? 0 }
    func readUInt32(at address: HostPhysicalAddress) -> UInt32 {
        UInt32(truncatingIfNeeded: readUInt64(at: HostPhysicalAddress(address.rawValue & ~7)) >> (8 * (address.rawValue & 4)))
    }
    func writeUInt64(_ value: UInt64, at address: HostPhysicalAddress) {}
    func writeUInt32(_ value: UInt32, at address: HostPhysicalAddress) {}
    func compareExchange(at address: HostPhysicalAddress, expected: UInt64, desired: UInt64) -> Bool { false }
}
