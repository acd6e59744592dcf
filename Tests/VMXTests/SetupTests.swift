import Memory
import Support
import Testing
import X86

@testable import VMX

@Suite struct SetupTests {
    static let structures = ControlStructures(
        ioBitmapA: HostPhysicalAddress(0x1000), ioBitmapB: HostPhysicalAddress(0x2000), msrBitmaps: HostPhysicalAddress(0x3000),
        virtualAPICPage: HostPhysicalAddress(0x4000), apicAccessPage: HostPhysicalAddress(0x6000),
        extendedPageTables: EPTPointer(
            root: HostPhysicalAddress(0x5000), levelCount: 4, memoryType: .writeBack, usesAccessedAndDirty: false),
        tag: 7)
    static let host = HostState(
        cr0: .init(rawValue: 0x8001_0033), cr3: 0x9000, cr4: .init(rawValue: 0x2020), extendedFeatures: .init(rawValue: 0xD00),
        pat: 0x0007_0406_0007_0406, codeSelector: 8, dataSelector: 16, taskSelector: 24, gsBase: 0x8000, taskStateBase: 0xA000,
        gdtBase: 0xB000, idtBase: 0xC000, stackPointer: 0xD000, instructionPointer: 0xE000)

    static func prepared(_ set: CapabilitySet, offered: ControlRegister4 = .init(rawValue: 0x37_0FFF)) -> SimulatedVMCS {
        let capabilities = set.capabilities
        let access = SimulatedVMCS(capabilities)
        VMCS(access).prepare(
            try! VMXControls(capabilities, wantsVPID: true), structures, host, GuestOwnedBits(capabilities, offered: offered))
        return access
    }

    @Test(arguments: [CapabilitySet.skylakeX, .nestedKVM, .arrandale])
    func `set-up writes only fields that the processor has`(set: CapabilitySet) {
        #expect(Self.prepared(set).refusals == [])
    }

