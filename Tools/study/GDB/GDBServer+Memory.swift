// The packets m, M, X, Z and z: memory by linear addresses, breakpoints in it and watches of it.

extension GDBServer {
    /// "address,length"; nil for anything else.
    private func range(_ packet: inout PacketReader) -> (address: UInt64, length: UInt64)? {
        guard let address = packet.number(), packet.take(","), let length = packet.number() else { return nil }
        return (address, length)
    }

    /// Reads as much as fits in the reply, up to the first byte that is not there.
    func readMemory(_ packet: inout PacketReader) -> Answer {
        guard let range = range(&packet), packet.isAtEnd else { return .failure(.malformed) }
        let count = Int(min(range.length, UInt64(PacketConnection.capacity / 2)))
        let bytes = target.read(count, at: range.address, of: selected)
        guard !bytes.isEmpty || count == 0 else { return .failure(.noMemory) }
        var reply = PacketText()
        for byte in bytes { reply.write(hexByte: byte) }
        return .reply(reply)
    }

    /// Writes all bytes, or none of them if one has no place.
    func writeMemory(_ packet: inout PacketReader, isBinary: Bool) -> Answer {
        guard let range = range(&packet), packet.take(":"),
            let bytes = isBinary ? packet.rest() : packet.hexBytes(), UInt64(bytes.count) == range.length
        else { return .failure(.malformed) }
        return bytes.isEmpty || target.write(bytes, at: range.address, of: selected) ? .success : .failure(.noMemory)
    }

    /// "type,address,kind"; conditions and commands for the target to evaluate are not taken.
    func changeBreakpoint(_ packet: inout PacketReader, isInsertion: Bool) -> Answer {
        guard let type = packet.number(), packet.take(","), let range = range(&packet), packet.isAtEnd else {
            return .failure(.malformed)
        }
        guard let kind = UInt8(exactly: type).flatMap({ DebugWatch.Kind(rawValue: $0) }) else { return .unknown }
        // What GDB calls the length of an instruction's breakpoint is its kind.
        let watch = DebugWatch(kind, at: range.address, length: kind == .software || kind == .execute ? 1 : range.length)
        switch isInsertion ? target.insert(watch) : target.remove(watch) {
        case .done: return .success
        case .unsupported: return .unknown
        case .noMemory: return .failure(.noMemory)
        case .refused: return .failure(.noRoom)
        }
    }
}
