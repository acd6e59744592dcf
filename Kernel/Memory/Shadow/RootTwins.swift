/// Roots that the guest may load without an exit, as CR3-target values of the processor: CR3 then refers to a copy of the shadow
/// root, a *twin*, at the host-physical address that equals the guest's own CR3. There is one wherever the machine's memory at
/// that address is free. So a guest that reads CR3 finds its own value there, without an exit.
///
/// Intel SDM vol. 3, "CR3-Target Controls".
public struct RootTwins {
    /// Free memory of the machine; may be empty.
    private let window: HostPhysicalRange
    private let storage: UnsafeMutableRawPointer
    /// How many values the processor has room for.
    private let limit: Int
    private var values: [4 of UInt64] = [0, 0, 0, 0]
    private var count = 0
    private var oldest = 0
    /// Values for which there was no room: how many, and the last two.
    private var refusals: UInt8 = 0
    private var refused: UInt64 = 0
    private var refusedBefore: UInt64 = 0
    /// The values have changed since they were last taken.
    private var haveChanged = false

    /// - Parameters:
    ///   - window: whole pages that nothing else uses.
    ///   - storage: the same memory.
    ///   - limit: CR3-target values of the processor.
    public init(window: HostPhysicalRange, storage: UnsafeMutableRawPointer, limit: Int) {
        self.window = window
        self.storage = storage
        self.limit = limit < 4 ? limit : 4
    }

    /// Where the twin of a frame's shadow root goes; nil where that is not free.
    func twin(ofFrame frame: UInt64) -> UnsafeMutablePointer<UInt64>? {
        let address = frame << 12
        guard address >= window.start.rawValue, address < window.end.rawValue else { return nil }
        return (storage + Int(truncatingIfNeeded: address - window.start.rawValue)).assumingMemoryBound(to: UInt64.self)
    }

    func contains(_ value: UInt64) -> Bool {
        for index in 0..<count where values[index] == value { return true }
        return false
    }

    /// Adds a value. Where there is no room, it replaces the oldest, but only if it is in use: the guest loaded it before, and
    /// has since loaded at most one other that is not allowed; or in one of sixteen cases. With a guest that cycles through more
    /// address spaces than there are values, each would otherwise be replaced before its turn comes again.
    @inline(__always)
    mutating func add(_ value: UInt64) {
        if count == limit {
            let isInUse = value == refused || value == refusedBefore
            (refused, refusedBefore) = (value, refused)
            refusals &+= 1
            guard isInUse || refusals & 15 == 0 else { return }
        }
        replace(with: value)
    }

    @_optimize(speed)
    private mutating func replace(with value: UInt64) {
        guard limit > 0, !contains(value) else { return }
        haveChanged = true
        if count < limit {
            values[count] = value
            count += 1
        } else {
            values[oldest] = value
            oldest = oldest + 1 < limit ? oldest + 1 : 0
        }
    }

    /// Removes the values with a process-context identifier.
    mutating func remove(_ tag: UInt64) {
        var kept = 0
        for index in 0..<count where values[index] & 0xFFF != tag {
            values[kept] = values[index]
            kept += 1
        }
        if kept < count { (count, oldest, haveChanged) = (kept, 0, true) }
    }

    mutating func removeAll() {
        guard count > 0 else { return }
        (count, oldest, haveChanged) = (0, 0, true)
    }

    /// The values that the guest may load, if they have changed since the last call.
    public mutating func takeChange() -> (values: [4 of UInt64], count: Int)? {
        guard haveChanged else { return nil }
        haveChanged = false
        return (values, count)
    }
}
