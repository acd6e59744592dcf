import Instructions

/// What arrives on the machine's COM1: taken by interrupt, kept until the guest's UART has room for it.
///
/// Nothing is lost: when the buffer is full, bytes stay in the UART, whose interrupt is then off.
enum SerialInput {
    private static var port: UInt16 { 0x3F8 }
    private static var capacity: UInt64 { 4096 }

    // Counts of all bytes that ever came and went; both belong to code that runs with interrupts off.
    nonisolated(unsafe) private static var arrived: UInt64 = 0
    nonisolated(unsafe) private static var taken: UInt64 = 0

    /// Lets the line interrupt, if the machine has it (a port without a device reads as ones).
    static func open() {
        guard inb(port + 5) != 0xFF else { return }
        outb(port + 4, 0x0B)  // OUT2 passes the interrupt on
        setInterrupt(isOn: true)
        InterruptControllers.openSerialLine()
    }

    private static func setInterrupt(isOn: Bool) { outb(port + 1, isOn ? 1 : 0) }

    /// Empties the UART.
    static func collect() {
        while arrived - taken < capacity, inb(port + 5) & 1 != 0 {
            serial_input_buffer_write(arrived % capacity, inb(port))
            arrived += 1
        }
        if arrived - taken == capacity { setInterrupt(isOn: false) }
    }

    static var isEmpty: Bool { arrived == taken }

    /// Puts a byte behind those that arrived.
    /// - Returns: false if there is no room.
    static func append(_ byte: UInt8) -> Bool {
        guard arrived - taken < capacity else { return false }
        serial_input_buffer_write(arrived % capacity, byte)
        arrived += 1
        return true
    }

    /// The oldest byte.
    static func take() -> UInt8? {
        guard arrived != taken else { return nil }
        let byte = serial_input_buffer_read(taken % capacity)
        if arrived - taken == capacity { setInterrupt(isOn: true) }
        taken += 1
        return byte
    }
}