    @Test
    func `set-up of a processor without EPT writes only fields that it has, and IA32_EFER and IA32_PAT are loaded from lists`()
        throws
    {
        let capabilities = CapabilitySet.penryn.capabilities
        let access = SimulatedVMCS(capabilities)
        let controls = try VMXControls(capabilities, wantsVPID: true, timer: .processorOrHost, needsNestedTables: false)
        var structures = Self.structures
        structures.extendedPageTables = nil
        structures.loadedMSRs = HostPhysicalAddress(0x8000)
        VMCS(access).prepare(controls, structures, Self.host, GuestOwnedBits(capabilities, offered: .none, hasShadowTables: true))
        #expect(access.refusals == [])
        #expect(access[0x4014] == 2 && access[0x4010] == 2 && access[0x200A] == 0x8000 && access[0x2008] == 0x8040)
        #expect(
            access.physical[0x8000] == 0xC000_0080 && access.physical[0x8010] == 0x277 && access.physical[0x8018] == Self.host.pat
        )
        #expect(access.physical[0x8040] == 0xC000_0080 && access.physical[0x8048] == 0xD00)
        #expect(access.physical[0x8050] == 0x277 && access.physical[0x8058] == Self.host.pat)
    }

    @Test func `a field without its feature is not written`() {
        let set = CapabilitySet.skylakeX.replacing([
            0x48E: CapabilitySet.skylakeX.registers[0x48E]! & ~(1 << 53), 0x48B: 0x0257_FFDF_0000_0000,
            0x48F: 0x01F3_FFFF_0003_6DFB, 0x490: 0x3_BFFF_0000_11FB,
        ])
        let access = Self.prepared(set)
        #expect(access.refusals == [])
        for field in [0x0000, 0x2012, 0x401C, 0x2804, 0x2C00] as [UInt32] { #expect(access.writes[field] == nil) }
    }

    @Test func `pages, tag and host state land in their fields`() {
        let access = Self.prepared(.skylakeX)
        let expected: [(UInt32, UInt64)] = [
            (0x2000, 0x1000), (0x2002, 0x2000), (0x2004, 0x3000), (0x2012, 0x4000), (0x201A, 0x501E), (0x0000, 7),
            (0x6C00, 0x8001_0033), (0x6C02, 0x9000), (0x6C04, 0x2020), (0x2C02, 0xD00), (0x2C00, 0x0007_0406_0007_0406),
            (0x0C02, 8), (0x0C04, 16), (0x0C06, 16), (0x0C00, 16), (0x0C0C, 24), (0x6C0A, 0xA000), (0x6C0C, 0xB000),
            (0x6C0E, 0xC000), (0x6C14, 0xD000), (0x6C16, 0xE000), (0x2800, .max), (0x2804, 0x0007_0406_0007_0406),
        ]
        for (field, value) in expected { #expect(access[field] == value, "0x\(String(field, radix: 16))") }
    }

    @Test func `set-up writes the fields that a cleared VMCS may hold anything in`() {
        let writes = Self.prepared(.skylakeX).writes
        for field in [
            0x4004, 0x400A, 0x400E, 0x4010, 0x4014, 0x4016, 0x2010, 0x4824, 0x4826, 0x6822, 0x2802, 0x401C, 0x280A, 0x2810,
        ] as [UInt32] {
            #expect(writes[field] != nil, "0x\(String(field, radix: 16))")
        }
    }

    @Test func `the guest owns only bits of CR0 and CR4 that need no one else`() {
        let access = Self.prepared(.skylakeX)
        // MP, EM, TS, ET, WP and AM; never PE, PG, NE, CD, NW or reserved bits.
        #expect(~access[0x6000] == 0x5_001E)
        // All that was offered, but OSXSAVE, which CPUID shows, and MCE.
        #expect(~access[0x6002] == 0x33_07BF)
        #expect(~Self.prepared(.skylakeX, offered: .physicalAddressExtension)[0x6002] == 0x20)
        #expect(~Self.prepared(.skylakeX, offered: .none)[0x6002] == 0)
    }

    // MARK: Bitmaps

    @Test func `the MSR bitmaps let through exactly what is passed`() {
        // Reads of the low range, reads of the high range, writes of both; a bit a register.
        let cases: [(UInt32, Int, Int)] = [
            (0, 0, 0), (0x10, 2, 0), (0x174, 0x2E, 4), (0x1FFF, 0x3FF, 7), (0xC000_0080, 1024 + 0x10, 0),
            (0xC000_0102, 1024 + 0x20, 2), (0xC000_1FFF, 2047, 7),
        ]
        for (number, byte, bit) in cases {
            for (reads, writes) in [(true, false), (false, true), (true, true), (false, false)] {
                let page = TestPage()
                MSRBitmaps(page: page.address, memory: page).pass(ModelSpecificRegister(number), reads: reads, writes: writes)
                var expected = [UInt8](repeating: 0xFF, count: 4096)
                if reads { expected[byte] &= ~(1 << bit) }
                if writes { expected[byte + 2048] &= ~(1 << bit) }
                #expect(page.bytes == expected, "MSR \(String(number, radix: 16))")
            }
        }
    }

    @Test(arguments: [0x2000, 0x4000_0000, 0xBFFF_FFFF, 0xC000_2000, 0xFFFF_FFFF] as [UInt32])
    func `registers outside the bitmaps' ranges cannot be let through`(number: UInt32) {
        let page = TestPage()
        MSRBitmaps(page: page.address, memory: page).pass(ModelSpecificRegister(number), reads: true, writes: true)
        #expect(page.bytes == [UInt8](repeating: 0xFF, count: 4096))
    }

    @Test func `the I/O bitmaps let no port through`() {
        let page = TestPage()
        IOBitmaps.fill(page.address, page.address, in: page)
        #expect(page.bytes == [UInt8](repeating: 0xFF, count: 4096))
    }
}

/// One page of physical memory; touching any other stops the test.
final class TestPage: PhysicalMemory {
    private(set) var bytes = [UInt8](repeating: 0, count: 4096)
    let address = HostPhysicalAddress(0x7000)

    private func place(_ address: HostPhysicalAddress, _ size: UInt64) -> Int {
        precondition(address.rawValue >> 12 == 7 && address.rawValue % size == 0)
        return Int(address.rawValue & 0xFFF)
    }

    private func load(_ address: HostPhysicalAddress, _ size: Int) -> UInt64 {
        let place = place(address, UInt64(size))
        return (0..<size).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
    }

    private func store(_ value: UInt64, _ address: HostPhysicalAddress, _ size: Int) {
        let place = place(address, UInt64(size))
        for index in 0..<size { bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }

    func readUInt64(at address: HostPhysicalAddress) -> UInt64 { load(address, 8) }
    func writeUInt64(_ value: UInt64, at address: HostPhysicalAddress) { store(value, address, 8) }
    func readUInt32(at address: HostPhysicalAddress) -> UInt32 { UInt32(load(address, 4)) }
    func writeUInt32(_ value: UInt32, at address: HostPhysicalAddress) { store(UInt64(value), address, 4) }
    func compareExchange(at address: HostPhysicalAddress, expected: UInt64, desired: UInt64) -> Bool {
        guard load(address, 8) == expected else { return false }
        store(desired, address, 8)
        return true
    }
}
