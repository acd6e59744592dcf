/// A cache of numbers in sets, of which each drops what was not used for longest.
struct RecentlyUsed {
    private var sets: [[UInt64]]
    private let ways: Int

    /// - Parameters:
    ///   - entries: all of them; 0 for a cache that holds nothing.
    ///   - ways: entries of a set; a divisor of all.
    init(entries: Int, ways: Int) {
        precondition(entries == 0 || ways > 0 && entries % ways == 0)
        self.ways = ways
        sets = Array(repeating: [], count: entries == 0 ? 0 : entries / ways)
    }

    private func set(of number: UInt64) -> Int { Int(number % UInt64(sets.count)) }

    /// Whether a number is there, which is a use of it.
    mutating func contains(_ number: UInt64) -> Bool {
        guard !sets.isEmpty else { return false }
        let set = set(of: number)
        guard let place = sets[set].lastIndex(of: number) else { return false }
        sets[set].append(sets[set].remove(at: place))
        return true
    }

    /// Adds a number that is not there.
    mutating func insert(_ number: UInt64) {
        guard !sets.isEmpty else { return }
        let set = set(of: number)
        if sets[set].count == ways { sets[set].removeFirst() }
        sets[set].append(number)
    }

    mutating func removeAll() {
        for set in sets.indices { sets[set].removeAll(keepingCapacity: true) }
    }
}
