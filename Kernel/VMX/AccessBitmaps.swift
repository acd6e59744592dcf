import Memory
import X86

/// The layout of the page that says which MSR accesses exit: four bitmaps of 1 KiB, for reads of the low range, reads of the
/// high range, then writes of both (SDM volume 3, "MSR-Bitmap Address").
public enum MSRBitmapLayout {
    /// The bit, counted from the page's beginning, for an access to a register; nil for one outside the two ranges, which
    /// always exits.
    public static func bit(of register: ModelSpecificRegister, isWrite: Bool) -> UInt64? {
        let isHigh = register.number >= 0xC000_0000
        let index = UInt64(isHigh ? register.number - 0xC000_0000 : register.number)
        guard index < 0x2000 else { return nil }
        return (isHigh ? 0x2000 : 0) + (isWrite ? 0x4000 : 0) + index
    }
}

/// The page that says which MSR accesses exit: 1 exits (SDM volume 3, "MSR-Bitmap Address").
public struct MSRBitmaps<Memory: PhysicalMemory> {
    private let memory: Memory
    private let page: HostPhysicalAddress

    /// Fills the page: every access exits.
    public init(page: HostPhysicalAddress, memory: Memory) {
        self.memory = memory
        self.page = page
        for offset in 0..<UInt64(512) { memory.writeUInt64(.max, at: page.advanced(by: ByteCount(8 * offset))) }
    }

    /// Lets RDMSR or WRMSR of a register pass. Registers outside the two ranges of the bitmaps always exit.
    public func pass(_ register: ModelSpecificRegister, reads: Bool, writes: Bool) {
        if reads { clear(MSRBitmapLayout.bit(of: register, isWrite: false)) }
        if writes { clear(MSRBitmapLayout.bit(of: register, isWrite: true)) }
    }

    private func clear(_ bit: UInt64?) {
        guard let bit else { return }
        let address = page.advanced(by: ByteCount(bit / 64 * 8))
        memory.writeUInt64(memory.readUInt64(at: address) & ~(1 << (bit & 63)), at: address)
    }
}

/// The two pages that say which ports exit: 1 exits (SDM volume 3, "I/O-Bitmap Addresses").
public enum IOBitmaps {
    /// Fills both pages: the guest has none of the machine's own ports.
    public static func fill(_ a: HostPhysicalAddress, _ b: HostPhysicalAddress, in memory: some PhysicalMemory) {
        for offset in 0..<UInt64(512) {
            memory.writeUInt64(.max, at: a.advanced(by: ByteCount(8 * offset)))
            memory.writeUInt64(.max, at: b.advanced(by: ByteCount(8 * offset)))
        }
    }
}
