import Devices
import Instructions
import Text

/// Where the kernel's and the guest's output goes: port 0xE9 where the machine has it (Bochs, where a serial byte costs
/// thousands of ticks), otherwise COM1. It needs no setup and works from the first instruction on.
enum Console {
    /// What all processors share.
    struct Shared {
        fileprivate var lock: UInt32 = 0
        /// The guest's output has ended in the middle of a line.
        var isInGuestLine = false
        /// The width of a row that the kernel prints.
        var columns = LineRows.usualColumns
        /// The console is for the guest alone.
        var isQuiet = false
        /// Where the launcher reads, if it does.
        var report: SerialLine?
        /// How many rows below the cursor the guest's screen ends; 0 if the cursor is not in it.
        var rowsOfScreenBelow = 0
        /// Input for the guest.
        var input = SerialInput()
    }

    nonisolated(unsafe) private static var shared = Shared()

    /// One processor at a time has it. The kernel runs with interrupts off, so its holder soon gives it back.
    @inline(__always)
    static func withLock<Result>(_ body: (inout Shared) -> Result) -> Result {
        while !take_lock(&shared.lock) { spin_pause() }
        defer { release_lock(&shared.lock) }
        return body(&shared)
    }

    /// Takes it from its holder, for a panic: the panic may have come while it was held.
    static func breakLock() { release_lock(&shared.lock) }

    /// Bochs's debugging port reads as its own number.
    static var isOnBochs: Bool { inb(DebugConsole.port) == DebugConsole.read() }

    /// Prints a kernel line in rows of its own.
    /// - Parameter indentation: of the rows after the first.
    static func print(_ line: Line, indentation: Int = 9) {
        withLock { shared in
            leaveScreen(&shared)
            if shared.isInGuestLine { newLine() }
            shared.isInGuestLine = false
            var rows = LineRows(columns: shared.columns, indentation: indentation)
            while rows.advance(in: line) {
                if rows.start > 0 { for _ in 0..<indentation { put(0x20) } }
                for position in rows.start..<rows.end { put(line[position]) }
                newLine()
            }
        }
    }

    private static func newLine() {
        if !isOnBochs { put(0x0D) }
        put(0x0A)
    }

    /// Prints a byte that the guest transmitted, as it is.
    static func transmit(_ byte: UInt8) {
        withLock { shared in
            leaveScreen(&shared)
            put(byte)
            shared.isInGuestLine = byte != 0x0A
        }
    }

    /// Writes text as it is, except for line ends.
    static func put(raw line: borrowing Line) {
        for position in 0..<line.count {
            if line[position] == 0x0A { newLine() } else { put(line[position]) }
        }
    }

    /// If the cursor is in the guest's screen, moves it below and resets its attributes.
    static func leaveScreen(_ shared: inout Shared) {
        guard shared.rowsOfScreenBelow > 0 else { return }
        put(raw: "\u{1B}[\(shared.rowsOfScreenBelow)B\r\u{1B}[0m\u{1B}[?25h")
        shared.rowsOfScreenBelow = 0
    }

    private static func put(_ byte: UInt8) {
        if isOnBochs {
            outb(DebugConsole.port, byte)
        } else {
            SerialLine.com1.put(byte)
        }
    }

    /// Waits for the last byte to leave the transmitter, before the machine is switched off.
    static func drain() {
        if !isOnBochs { SerialLine.com1.drain() }
    }
}
