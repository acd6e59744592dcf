/// An AT keyboard that nobody types on (IBM PS/2 technical reference, "Keyboard: Commands from the System"): it answers
/// commands.
struct Keyboard: Equatable, Sendable {
    private static var acknowledge: UInt8 { 0xFA }
    private static var resend: UInt8 { 0xFE }

    /// Up to eight bytes on their way to the controller, the first one lowest.
    private var queue: UInt64 = 0
    private var count: UInt64 = 0
    private var last: UInt8 = 0
    /// The command whose argument comes next; 0 if none.
    private var command: UInt8 = 0
    private var scanCodeSet: UInt8 = 2

    init() {}

    var hasNext: Bool { count > 0 }

    mutating func next() -> UInt8? {
        guard count > 0 else { return nil }
        count &-= 1
        last = UInt8(truncatingIfNeeded: queue)
        queue >>= 8
        return last
    }

    private mutating func send(_ byte: UInt8) {
        guard count < 8 else { return }
        queue |= UInt64(byte) << (count * 8)
        count &+= 1
    }

    mutating func receive(_ byte: UInt8) {
        let pending = command
        command = 0
        // A command where an argument should be replaces the pending one.
        if pending != 0 && byte < 0xED { return receiveArgument(byte, of: pending) }
        receiveCommand(byte)
    }

    private mutating func receiveArgument(_ byte: UInt8, of command: UInt8) {
        guard command != 0xF0 || byte <= 3 else { return send(Self.resend) }
        send(Self.acknowledge)
        guard command == 0xF0 else { return }
        if byte == 0 { send(scanCodeSet) } else { scanCodeSet = byte }
    }

    private mutating func receiveCommand(_ byte: UInt8) {
        // Any pending answers to earlier ones are dropped.
        (queue, count) = (0, 0)
        switch byte {
        case 0xED, 0xF0, 0xF3:  // lights, scan code set, typing rate
            command = byte
            send(Self.acknowledge)
        case 0xEE: send(0xEE)
        case 0xF2:
            send(Self.acknowledge)
            send(0xAB)
            send(0x83)
        case 0xF5, 0xF6: restoreDefaults()
        case 0xF4, 0xF7...0xFA: send(Self.acknowledge)  // enable; how keys repeat
        case 0xFE: send(last)
        case 0xFF:
            restoreDefaults()
            send(0xAA)  // the self-test passed
        default: send(Self.resend)
        }
    }

    private mutating func restoreDefaults() {
        scanCodeSet = 2
        send(Self.acknowledge)
    }
}
