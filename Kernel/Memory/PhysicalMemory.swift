/// Access to the words of host-physical memory that hold page tables and free lists.
///
/// Metal implements it with plain pointers (the kernel maps memory one to one), tests with a memory that refuses
/// any address outside what was allocated. An implementation is a handle: copies reach the same memory.
public protocol PhysicalMemory {
    /// The word at `address`, a multiple of 8.
    func readUInt64(at address: HostPhysicalAddress) -> UInt64

    /// Stores a word at `address`, a multiple of 8, in one access.
    func writeUInt64(_ value: UInt64, at address: HostPhysicalAddress)

    /// The half word at `address`, a multiple of 4.
    func readUInt32(at address: HostPhysicalAddress) -> UInt32

    /// Stores a half word at `address`, a multiple of 4, in one access.
    func writeUInt32(_ value: UInt32, at address: HostPhysicalAddress)

    /// Replaces the word at `address` by `desired` if it equals `expected`, atomically (LOCK CMPXCHG): processors set
    /// accessed and dirty bits behind our back.
    /// Returns whether it did.
    func compareExchange(at address: HostPhysicalAddress, expected: UInt64, desired: UInt64) -> Bool

    /// Fills the 4 KiB frame at `frame` with zeroes.
    func zeroFrame(at frame: HostPhysicalAddress)
}

extension PhysicalMemory {
    public func zeroFrame(at frame: HostPhysicalAddress) {
        var offset: UInt64 = 0
        while offset < PageSize.fourKibibytes.bytes {
            writeUInt64(0, at: frame.advanced(by: ByteCount(offset)))
            offset += 8
        }
    }
}

/// Where page tables get their frames from, and return them to.
public protocol FrameSource: ~Copyable {
    /// How many frames `allocateFrame` will still give: that many calls in a row succeed.
    var availableFrames: UInt64 { get }

    /// A frame of 4 KiB filled with zeroes, or nil when there is none left.
    mutating func allocateFrame() -> HostPhysicalAddress?

    /// Takes back a frame that this source gave and that nothing refers to any more. Traps for any other.
    mutating func freeFrame(_ frame: HostPhysicalAddress)
}
