import Devices
import Instructions

/// Input on the machine's COM1: taken by interrupt, kept until the guest's UART has room for it.
///
/// Nothing is lost: when the buffer is full, bytes stay in the UART, whose interrupt is then off.
struct SerialInput {
    private static var port: UInt16 { SerialPort.firstPort }
    private static var capacity: UInt64 { 4096 }

    // Counts of all bytes that ever arrived and left.
    private var arrived: UInt64 = 0
    private var taken: UInt64 = 0
    private var isOpen = false

    /// Lets the line interrupt, if the machine has it (a port without a device reads as ones).
    mutating func open() {
        guard inb(Self.port + 5) != 0xFF else { return }
        isOpen = true
        outb(Self.port + 4, 0x0B)  // OUT2 passes the interrupt on
        setInterrupt(isOn: true)
        InterruptControllers.openSerialLine()
    }

    private func setInterrupt(isOn: Bool) { outb(Self.port + 1, isOn ? 1 : 0) }

    /// Empties the UART.
    mutating func collect() {
        while arrived - taken < Self.capacity, inb(Self.port + 5) & 1 != 0 { keep(inb(Self.port)) }
        if arrived - taken == Self.capacity { setInterrupt(isOn: false) }
    }

    private mutating func keep(_ byte: UInt8) {
        serial_input_buffer_write(arrived % Self.capacity, byte)
        arrived += 1
    }

    /// Appends a byte to those that arrived.
    /// - Returns: false if there is no room.
    mutating func append(_ byte: UInt8) -> Bool {
        guard arrived - taken < Self.capacity else { return false }
        keep(byte)
        return true
    }

    /// The oldest byte. It need not have interrupted: while a guest runs with interrupts off, Bochs delivers none.
    mutating func take() -> UInt8? {
        if arrived == taken, isOpen { collect() }
        guard arrived != taken else { return nil }
        let byte = serial_input_buffer_read(taken % Self.capacity)
        if arrived - taken == Self.capacity { setInterrupt(isOn: true) }
        taken += 1
        return byte
    }
}
