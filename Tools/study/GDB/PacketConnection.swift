/// The line to one debugger: bytes in both directions.
public protocol DebugChannel: AnyObject {
    /// Waits for a byte and takes it; nil once the line is gone.
    func read() -> UInt8?

    func write(_ bytes: [UInt8])
}

/// Framing of GDB's remote protocol ("Overview" of the protocol in its manual): $content#checksum, acknowledged by + or
/// asked for again by - until the debugger does without; escapes; the break character.
struct PacketConnection {
    private let channel: any DebugChannel
    private var acknowledges = true
    /// The "$" of a packet has been taken from the line.
    private var isInPacket = false
    /// What was sent last; it stays until it is acknowledged.
    private var sent: [UInt8] = []

    /// The longest content of a packet.
    static var capacity: Int { 0x4000 }

    init(_ channel: any DebugChannel) { self.channel = channel }

    /// Packets are no longer acknowledged, in either direction.
    mutating func stopAcknowledging() { acknowledges = false }

    /// A byte that came while the guest runs.
    /// - Returns: whether it asks to stop the guest: the break character, or a packet, which is not allowed then.
    mutating func takesInterrupt(_ byte: UInt8) -> Bool {
        if byte == Mark.start { isInPacket = true }
        return byte == Mark.interrupt || byte == Mark.start
    }

    /// Tells a waiting debugger that a reply will come: each byte restarts its timeout.
    func askForPatience() { channel.write([Mark.acknowledgement]) }

    // MARK: Receiving

    enum Received {
        /// A packet's content, with the escapes undone.
        case packet([UInt8])
        /// It does not fit, or its checksum is wrong and it would not be resent.
        case unusable
        case gone
    }

    /// Waits for a packet.
    mutating func receive() -> Received {
        while true {
            if !isInPacket {
                guard let byte = channel.read() else { return .gone }
                switch byte {
                case Mark.start: isInPacket = true
                case Mark.refusal where acknowledges: channel.write(sent)
                default: break  // the break character too: the guest has stopped already
                }
                continue
            }
            guard let (content, isSound) = receiveFrame() else { return .gone }
            isInPacket = false
            guard isSound || !acknowledges else {
                channel.write([Mark.refusal])
                continue
            }
            if acknowledges { channel.write([Mark.acknowledgement]) }
            return isSound && content.count <= Self.capacity ? .packet(content) : .unusable
        }
    }

    /// Reads from after the "$" to the end of the checksum.
    /// - Returns: the content, truncated to its capacity, and whether its checksum is right; nil once the line is gone.
    private func receiveFrame() -> ([UInt8], Bool)? {
        var content: [UInt8] = []
        var sum: UInt8 = 0
        var isEscaped = false
        while let byte = channel.read() {
            switch byte {
            case Mark.end:
                guard let first = channel.read(), let second = channel.read() else { return nil }
                var digits = PacketReader([first, second])
                return (content, digits.byte() == sum)
            case Mark.start:  // the packet before it was never ended
                content = []
                sum = 0
                isEscaped = false
                continue
            default: break
            }
            sum &+= byte
            if byte == Mark.escape, !isEscaped {
                isEscaped = true
                continue
            }
            if content.count <= Self.capacity { content.append(isEscaped ? byte ^ 0x20 : byte) }
            isEscaped = false
        }
        return nil
    }

    // MARK: Sending

    /// Sends a packet, and waits until it has arrived where packets are acknowledged.
    mutating func send(_ content: PacketText) {
        let sum = content.bytes.reduce(UInt8(0), &+)
        sent = [Mark.start] + content.bytes + [Mark.end, PacketText.digit(sum >> 4), PacketText.digit(sum & 15)]
        channel.write(sent)
        guard acknowledges else { return }
        while let byte = channel.read() {
            switch byte {
            case Mark.acknowledgement: return
            case Mark.refusal: channel.write(sent)
            case Mark.start:  // a debugger that continues has received it
                isInPacket = true
                return
            default: break
            }
        }
    }

    private enum Mark {
        static var start: UInt8 { 0x24 }  // $
        static var end: UInt8 { 0x23 }  // #
        static var escape: UInt8 { 0x7D }  // }
        static var acknowledgement: UInt8 { 0x2B }  // +
        static var refusal: UInt8 { 0x2D }  // -
        static var interrupt: UInt8 { 0x03 }
    }
}
