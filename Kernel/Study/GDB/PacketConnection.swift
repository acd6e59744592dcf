/// Framing of GDB's remote protocol ("Overview" of the protocol in its manual): $content#checksum, acknowledged by + or
/// asked for again by - until the debugger does without; escapes; the break character.
///
/// The caller's memory holds one packet of each direction. Every loop here ends with a byte that the debugger sends, or with
/// the line.
struct PacketConnection: ~Copyable {
    private let incoming: UnsafeMutableRawBufferPointer
    /// What is sent next; it stays until it is acknowledged.
    var reply: PacketWriter
    private var acknowledges = true
    /// The "$" of a packet has been taken from the line.
    private var isInPacket = false

    /// The longest content of a packet.
    let capacity: Int

    /// - Parameter memory: half of it is for each direction.
    init(_ memory: UnsafeMutableRawBufferPointer) {
        capacity = memory.count / 2
        incoming = .init(rebasing: memory[..<capacity])
        reply = PacketWriter(.init(rebasing: memory[capacity..<2 * capacity]))
    }

    /// Packets are no longer acknowledged, in either direction.
    mutating func stopAcknowledging() { acknowledges = false }

    /// As for a debugger that has not said anything yet.
    mutating func reset() { acknowledges = true }

    /// A byte that came while the guest runs.
    /// - Returns: whether it asks for the guest's stop.
    mutating func takesInterrupt(_ byte: UInt8) -> DebuggerWish {
        switch byte {
        case Mark.interrupt: return .stop
        case Mark.start:
            isInPacket = true
            return .attention
        case Mark.acknowledgement:
            // Only a new debugger sends it: there is nothing to be acknowledged.
            acknowledges = true
            return .nothing
        default: return .nothing
        }
    }

    enum DebuggerWish { case nothing, stop, attention }

    // MARK: Receiving

    /// Waits for a packet.
    /// - Returns: its content with the escapes undone; nil for one that is too long, or once the line is gone (`isGone`).
    mutating func receive(over channel: inout some DebugChannel) -> Received {
        while true {
            if !isInPacket {
                guard let byte = channel.read() else { return .gone }
                switch byte {
                case Mark.start: isInPacket = true
                case Mark.refusal where acknowledges: transmit(over: &channel)
                case Mark.acknowledgement: acknowledges = true  // without acknowledgements, only a new debugger sends it
                default: break  // the break character too: the guest has stopped already
                }
                continue
            }
            switch receiveFrame(over: &channel) {
            case .gone: return .gone
            case .abandoned: continue
            case .whole(let length, let isSound):
                guard isSound || !acknowledges else {
                    channel.write(Mark.refusal)
                    continue
                }
                if acknowledges { channel.write(Mark.acknowledgement) }
                guard isSound, let length else { return .unusable }
                return .packet(.init(rebasing: incoming[..<length]))
            }
        }
    }

    enum Received {
        case packet(UnsafeRawBufferPointer)
        /// It does not fit, or its checksum is wrong and nobody would send it again.
        case unusable
        case gone
    }

    private enum Frame {
        /// - Parameters:
        ///   - length: nil for a content that does not fit.
        ///   - isSound: its checksum is right.
        case whole(length: Int?, isSound: Bool)
        /// The debugger went away in it, and another is there.
        case abandoned
        case gone
    }

    /// Reads from behind the "$" to behind the checksum.
    ///
    /// A connection may be dropped anywhere in it. The next debugger begins with "+$": the packet begins anew then, and is
    /// acknowledged.
    private mutating func receiveFrame(over channel: inout some DebugChannel) -> Frame {
        var length = 0
        var sum: UInt8 = 0
        var isEscaped = false
        var fits = true
        var last = Mark.start
        while true {
            guard let byte = channel.read() else { return .gone }
            switch byte {
            case Mark.end: return receiveChecksum(of: fits ? length : nil, sum, over: &channel)
            case Mark.start:  // the packet before it was never ended
                if last == Mark.acknowledgement { acknowledges = true }
                length = 0
                sum = 0
                isEscaped = false
                fits = true
                continue
            default: break
            }
            last = byte
            sum &+= byte
            if byte == Mark.escape, !isEscaped {
                isEscaped = true
                continue
            }
            if length < incoming.count {
                incoming[length] = isEscaped ? byte ^ 0x20 : byte
                length += 1
            } else {
                fits = false
            }
            isEscaped = false
        }
    }

    /// Reads the two digits behind the "#".
    private mutating func receiveChecksum(
        of length: Int?, _ sum: UInt8, over channel: inout some DebugChannel
    ) -> Frame {
        guard let first = channel.read() else { return .gone }
        if let end = abandon(at: first) { return end }
        guard let second = channel.read() else { return .gone }
        if let end = abandon(at: second) { return end }
        isInPacket = false
        let sent = withUnsafeBytes(of: (first, second)) { digits in
            var reader = PacketReader(digits)
            return reader.byte()
        }
        return .whole(length: length, isSound: sent == sum)
    }

    /// What is no digit begins another debugger's first packet.
    private mutating func abandon(at byte: UInt8) -> Frame? {
        guard byte == Mark.acknowledgement || byte == Mark.start else { return nil }
        if byte == Mark.acknowledgement { acknowledges = true }
        isInPacket = byte == Mark.start
        return .abandoned
    }

    /// The bytes that the rest of the packet spells in hexadecimal digits; they take its place.
    mutating func decodeHex(_ packet: inout PacketReader) -> UnsafeRawBufferPointer? {
        var length = 0
        while !packet.isAtEnd {
            guard let byte = packet.byte() else { return nil }
            incoming[length] = byte  // never beyond what has been read
            length += 1
        }
        return .init(rebasing: incoming[..<length])
    }

    // MARK: Sending

    /// Sends the reply, and waits until it has arrived where packets are acknowledged.
    mutating func send(over channel: inout some DebugChannel) {
        transmit(over: &channel)
        guard acknowledges else { return }
        while let byte = channel.read() {
            switch byte {
            case Mark.acknowledgement: return
            case Mark.refusal: transmit(over: &channel)
            case Mark.start:  // a debugger that goes on has got it
                isInPacket = true
                return
            default: break
            }
        }
    }

    private func transmit(over channel: inout some DebugChannel) {
        var sum: UInt8 = 0
        channel.write(Mark.start)
        for byte in reply.bytes {
            channel.write(byte)
            sum &+= byte
        }
        channel.write(Mark.end)
        channel.write(Self.digit(sum >> 4))
        channel.write(Self.digit(sum & 15))
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    private enum Mark {
        static var start: UInt8 { 0x24 }  // $
        static var end: UInt8 { 0x23 }  // #
        static var escape: UInt8 { 0x7D }  // }
        static var acknowledgement: UInt8 { 0x2B }  // +
        static var refusal: UInt8 { 0x2D }  // -
        static var interrupt: UInt8 { 0x03 }
    }
}
