import Text

/// The content of a packet in a fixed space. What does not fit is left out, and `isCut` tells of it.
struct PacketWriter: TextOutput {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0
    private(set) var isCut = false

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    var bytes: UnsafeRawBufferPointer { .init(rebasing: memory[..<count]) }

    /// For how many bytes there is room.
    var room: Int { memory.count - count }

    mutating func write(byte: UInt8) {
        guard count < memory.count else {
            isCut = true
            return
        }
        memory[count] = byte
        count += 1
    }

    mutating func clear() {
        count = 0
        isCut = false
    }

    /// Two digits.
    mutating func write(hexByte byte: UInt8) { write(hexDigits: UInt64(byte), digits: 2) }

    /// The bytes of a number, the lowest first.
    mutating func writeLittleEndian(_ value: UInt64, size: Int) {
        for place in 0..<size { write(hexByte: place < 8 ? UInt8(truncatingIfNeeded: value >> UInt64(8 * place)) : 0) }
    }

    /// A byte as it is, behind an escape if it would be taken for framing or run-length encoding.
    mutating func write(binary byte: UInt8) {
        guard PacketWriter.isSpecial(byte) else { return write(byte: byte) }
        write(byte: 0x7D)
        write(byte: byte ^ 0x20)
    }

    /// Whether a byte means something to the framing or the run-length encoding: # $ * }
    static func isSpecial(_ byte: UInt8) -> Bool { byte == 0x23 || byte == 0x24 || byte == 0x2A || byte == 0x7D }

    /// Puts another byte in place of the first.
    mutating func replaceFirst(with byte: UInt8) {
        if count > 0 { memory[0] = byte }
    }
}
