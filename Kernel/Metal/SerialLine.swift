import Devices
import Instructions

/// A UART of the machine itself (PC16550D data sheet).
struct SerialLine {
    let port: UInt16

    static var com1: SerialLine { .init(port: SerialPort.firstPort) }
    static var com2: SerialLine { .init(port: 0x2F8) }
    static var com3: SerialLine { .init(port: 0x3E8) }
    static var com4: SerialLine { .init(port: 0x2E8) }

    /// 115200 bits a second, eight bits, no parity, no interrupts.
    ///
    /// The FIFOs are on, except on Bochs, which loses what arrives while the receive FIFO is full: without it, the sender keeps
    /// each byte until the one before has been read, however long a guest keeps Martlet from doing that.
    func open() {
        outb(port + 1, 0)
        outb(port + 3, 0x80)
        outb(port, 1)
        outb(port + 1, 0)
        outb(port + 3, 0x03)
        outb(port + 2, Console.isOnBochs ? 0 : 0x07)
        outb(port + 4, 0x03)
    }

    /// Lets it interrupt when a byte comes in; OUT2 passes that on.
    func openInterrupt() {
        outb(port + 4, 0x0B)
        outb(port + 1, 1)
    }

    func put(_ byte: UInt8) {
        wait(for: 0x20)
        outb(port, byte)
    }

    /// Whether a byte has come in.
    @inline(__always)
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
