import Machine
import Text

/// What the launcher reads on the second serial port, or the third: errors, backtraces, exit records, and the status with which
/// the kernel ends.
///
/// Only with report= on the command line; the console then keeps to the guest's output when the trace is off.
enum Report {
    /// - Parameter quietConsole: the console is the guest's alone.
    static func open(_ port: KernelOptions.Report = .com2, quietConsole: Bool) {
        let line = port == .com2 ? SerialLine.com2 : .com3
        line.open()
        Console.withLock { shared in
            shared.report = line
            shared.isQuiet = quietConsole
        }
    }

    private static var line: SerialLine? { Console.withLock { $0.report } }
    private static var isConsoleQuiet: Bool { Console.withLock { $0.isQuiet } }

    /// A panic may come before the command line was read, and while a line is being written.
    static func openForPanic() {
        Console.breakLock()
        if line == nil { open(quietConsole: false) }
    }

    /// Reports an error: on the console unless that is the guest's alone, and to the launcher.
    static func error(_ line: Line) {
        if !isConsoleQuiet { Console.print("martlet: error: \(line)") }
        send("error ", line)
    }

    /// Details of an error, on the same channels.
    static func detail(_ line: Line) {
        if isConsoleQuiet { send("error ", line) } else { Console.print(line) }
    }

    /// A return address of a backtrace, the innermost first.
    static func frame(_ address: UInt64) {
        send("frame ", "\(hex: address)")
    }

    /// How many records there are, so that the reader notices a missing one.
    static func records(_ count: UInt64) {
        send("records ", "\(count)")
    }

    static func status(_ status: Status) {
        send("status ", "\(status.number) \(status.words)")
    }

    /// An exit record, in base 64 (RFC 4648): its length needs no padding.
    static func record(_ bytes: UnsafeRawBufferPointer) {
        if line == nil { open(quietConsole: false) }
        write("record ") { serial in
            var position = 0
            while position + 2 < bytes.count {
                let group = UInt32(bytes[position]) << 16 | UInt32(bytes[position + 1]) << 8 | UInt32(bytes[position + 2])
                for shift: UInt32 in 0..<4 { serial.put(digit(group >> (18 - 6 * shift) & 63)) }
                position += 3
            }
        }
    }

    /// A digit of base 64: A to Z, a to z, 0 to 9, "+", "/".
    private static func digit(_ value: UInt32) -> UInt8 {
        switch UInt8(truncatingIfNeeded: value) {
        case let value where value < 26: 0x41 + value
        case let value where value < 52: 0x61 + value - 26
        case let value where value < 62: 0x30 + value - 52
        case 62: 0x2B
        default: 0x2F
        }
    }

    private static func send(_ kind: StaticString, _ line: Line) { write(kind) { put(line, $0) } }

    /// Writes a line, if anyone reads it.
    private static func write(_ kind: StaticString, _ rest: (SerialLine) -> Void) {
        Console.withLock { shared in
            guard let serial = shared.report else { return }
            put(Line(kind), serial)
            rest(serial)
            serial.put(0x0A)
            serial.drain()
        }
    }

    private static func put(_ line: Line, _ serial: SerialLine) {
        for position in 0..<line.count { serial.put(line[position]) }
    }
}
