/// The instruction INT3 in the place of other instructions' first bytes, in the guest's memory.
///
/// A breakpoint belongs to the byte of RAM that its linear address led to when it was set: it is lifted there although the
/// guest may have gone to other page tables by then, and it is hidden from the debugger at every linear address that
/// leads there. The guest itself can see it, as under any debugger.
struct SoftwareBreakpoints {
    static var instruction: UInt8 { 0xCC }

    struct Place: Equatable {
        var linear: UInt64
        var physical: UInt64
        /// What the guest has there.
        var byte: UInt8
    }

    private(set) var places: [Place] = []

    var isEmpty: Bool { places.isEmpty }

    func contains(linear: UInt64, physical: UInt64) -> Bool { places.contains { $0.physical == physical && $0.linear == linear } }

    /// What the guest has at a place where a breakpoint is; nil where there is none.
    func byte(at physical: UInt64) -> UInt8? { places.first { $0.physical == physical }?.byte }

    mutating func insert(_ place: Place) { places.append(place) }

    /// Takes those away that were set at a linear address, more than one if it led to different places; all for nil.
    /// - Returns: the places in memory where none is left.
    mutating func remove(linear: UInt64?) -> [Place] {
        let removed = places.filter { linear == nil || $0.linear == linear }
        places.removeAll { linear == nil || $0.linear == linear }
        return removed.filter { byte(at: $0.physical) == nil }
    }

    /// What was written under a breakpoint.
    mutating func set(_ byte: UInt8, at physical: UInt64) {
        for index in places.indices where places[index].physical == physical { places[index].byte = byte }
    }
}
