import Instructions
import Text

/// Where the kernel's words and the guest's go: port 0xE9 where the machine has it (Bochs, where a serial byte costs
/// thousands of ticks), otherwise COM1. It needs nothing to be set up and works from the first instruction on.
enum Console {
    /// The machine reads back the number of port 0xE9: Bochs's debugging port.
    private static var hasDebugPort: Bool { inb(0xE9) == 0xE9 }

    /// The guest's output has ended in the middle of a line.
    nonisolated(unsafe) private static var isInGuestLine = false

    /// Prints a line of the kernel's, on a line of its own.
    static func print(_ line: Line) {
        if isInGuestLine { newLine() }
        isInGuestLine = false
        for position in 0..<line.count { put(line[position]) }
        newLine()
    }

    private static func newLine() {
        if !hasDebugPort { put(0x0D) }
        put(0x0A)
    }

    /// Prints a byte that the guest transmitted, as it is.
    static func transmit(_ byte: UInt8) {
        put(byte)
        isInGuestLine = byte != 0x0A
    }

    private static func put(_ byte: UInt8) {
        if hasDebugPort {
            outb(0xE9, byte)
        } else {
            SerialLine.com1.put(byte)
        }
    }

    /// Lets the last byte leave the transmitter, before the machine is switched off.
    static func drain() {
        if !hasDebugPort { SerialLine.com1.drain() }
    }
}

/// A UART of the machine's own (PC16550D data sheet).
struct SerialLine {
    let port: UInt16

    static var com1: SerialLine { .init(port: 0x3F8) }
    static var com2: SerialLine { .init(port: 0x2F8) }
    static var com3: SerialLine { .init(port: 0x3E8) }

    /// 115200 bits a second, eight bits, no parity, no interrupts, FIFOs on.
    func open() {
        outb(port + 1, 0)
        outb(port + 3, 0x80)
        outb(port, 1)
        outb(port + 1, 0)
        outb(port + 3, 0x03)
        outb(port + 2, 0x07)
        outb(port + 4, 0x03)
    }

    func put(_ byte: UInt8) {
        wait(for: 0x20)
        outb(port, byte)
    }

    /// Whether a byte has come in.
    var hasInput: Bool { inb(port + 5) & 0x81 == 1 }

    /// Waits for a byte to come in.
    func take() -> UInt8 {
        while !hasInput { spin_pause() }
        return inb(port)
    }

    /// Waits until transmitter and holding register are empty.
    func drain() { wait(for: 0x40) }

    /// A machine without the UART reads ones, and never keeps the kernel waiting.
    private func wait(for bit: UInt8) {
        while inb(port + 5) & bit == 0 { spin_pause() }
    }
}
