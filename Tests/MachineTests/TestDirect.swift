import Memory
import Support
import VMX

@testable import Machine

/// What direct paging keeps of a test machine, whose RAM is at 4000 0000H of the machine's memory.
final class TestDirect {
    let tables: UnsafeMutablePointer<DirectTables<GuestMemory>>
    let registers: UnsafeMutablePointer<ShadowRegisters>
    private let storage: UnsafeMutableRawPointer

    static let ramStart: UInt64 = 0x4000_0000

    init(_ ram: GuestRAM) {
        let layout = DirectLayout(
            HostPhysicalRange(start: HostPhysicalAddress(Self.ramStart), count: ByteCount(UInt64(TestMachine.ramSize))))
        storage = .allocate(byteCount: layout.bytes, alignment: 8)
        registers = .allocate(capacity: 1)
        registers.initialize(to: ShadowRegisters())
        tables = .allocate(capacity: 1)
        tables.initialize(to: DirectTables(layout, storage: storage, memory: ram.memory, leafSizes: .upToOneGibibyte))
    }

    deinit {
        tables.deinitialize(count: 1)
        tables.deallocate()
        registers.deallocate()
        storage.deallocate()
    }
}
