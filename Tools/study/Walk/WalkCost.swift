import Memory
import Text
import VMX

/// What a walk loaded: for each entry of the guest's its size and the loads of the EPT before it, and those for the page at
/// the end.
struct WalkCost {
    private var shifts = InlineArray<5, UInt8>(repeating: 0)
    /// The last is for the page itself.
    private var nestedLoads = InlineArray<6, UInt8>(repeating: 0)
    private var entryCount = 0

    mutating func beginTranslation() {
        if entryCount < 6 { nestedLoads[entryCount] = 0 }
    }

    mutating func countNestedLoad() {
        if entryCount < 6 { nestedLoads[entryCount] &+= 1 }
    }

    mutating func countGuestEntry(shift: UInt64) {
        guard entryCount < 5 else { return }
        shifts[entryCount] = UInt8(truncatingIfNeeded: shift)
        entryCount += 1
    }

    /// The loads of a walk like this one that comes to its page by guest entries that cover 2^shift bytes and more, and
    /// makes at most `limit` loads of the EPT for each translation; the access itself is counted too.
    func loads(guestShift: UInt64 = 12, limit: Int = 5) -> Int {
        var sum = min(Int(nestedLoads[entryCount]), limit) + 1
        for index in 0..<entryCount where UInt64(shifts[index]) >= guestShift {
            sum += min(Int(nestedLoads[index]), limit) + 1
        }
        return sum
    }

    /// The count, and what larger pages would make of it.
    func report(_ paging: GuestPaging, _ format: EPTFormat, to print: (Line) -> Void) {
        let all = loads()
        print("\(count: all - 1, "load"), and the access itself: \(all)")
        var guest = Options("  with larger pages in the guest:", all)
        var guestShift: UInt64 = 12
        if entryCount > 0 {
            for shift in UInt8(21)...30 {
                guard let size = PageSize(rawValue: shift), offers(size, paging) else { continue }
                guest.add(size, loads(guestShift: size.shift))
                guestShift = size.shift
            }
        }
        var nested = Options("  with larger pages in the EPT:", all)
        var limit = 5
        for level in 2...3 {
            guard let size = PageSize(level: level), format.leafSizes.contains(size) else { continue }
            limit = format.levelCount + 1 - level
            nested.add(size, loads(limit: limit))
        }
        if guest.hasAny { print(guest.line) }
        if nested.hasAny { print(nested.line) }
        if guest.hasAny, nested.hasAny {
            print("  with the largest in both: \(loads(guestShift: guestShift, limit: limit))")
        }
    }

    private func offers(_ size: PageSize, _ paging: GuestPaging) -> Bool {
        switch size {
        case .fourKibibytes: false
        case .twoMebibytes: paging.mode != .bits32
        case .fourMebibytes: paging.mode == .bits32
        case .oneGibibyte: paging.hasGibibytePages && (paging.mode == .fourLevel || paging.mode == .fiveLevel)
        }
    }

    /// A line with the sizes that make a walk shorter.
    private struct Options {
        var line: Line
        let all: Int
        var hasAny = false

        init(_ heading: Line, _ all: Int) {
            line = heading
            self.all = all
        }

        mutating func add(_ size: PageSize, _ count: Int) {
            guard count < all else { return }
            line.write(hasAny ? ", " : " ")
            line.write("\(size) \(count)" as Line)
            hasAny = true
        }
    }
}
