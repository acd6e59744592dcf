import Machine
import Text

/// What the launcher reads on the second serial port, or the third: errors, backtraces, exit records, and the status in which the kernel
/// ends.
///
/// Only with report= on the command line; the console then keeps to the guest's output when the trace is off.
enum Report {
    nonisolated(unsafe) private static var isOpen = false
    /// The console is the guest's alone.
    nonisolated(unsafe) private static var isConsoleQuiet = false

    nonisolated(unsafe) private static var serial = SerialLine.com2

    /// - Parameter quietConsole: the console is the guest's alone.
    static func open(_ port: KernelOptions.Report = .com2, quietConsole: Bool) {
        serial = port == .com2 ? .com2 : .com3
        serial.open()
        isOpen = true
        isConsoleQuiet = quietConsole
    }

    /// A panic may come before the command line was read.
    static func openForPanic() {
        if !isOpen { open(quietConsole: false) }
    }

    /// Says what went wrong: on the console unless it is the guest's alone, and to the launcher.
    static func error(_ line: Line) {
        if !isConsoleQuiet { Console.print("martlet: error: \(line)") }
        send("error ", line)
    }

    /// What belongs to an error: on the same ways.
    static func detail(_ line: Line) {
        if isConsoleQuiet { send("error ", line) } else { Console.print(line) }
    }

    /// A return address of a backtrace, the innermost first.
    static func frame(_ address: UInt64) {
        send("frame ", "\(hex: address)")
    }

    static func status(_ status: Status) {
        send("status ", "\(status.number) \(status.words)")
    }

    /// An exit record, in base 64 (RFC 4648): its length needs no padding.
    static func record(_ bytes: UnsafeRawBufferPointer) {
        if !isOpen { open(quietConsole: false) }
        put("record " as Line)
        var position = 0
        while position + 2 < bytes.count {
            let group = UInt32(bytes[position]) << 16 | UInt32(bytes[position + 1]) << 8 | UInt32(bytes[position + 2])
            for shift: UInt32 in 0..<4 { serial.put(digit(group >> (18 - 6 * shift) & 63)) }
            position += 3
        }
        serial.put(0x0A)
        serial.drain()
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

    private static func send(_ kind: StaticString, _ line: Line) {
        guard isOpen else { return }
        put(Line(kind))
        put(line)
        serial.put(0x0A)
        serial.drain()
    }

    private static func put(_ line: Line) {
        for position in 0..<line.count { serial.put(line[position]) }
    }
}

/// How a run ended, as the launcher's exit status.
enum Status: Equatable {
    /// In order, without a value.
    case ended
    /// By the debug-exit port.
    case guestValue(UInt32)
    case badUsage
    case badImage
    case missingFeature
    case failedEntry
    case tripleFault
    case panic
    case unsupported
    /// It left no note within its limit.
    case overdue
    case selfTestFailed

    /// The guest's own are odd, as QEMU's isa-debug-exit makes them; Martlet's are even.
    var number: UInt32 {
        switch self {
        case .ended: 0
        case .guestValue(let value): (value << 1 | 1) & 0xFF
        case .badUsage: 2
        case .badImage: 4
        case .missingFeature: 6
        case .failedEntry: 8
        case .tripleFault: 10
        case .panic: 12
        case .overdue: 14
        case .unsupported: 16
        case .selfTestFailed: 20
        }
    }

    /// The guest ended as it is meant to.
    var isSuccess: Bool { self == .ended || self == .guestValue(0) }

    /// The guest ran, and brought its end about itself.
    var isOfGuest: Bool {
        switch self {
        case .ended, .guestValue, .tripleFault, .unsupported, .overdue: true
        default: false
        }
    }

    var words: StaticString {
        switch self {
        case .ended: "the guest ended in order"
        case .guestValue: "the guest wrote its value to the debug-exit port"
        case .badUsage: "bad usage"
        case .badImage: "bad guest image"
        case .missingFeature: "no VMX or a missing feature"
        case .failedEntry: "a VM entry failed"
        case .tripleFault: "the guest triple-faulted"
        case .panic: "panic"
        case .unsupported: "the guest needs something that Martlet does not emulate"
        case .overdue: "the guest's time was up"
        case .selfTestFailed: "a self-test failed"
        }
    }
}
