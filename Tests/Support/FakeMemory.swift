import Memory
import Text

/// Physical memory for tests: only frames that were allocated exist, and touching any other stops the test.
public final class FakeMemory: PhysicalMemory {
    private var frames: [UInt64: UnsafeMutableBufferPointer<UInt64>] = [:]
    /// Called before each compare-exchange, to play a processor that sets bits at the same time.
    public var beforeExchange: ((FakeMemory, HostPhysicalAddress) -> Void)?

    public init() {}

    public func create(_ frame: UInt64, filledWith value: UInt64 = 0xDEAD_BEEF_DEAD_BEEF) {
        precondition(frames[frame] == nil)
        frames[frame] = .allocate(capacity: 512)
        frames[frame]!.initialize(repeating: value)
    }

    public func destroy(_ frame: UInt64) { frames.removeValue(forKey: frame)?.deallocate() }

    deinit { for frame in frames.values { frame.deallocate() } }

    /// The 512 words of a frame.
    public func words(_ frame: HostPhysicalAddress) -> [UInt64] { Array(frames[frame.rawValue]!) }

    public func readUInt64(at address: HostPhysicalAddress) -> UInt64 {
        precondition(address.rawValue % 8 == 0, "misaligned read")
        guard let frame = frames[address.rawValue & ~0xFFF] else { fatalError("read outside memory: \(address)") }
        return frame[Int(address.rawValue & 0xFFF) / 8]
    }

    public func writeUInt64(_ value: UInt64, at address: HostPhysicalAddress) {
        precondition(address.rawValue % 8 == 0, "misaligned write")
        guard let frame = frames[address.rawValue & ~0xFFF] else { fatalError("write outside memory: \(address)") }
        frame[Int(address.rawValue & 0xFFF) / 8] = value
    }

    public func readUInt32(at address: HostPhysicalAddress) -> UInt32 {
        let word = readUInt64(at: HostPhysicalAddress(address.rawValue & ~7))
        return UInt32(truncatingIfNeeded: word >> ((address.rawValue & 4) * 8))
    }

    public func writeUInt32(_ value: UInt32, at address: HostPhysicalAddress) {
        let whole = HostPhysicalAddress(address.rawValue & ~7)
        let shift = (address.rawValue & 4) * 8
        writeUInt64(readUInt64(at: whole) & ~(0xFFFF_FFFF << shift) | UInt64(value) << shift, at: whole)
    }

    public func compareExchange(at address: HostPhysicalAddress, expected: UInt64, desired: UInt64) -> Bool {
        beforeExchange?(self, address)
        guard readUInt64(at: address) == expected else { return false }
        writeUInt64(desired, at: address)
        return true
    }
}

/// Frames for tests, up to a limit. A frame that is given back ceases to exist, so that a late use is caught.
public struct FakeFrames: FrameSource {
    public let memory: FakeMemory
    public var availableFrames: UInt64
    public private(set) var allocations: UInt64 = 0
    public private(set) var inUse: Set<UInt64> = []
    private var next: UInt64 = 0x7000_0000

    public init(memory: FakeMemory, limit: UInt64 = 1_000_000) {
        self.memory = memory
        availableFrames = limit
    }

    public mutating func allocateFrame() -> HostPhysicalAddress? {
        guard availableFrames > 0 else { return nil }
        availableFrames -= 1
        allocations += 1
        next += 0x3000
        memory.create(next, filledWith: 0)
        inUse.insert(next)
        return HostPhysicalAddress(next)
    }

    public mutating func freeFrame(_ frame: HostPhysicalAddress) {
        precondition(inUse.remove(frame.rawValue) != nil, "freed a frame that was not in use")
        memory.destroy(frame.rawValue)
        availableFrames += 1
    }
}
