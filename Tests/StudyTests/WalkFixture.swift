import Memory
import Support
import Text
import VMX

@testable import StudyTools

/// A guest with 4 levels of EPT in front of its RAM, and the host's memory that holds both: words that nobody wrote are zero.
final class WalkFixture: PhysicalMemory, GuestTableMemory, FrameSource {
    private var words: [UInt64: UInt64] = [:]
    private(set) var changes = 0
    private var nextFrame: UInt64 = 0x7000_0000
    /// Where guest-physical 0 is in the host's memory.
    static let base: UInt64 = 0x1_0000_0000
    /// The size of the guest's RAM.
    static let size: UInt64 = 64 << 20
    var format = EPTFormat(
        levelCount: 4, leafSizes: .upToOneGibibyte, physicalAddressWidth: 46, offersExecuteOnly: true, hasModeBasedExecute: false,
        ignoresPAT: false)
    var usesAccessedAndDirty = true
    private let root: UInt64 = 0x7000_0000

    init() {}

    // MARK: The guest

    /// Puts an entry of the guest's tables into its RAM.
    func put(_ entry: UInt64, at address: UInt64) { words[Self.base + address] = entry }

    func put32(_ entry: UInt32, at address: UInt64) {
        let word = Self.base + address & ~7
        let shift = (address & 4) * 8
        words[word] = words[word, default: 0] & ~(0xFFFF_FFFF << shift) | UInt64(entry) << shift
    }

    func readUInt64(at address: GuestPhysicalAddress) -> UInt64? {
        address.rawValue < Self.size ? words[Self.base + address.rawValue, default: 0] : nil
    }

    func readUInt32(at address: GuestPhysicalAddress) -> UInt32? {
        let whole = GuestPhysicalAddress(address.rawValue & ~7)
        return readUInt64(at: whole).map { UInt32(truncatingIfNeeded: $0 >> ((address.rawValue & 4) * 8)) }
    }

    func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) { changes += 1 }

    // MARK: The host

    func readUInt64(at address: HostPhysicalAddress) -> UInt64 { words[address.rawValue, default: 0] }
    func readUInt32(at address: HostPhysicalAddress) -> UInt32 {
        UInt32(truncatingIfNeeded: words[address.rawValue & ~7, default: 0] >> ((address.rawValue & 4) * 8))
    }
    func writeUInt64(_ value: UInt64, at address: HostPhysicalAddress) { words[address.rawValue] = value }
    func writeUInt32(_ value: UInt32, at address: HostPhysicalAddress) { fatalError("EPT entries are written whole") }
    func compareExchange(at address: HostPhysicalAddress, expected: UInt64, desired: UInt64) -> Bool {
        guard readUInt64(at: address) == expected else { return false }
        words[address.rawValue] = desired
        return true
    }

    var availableFrames: UInt64 { 1000 }
    func allocateFrame() -> HostPhysicalAddress? {
        nextFrame += 0x1000
        return HostPhysicalAddress(nextFrame)
    }
    func freeFrame(_ frame: HostPhysicalAddress) {}

    // MARK: Looking

    typealias Table = PageTable<EPTFormat, WalkFixture>

    /// EPT that map the guest's RAM by pages of a size.
    func table(_ largest: PageSize = .fourKibibytes, permissions: ExtendedPagePermissions = .all) -> Table {
        var frames = self
        var table = try! Table(format: format, memory: self, frames: &frames)
        let count = largest == .oneGibibyte ? ByteCount(1 << 30) : ByteCount(Self.size)
        _ = try! table.map(
            GuestPhysicalRange(start: GuestPhysicalAddress(0), count: count), to: HostPhysicalAddress(Self.base),
            permissions: permissions, memoryType: .writeBack, largest: largest, frames: &frames)
        return table
    }

    /// The lines of a walk.
    func walk(
        _ address: UInt64, _ paging: GuestPaging, _ access: GuestAccess = .supervisor(.read), through table: borrowing Table
    ) -> [String] {
        let pointer = EPTPointer(
            root: table.root, levelCount: format.levelCount, memoryType: .writeBack, usesAccessedAndDirty: usesAccessedAndDirty)
        var output = Answer()
        TwoDimensionalWalk.write(
            GuestVirtualAddress(address), for: access, paging: paging, memory: self, nested: table.view, pointer: pointer,
            to: &output)
        return output.lines
    }

    /// The lines of the map.
    func map(_ range: AddressRange<GuestPhysicalAddress>? = nil, of table: borrowing Table) -> [String] {
        var output = Answer()
        if let range { NestedMap.write(range, of: table.view, to: &output) } else { NestedMap.write(table.view, to: &output) }
        return output.lines
    }
}

extension GuestPaging {
    /// Paging of a modern kernel.
    static func modern(_ mode: GuestPagingMode, cr3: UInt64 = 0x1000) -> Self {
        Self(
            mode: mode, cr3: cr3, writeProtects: true, hasPageSizeExtensions: true, hasExecuteDisable: true,
            preventsSupervisorExecution: true, preventsSupervisorAccess: false, hasGibibytePages: true, hasPSE36: true,
            physicalAddressWidth: 46)
    }
}

extension GuestAccess {
    static func supervisor(_ kind: Kind) -> Self { .explicit(kind, privilegeLevel: 0, alignmentCheck: false) }
    static func user(_ kind: Kind) -> Self { .explicit(kind, privilegeLevel: 3, alignmentCheck: false) }
}
