import Memory

/// Where instructions that Martlet does not know find devices and absent memory: host pages that stand in for the guest's
/// while the processor executes one instruction, and the nested page tables that map them.
///
/// They are in the guest's tables for that one instruction. The tables' previous contents are kept, to be restored.
public struct StandIns {
    /// One of them.
    public struct Page: Sendable {
        public var place: GuestPhysicalAddress
        /// A device's registers, to be written when the instruction is over.
        public var hasRegisters: Bool
        public var isWritable: Bool
        /// Where in the page the four words read from registers begin, and their values as read.
        public var window: Int
        public var before: [4 of UInt32]

        public init(place: GuestPhysicalAddress, hasRegisters: Bool, isWritable: Bool) {
            self.place = place
            self.hasRegisters = hasRegisters
            self.isWritable = isWritable
            window = 0
            before = .init(repeating: 0)
        }
    }

    /// What the guest may do with one.
    public enum Access: UInt64, Sendable { case reads = 1, readsAndWrites = 3, all = 7 }

    /// The most pages that one instruction may need.
    public static var maximumCount: Int { 8 }
    /// The pages, and three tables for each.
    public static var frameCount: Int { 4 * maximumCount }
    /// Entries that are changed: four levels for each page, and one that is made writable later.
    private static var maximumChanges: Int { 5 * maximumCount }

    private let start: UnsafeMutableRawPointer
    private let address: HostPhysicalAddress
    public private(set) var count = 0
    private var pages: [8 of Page] = .init(
        repeating: Page(place: GuestPhysicalAddress(0), hasRegisters: false, isWritable: false))
    private var tableCount = 0
    private var changeCount = 0
    private var slots: [40 of HostPhysicalAddress] = .init(repeating: HostPhysicalAddress(0))
    private var values: [40 of UInt64] = .init(repeating: 0)

    /// - Parameters:
    ///   - start: `frameCount` frames that nothing else uses, all zeroes.
    ///   - address: the same to the processor.
    public init(_ start: UnsafeMutableRawPointer, at address: HostPhysicalAddress) {
        self.start = start
        self.address = address
    }

    public subscript(index: Int) -> Page {
        get { pages[index] }
        set { pages[index] = newValue }
    }

    /// The number of the page that stands in for a guest page.
    public func find(_ place: GuestPhysicalAddress) -> Int? {
        for index in 0..<count where pages[index].place == place { return index }
        return nil
    }

    /// Takes the next page.
    /// - Returns: its number; nil if there is none left.
    public mutating func add(_ page: Page) -> Int? {
        guard count < Self.maximumCount else { return nil }
        pages[count] = page
        count += 1
        return count - 1
    }

    /// What a page holds.
    public func content(_ index: Int) -> UnsafeMutableRawPointer { start + 4096 * index }
    public func frame(_ index: Int) -> HostPhysicalAddress { address.advanced(by: ByteCount(UInt64(4096 * index))) }

    /// Takes a table, which is empty.
    public mutating func takeTable() -> HostPhysicalAddress? {
        guard tableCount < Self.frameCount - Self.maximumCount else { return nil }
        tableCount += 1
        return frame(Self.maximumCount + tableCount - 1)
    }

    /// Saves an entry of the nested page tables.
    /// - Returns: false if there is no room.
    public mutating func note(_ slot: HostPhysicalAddress, _ value: UInt64) -> Bool {
        guard changeCount < Self.maximumChanges else { return false }
        slots[changeCount] = slot
        values[changeCount] = value
        changeCount += 1
        return true
    }

    /// The last saved change that has not been taken yet.
    public mutating func takeChange() -> (slot: HostPhysicalAddress, value: UInt64)? {
        guard changeCount > 0 else { return nil }
        changeCount -= 1
        return (slots[changeCount], values[changeCount])
    }

    /// No page stands in for anything any more.
    public mutating func removeAll() {
        count = 0
        tableCount = 0
    }
}
