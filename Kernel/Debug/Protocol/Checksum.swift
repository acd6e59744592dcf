/// CRC-32 as in IEEE 802.3, of the bytes so far.
struct Checksum: Equatable {
    private var remainder: UInt32 = 0xFFFF_FFFF

    var value: UInt32 { ~remainder }

    mutating func add(_ byte: UInt8) {
        let low = remainder ^ UInt32(byte)
        let high = low >> 4 ^ Checksum.remainder(of: low & 15)
        remainder = high >> 4 ^ Checksum.remainder(of: high & 15)
    }

    /// The remainder of four bits by the polynomial EDB88320H.
    @inline(__always)
    private static func remainder(of bits: UInt32) -> UInt32 {
        switch bits {
        case 0: 0x0000_0000
        case 1: 0x1DB7_1064
        case 2: 0x3B6E_20C8
        case 3: 0x26D9_30AC
        case 4: 0x76DC_4190
        case 5: 0x6B6B_51F4
        case 6: 0x4DB2_6158
        case 7: 0x5005_713C
        case 8: 0xEDB8_8320
        case 9: 0xF00F_9344
        case 10: 0xD6D6_A3E8
        case 11: 0xCB61_B38C
        case 12: 0x9B64_C2B0
        case 13: 0x86D3_D2D4
        case 14: 0xA00A_E278
        default: 0xBDBD_F21C
        }
    }
}
