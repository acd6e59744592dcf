/// The CRT controller of a colour VGA in text mode 3 (IBM VGA manual, "CRT Controller Registers"): an index register and the data
/// register behind it. It stores what is written; only the cursor and the screen's start matter, to whatever shows the screen.
struct CRTController: Equatable, Sendable {
    static var firstPort: UInt16 { 0x3D4 }
    static var portCount: UInt16 { 2 }
    private static var count: Int { 25 }

    private var index: UInt8 = 0
    private var registers: [25 of UInt8] = [
        0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00, 0x00, 0x00, 0x00,
        0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF,
    ]

    func read(_ register: UInt8) -> UInt8 {
        guard register != 0 else { return index }
        return index < Self.count ? registers[Int(index)] : 0
    }

    mutating func write(_ register: UInt8, _ value: UInt8) {
        if register == 0 {
            index = value & 0x3F
        } else if index < Self.count, index > 7 || registers[0x11] & 0x80 == 0 {  // the timing may be protected
            registers[Int(index)] = value
        }
    }

    /// Where the screen begins in the text buffer, in characters.
    var start: UInt16 { UInt16(registers[0x0C]) << 8 | UInt16(registers[0x0D]) }

    /// Where the cursor is in the text buffer, in characters; nil if it is off or has no lines.
    var cursor: UInt16? {
        guard registers[0x0A] & 0x20 == 0, registers[0x0A] & 0x1F <= registers[0x0B] & 0x1F else { return nil }
        return UInt16(registers[0x0E]) << 8 | UInt16(registers[0x0F])
    }

    static func == (left: Self, right: Self) -> Bool {
        for index in 0..<count where left.registers[index] != right.registers[index] { return false }
        return left.index == right.index
    }
}
