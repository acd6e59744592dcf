import Memory

/// The instruction INT3 in the place of other instructions' first bytes, in the guest's memory.
///
/// A breakpoint belongs to the byte of RAM that its linear address led to when it was set: it is lifted there although the
/// guest may have gone to other page tables by then, and it is hidden from the debugger at every linear address that
/// leads there. The guest itself can see it, as under any debugger.
struct SoftwareBreakpoints: ~Copyable {
    static var capacity: Int { 64 }
    private static var instruction: UInt8 { 0xCC }

    private struct Place {
        var linear: GuestVirtualAddress
        var physical: GuestPhysicalAddress
        /// What the guest has there.
        var byte: UInt8
    }

    private var places: [64 of Place]
    private(set) var count = 0

    init() {
        places = .init(repeating: Place(linear: .init(0), physical: .init(0), byte: 0))
    }

    /// Sets a breakpoint; one that is there already stays as it is.
    mutating func insert(
        at linear: GuestVirtualAddress, of thread: UInt32, in target: inout some DebugTarget
    ) -> Insertion {
        guard let physical = target.translate(linear, of: thread), let byte = target.readByte(at: physical) else {
            return .noMemory
        }
        for position in 0..<count where places.span[position].physical == physical {
            if places.span[position].linear == linear { return .done }
        }
        guard count < Self.capacity else { return .full }
        var place = Place(linear: linear, physical: physical, byte: byte)
        if let other = position(of: physical) {  // at another linear address that leads there
            place.byte = places.span[other].byte
        } else {
            guard target.writeByte(Self.instruction, at: physical) else { return .noMemory }
        }
        places[count] = place
        count += 1
        return .done
    }

    enum Insertion { case done, noMemory, full }

    /// Lifts the breakpoints that were set at a linear address: more than one if it led to different places.
    mutating func remove(at linear: GuestVirtualAddress, in target: inout some DebugTarget) {
        var position = 0
        while position < count {
            if places.span[position].linear == linear { lift(position, in: &target) } else { position += 1 }
        }
    }

    mutating func removeAll(in target: inout some DebugTarget) {
        while count > 0 { lift(count - 1, in: &target) }
    }

    /// Gives the guest its byte back, unless it has written there itself.
    private mutating func lift(_ position: Int, in target: inout some DebugTarget) {
        let place = places.span[position]
        count -= 1
        let last = places.span[count]
        places[position] = last
        if self.position(of: place.physical) == nil, target.readByte(at: place.physical) == Self.instruction {
            _ = target.writeByte(place.byte, at: place.physical)
        }
    }

    /// Reads a byte as it is without breakpoints.
    func readByte(at address: GuestPhysicalAddress, in target: inout some DebugTarget) -> UInt8? {
        let byte = target.readByte(at: address)
        guard byte == Self.instruction, let position = position(of: address) else { return byte }
        return places.span[position].byte
    }

    /// Writes a byte under the breakpoint, if there is one.
    mutating func writeByte(_ byte: UInt8, at address: GuestPhysicalAddress, in target: inout some DebugTarget) -> Bool {
        guard position(of: address) != nil, target.readByte(at: address) == Self.instruction else {
            return target.writeByte(byte, at: address)
        }
        for position in 0..<count where places.span[position].physical == address { places[position].byte = byte }
        return true
    }

    /// Whether there is one of ours at a place in memory.
    func contains(_ address: GuestPhysicalAddress) -> Bool { position(of: address) != nil }

    private func position(of address: GuestPhysicalAddress) -> Int? {
        let places = places.span
        for position in 0..<count where places[position].physical == address { return position }
        return nil
    }
}
