import Memory

/// The answer to `shadow`: how the guest itself translates, and where the shadow tables are in the machine's memory.
public struct ShadowFacts: Sendable {
    /// They translate now; otherwise nested tables do.
    public var isOn = false
    /// What the guest has in CR3.
    public var cr3: UInt64 = 0
    /// The guest's page-directory-pointer registers (SDM volume 3, "PDPTE Registers").
    public var pageDirectoryPointers = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    public var standing = ShadowStanding()

    public init() {}

    public func encode(to message: inout Message) {
        message.append(UInt8(isOn ? 1 : 0))
        message.append(cr3)
        message.append(pageDirectoryPointers.0)
        message.append(pageDirectoryPointers.1)
        message.append(pageDirectoryPointers.2)
        message.append(pageDirectoryPointers.3)
        message.append(standing.entries.rawValue)
        message.append(standing.pageCount)
        message.append(standing.frameCount)
        message.append(standing.ram.rawValue)
        message.append(standing.root)
        message.append(standing.usedEnd)
        message.append(standing.freeCount)
        message.append(standing.firstListed)
    }

    public init?(_ reader: inout MessageReader) {
        guard let isOn = reader.uint8(), let cr3 = reader.uint64(), let first = reader.uint64(), let second = reader.uint64(),
            let third = reader.uint64(), let fourth = reader.uint64(), let entries = reader.uint64(),
            let pageCount = reader.uint64(),
            let frameCount = reader.uint64(), let ram = reader.uint64(), let root = reader.uint64(),
            let usedEnd = reader.uint64(),
            let freeCount = reader.uint64(), let firstListed = reader.uint64()
        else { return nil }
        self.isOn = isOn != 0
        self.cr3 = cr3
        pageDirectoryPointers = (first, second, third, fourth)
        standing.entries = HostPhysicalAddress(entries)
        standing.pageCount = pageCount
        standing.frameCount = frameCount
        standing.ram = HostPhysicalAddress(ram)
        standing.root = root
        standing.usedEnd = usedEnd
        standing.freeCount = freeCount
        standing.firstListed = firstListed
    }
}
