import Memory
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

/// The two pages that say which MSR accesses exit.
public struct MSRPermissions<Memory: PhysicalMemory> {
    private let memory: Memory
    private let map: HostPhysicalAddress

    /// Fills the map: every access exits.
    public init(map: HostPhysicalAddress, memory: Memory) {
        self.memory = memory
        self.map = map
        fill(map, MSRPermissionMap.size, in: memory)
    }

    /// Lets RDMSR or WRMSR of a register go through. Registers in no table always exit.
    public func pass(_ register: ModelSpecificRegister, reads: Bool, writes: Bool) {
        if reads { clear(MSRPermissionMap.bit(of: register, isWrite: false)) }
        if writes { clear(MSRPermissionMap.bit(of: register, isWrite: true)) }
    }

    private func clear(_ bit: Int?) {
        guard let bit else { return }
        let address = map.advanced(by: ByteCount(UInt64(bit / 64 * 8)))
        memory.writeUInt64(memory.readUInt64(at: address) & ~(1 << UInt64(bit & 63)), at: address)
    }
}

extension IOPermissionMap {
    /// Fills the map: the guest has no port of the machine's own.
    public static func fill(_ map: HostPhysicalAddress, in memory: some PhysicalMemory) { SVM.fill(map, size, in: memory) }
}

private func fill(_ map: HostPhysicalAddress, _ size: UInt64, in memory: some PhysicalMemory) {
    for offset in 0..<size / 8 { memory.writeUInt64(.max, at: map.advanced(by: ByteCount(8 * offset))) }
}
