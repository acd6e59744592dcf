import Memory

// The packets m, M, X, Z and z: memory by linear addresses, breakpoints in it and watches of it.

extension GDBServer {
    /// The bytes that a packet speaks of.
    private struct MemoryRange {
        let address: GuestVirtualAddress
        let length: UInt64
    }

    /// "address,length"; nil for anything else.
    private func range(_ packet: inout PacketReader) -> MemoryRange? {
        guard let address = packet.number(), packet.take(","), let length = packet.number() else { return nil }
        return MemoryRange(address: GuestVirtualAddress(address), length: length)
    }

    /// Reads as much as fits in the reply, up to the first byte that is not there.
    mutating func readMemory(_ packet: inout PacketReader, of target: inout some DebugTarget) -> Answer {
        guard let range = range(&packet), packet.isAtEnd else { return fail(.malformed) }
        var page = LinearPage(selected)
        var offset: UInt64 = 0
        while offset < range.length, connection.reply.room >= 2 {
            guard let place = page.locate(range.address.advanced(by: ByteCount(offset)), in: &target),
                let byte = breakpoints.readByte(at: place, in: &target)
            else { return offset > 0 ? .reply : fail(.noMemory) }
            connection.reply.write(hexByte: byte)
            offset += 1
        }
        return .reply
    }

    /// Writes all bytes, or none of them if one has no place.
    mutating func writeMemory(
        _ packet: inout PacketReader, isBinary: Bool, of target: inout some DebugTarget
    ) -> Answer {
        guard let range = range(&packet), packet.take(":"),
            UInt64(packet.count) == (isBinary ? range.length : range.length &* 2), range.length <= UInt64(connection.capacity)
        else { return fail(.malformed) }
        if !isBinary {
            var digits = packet
            while !digits.isAtEnd { guard digits.byte() != nil else { return fail(.malformed) } }
        }
        var page = LinearPage(selected)
        for offset in 0..<range.length {
            guard let place = page.locate(range.address.advanced(by: ByteCount(offset)), in: &target),
                target.readByte(at: place) != nil
            else { return fail(.noMemory) }
        }
        for offset in 0..<range.length {
            guard let byte = isBinary ? packet.next() : packet.byte(),
                let place = page.locate(range.address.advanced(by: ByteCount(offset)), in: &target),
                breakpoints.writeByte(byte, at: place, in: &target)
            else { return fail(.noMemory) }
        }
        return succeed()
    }

    /// "type,address,kind"; conditions and commands for the target to evaluate are not taken.
    mutating func changeBreakpoint(
        _ packet: inout PacketReader, isInsertion: Bool, of target: inout some DebugTarget
    ) -> Answer {
        guard let type = packet.number(), packet.take(","), let range = range(&packet), packet.isAtEnd else {
            return fail(.malformed)
        }
        guard type > 0 else {
            guard isInsertion else {
                breakpoints.remove(at: range.address, in: &target)
                return succeed()
            }
            switch breakpoints.insert(at: range.address, of: selected, in: &target) {
            case .done: return succeed()
            case .noMemory: return fail(.noMemory)
            case .full: return fail(.noRoom)
            }
        }
        guard let kind = UInt8(exactly: type).flatMap({ DebugWatch.Kind(rawValue: $0) }) else { return .reply }
        let watch = DebugWatch(kind, at: range.address, length: range.length)
        switch isInsertion ? target.insert(watch) : target.remove(watch) {
        case .done: return succeed()
        case .unsupported: return .reply
        case .refused: return fail(.noRoom)
        }
    }
}

/// Translates linear addresses one after the other, each page of 4 KiB once.
private struct LinearPage {
    private let thread: UInt32
    private var first: GuestVirtualAddress?
    private var frame = GuestPhysicalAddress(0)

    init(_ thread: UInt32) { self.thread = thread }

    mutating func locate(_ address: GuestVirtualAddress, in target: inout some DebugTarget) -> GuestPhysicalAddress? {
        let start = address.alignedDown(to: .fourKibibytes)
        if first != start {
            guard let found = target.translate(start, of: thread) else { return nil }
            first = start
            frame = found
        }
        return frame.advanced(by: address.offset(in: .fourKibibytes))
    }
}
