import X86

/// The layout of the MSR permissions map: four tables of 2 KiB, of which the last is reserved, with two bits a register: the
/// lower one makes RDMSR exit, the higher one WRMSR (APM volume 2, "MSR Intercepts").
public enum MSRPermissionMap {
    /// Two pages.
    public static var size: UInt64 { 0x2000 }

    /// The bit, counted from the map's beginning, for an access to a register; nil for one in no table, which always exits.
    public static func bit(of register: ModelSpecificRegister, isWrite: Bool) -> Int? {
        let table: Int
        switch register.number {
        case 0...0x1FFF: table = 0
        case 0xC000_0000...0xC000_1FFF: table = 1
        case 0xC001_0000...0xC001_1FFF: table = 2
        default: return nil
        }
        return table * 0x4000 + Int(register.number & 0x1FFF) * 2 + (isWrite ? 1 : 0)
    }
}

/// The layout of the I/O permissions map: a bit a port, and three more behind the last, which a wide access there looks at
/// (APM volume 2, "I/O Permissions Map").
public enum IOPermissionMap {
    /// Three pages.
    public static var size: UInt64 { 0x3000 }

    /// The bits, counted from the map's beginning, any of which makes an access exit.
    /// - Parameter byteCount: 1, 2 or 4.
    public static func bits(of port: UInt16, byteCount: Int) -> Range<Int> { Int(port)..<Int(port) + byteCount }
}
