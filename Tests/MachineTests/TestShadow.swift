import Memory
import Support
import VMX

@testable import Machine

/// Shadow tables for a test machine, whose RAM is at 4000 0000H of the machine's memory.
final class TestShadow {
    let tables: UnsafeMutablePointer<ShadowTables<GuestMemory>>
    let registers: UnsafeMutablePointer<ShadowRegisters>
    private let storage: UnsafeMutableRawPointer
    private let size: Int
    /// Free memory of the machine's, from 0 on.
    private let window: UnsafeMutableRawPointer

    static let ramStart: UInt64 = 0x4000_0000
    /// Where the tables are.
    static let start: UInt64 = 0x1000_0000

    /// Above it the machine's memory is not free.
    static let occupied: UInt64 = 0x3_8000

    /// - Parameter hasTwins: below that the machine's memory is free.
    init(_ ram: GuestRAM, hasTwins: Bool) {
        let layout = ShadowLayout(size: .kibibytes(256), ram: ByteCount(UInt64(TestMachine.ramSize)))
        window = .allocate(byteCount: Int(Self.occupied), alignment: 4096)
        size = layout.bytes
        storage = .allocate(byteCount: layout.bytes, alignment: 4096)
        registers = .allocate(capacity: 1)
        registers.initialize(to: ShadowRegisters())
        tables = .allocate(capacity: 1)
        tables.initialize(
            to: ShadowTables(
                layout, storage: storage, at: HostPhysicalAddress(Self.start), memory: ram.memory,
                ram: HostPhysicalRange(start: HostPhysicalAddress(Self.ramStart), count: ByteCount(UInt64(TestMachine.ramSize))),
                leafSizes: .upToOneGibibyte,
                paging: GuestPaging(
                    mode: .none, cr3: 0, writeProtects: false, hasPageSizeExtensions: false, hasExecuteDisable: false,
                    preventsSupervisorExecution: false, preventsSupervisorAccess: false, hasGibibytePages: false, hasPSE36: false,
                    physicalAddressWidth: 36),
                twins: RootTwins(
                    window: HostPhysicalRange(start: HostPhysicalAddress(0), count: ByteCount(hasTwins ? Self.occupied : 0)),
                    storage: window, limit: 4)))
    }

    /// A word of the tables or of what is remembered of them; nil elsewhere.
    func word(at address: UInt64) -> UInt64? {
        guard address >= Self.start, address - Self.start + 8 <= size else { return nil }
        return storage.load(fromByteOffset: Int(address - Self.start), as: UInt64.self)
    }

    deinit {
        tables.deinitialize(count: 1)
        tables.deallocate()
        registers.deallocate()
        storage.deallocate()
        window.deallocate()
    }
}
