/// The stops by their places, which are their numbers less one.
///
/// It is large, and reading is `mutating` so that it happens in place: a merely borrowed value is copied at each use.
struct StopTable: ~Copyable {
    private var kinds: [16 of Stop.Kind?] = .init(repeating: nil)
    private var conditions: [16 of StopCondition?] = .init(repeating: nil)
    /// Those that are reported afterwards, one bit each.
    private var toldAfterwards: UInt16 = 0

    /// Nil for a place without a stop.
    @inline(never)
    mutating func kind(_ index: Int) -> Stop.Kind? {
        guard (0..<Stop.capacity).contains(index) else { return nil }
        return withUnsafeMutableBytes(of: &kinds) { $0.assumingMemoryBound(to: Stop.Kind?.self)[index] }
    }

    func isToldAfterwards(_ index: Int) -> Bool { toldAfterwards >> UInt16(index) & 1 != 0 }

    /// The watch of a stop, if it is one.
    mutating func watch(_ index: Int) -> MemoryWatch? {
        guard case .memory(let watch)? = kind(index) else { return nil }
        return watch
    }

    @inline(never)
    mutating func stop(_ index: Int) -> Stop? {
        guard let kind = kind(index) else { return nil }
        let condition = withUnsafeMutableBytes(of: &conditions) { $0.assumingMemoryBound(to: StopCondition?.self)[index] }
        return Stop(kind, condition, isToldAfterwards: isToldAfterwards(index))
    }

    /// Whether a stop's condition holds, if it has one.
    @inline(never)
    mutating func conditionHolds(_ index: Int, _ value: (StopCondition.Operand.Source) -> UInt64) -> Bool {
        stop(index)?.condition?.holds(value) ?? true
    }

    @inline(never)
    mutating func set(_ index: Int, to stop: Stop) {
        kinds[index] = stop.kind
        conditions[index] = stop.condition
        toldAfterwards &= ~(1 << UInt16(index))
        if stop.isToldAfterwards { toldAfterwards |= 1 << UInt16(index) }
    }

    @inline(never)
    mutating func clear(_ index: Int) {
        kinds[index] = nil
        conditions[index] = nil
    }
}
