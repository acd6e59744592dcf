import Support
import Testing
import Virtualization
import X86

@testable import Machine

/// A guest whose addresses shadow tables translate, as Martlet switches to them, fills them, and leaves them.
@Suite struct ShadowPagingTests {
    static let pagingModes: [TestMachine.Mode] = [.paged32, .pae, .compatibility32, .long64]

    /// A guest that has set CR0.WP.
    static func machine(_ mode: TestMachine.Mode, hasTwins: Bool = false) -> TestMachine {
        let machine = TestMachine(mode, isShadowed: true, hasTwins: hasTwins)
        machine.cpu.registers.rax = 0x8001_0031
        #expect(machine.exit(.controlRegisterAccess, qualification: 0, length: 3) == .step)
        return machine
    }

    /// EPT and unrestricted guest, of the secondary controls.
    static func usesEPT(_ machine: TestMachine) -> Bool { machine.vmcs[0x401E] & 0x82 == 0x82 }
    static func loadedCR3(_ machine: TestMachine) -> UInt64 { machine.vmcs[0x6802] }
    static func isOfShadow(_ address: UInt64) -> Bool { (0x1000_0000..<0x1004_0000).contains(address) }

    static func pageFault(
        _ machine: TestMachine, _ linear: UInt64, _ code: UInt32, vectoring: UInt32 = 0, vectoringErrorCode: UInt32 = 0xBAD_F00D
    ) -> Outcome {
        machine.exit(
            .exceptionOrNMI, qualification: linear, information: 1 << 31 | 1 << 11 | 3 << 8 | 14, errorCode: code,
            vectoring: vectoring,
            vectoringErrorCode: vectoringErrorCode)
    }

    @Test(arguments: pagingModes) func `they translate from when paging and CR0-WP are on until one of them is off`(
        mode: TestMachine.Mode
    ) {
        let machine = Self.machine(mode)
        let own = machine.cpu.processor.cr3
        #expect(!Self.usesEPT(machine) && Self.isOfShadow(Self.loadedCR3(machine)) && !Self.isOfShadow(own))
        #expect(machine.vmcs[0x4004] & 1 << 14 != 0 && machine.vmcs[0x4002] & 0x1_8200 == 0x1_8200)
        // What the guest sees of CR3 and CR4 is its own.
        machine.cpu.registers.rcx = 0
        #expect(
            machine.exit(.controlRegisterAccess, qualification: 3 | 1 << 4 | 1 << 8, length: 3) == .step
                && machine.cpu.registers.rcx == own)
        #expect(machine.cpu.processor.cr4.contains(.physicalAddressExtension) == (mode != .paged32))
        machine.cpu.registers.rax = 0x8000_0031
        #expect(machine.exit(.controlRegisterAccess, qualification: 0, length: 3) == .step)
        #expect(Self.usesEPT(machine) && Self.loadedCR3(machine) == own && machine.vmcs[0x4004] & 1 << 14 == 0)
    }

    @Test(arguments: pagingModes) func `a page fault is filled in, or the guest's own`(mode: TestMachine.Mode) {
        let machine = Self.machine(mode)
        machine.map(0x20_1000, entry: 0)
        machine.map(0x20_2000, entry: 0x20_2005)
        #expect(Self.pageFault(machine, 0x20_0010, 0) == .resume && machine.injection == nil)
        #expect(Self.pageFault(machine, 0x20_1234, 2) == .inject(.exception(.pageFault, errorCode: 2)))
        #expect(machine.host.pageFaultAddress == 0x20_1234)
        // Read first, then written, which the page does not allow.
        #expect(Self.pageFault(machine, 0x20_2000, 0) == .resume)
        #expect(Self.pageFault(machine, 0x20_2000, 3) == .inject(.exception(.pageFault, errorCode: 3)))
        #expect(machine.host.pageFaultAddress == 0x20_2000)
    }

    @Test func `what faults though the tables allow it is tried once more, and then the guest's`() {
        let machine = Self.machine(.long64)
        for expected in [Outcome.resume, .resume, .inject(.exception(.pageFault, errorCode: 1))] {
            #expect(Self.pageFault(machine, 0x20_0000, 1) == expected)
        }
    }

    @Test func `a delivery that a page fault interrupted is done anew`() {
        let machine = Self.machine(.long64)
        machine.rflags = 0x1_0202
        #expect(Self.pageFault(machine, 0x20_0000, 2, vectoring: 0x8000_0030) == .resume)
        #expect(machine.injection == .interrupt(0x30) && machine.rflags == 0x202)
        machine.rflags = 0x1_0202
        #expect(Self.pageFault(machine, 0x20_1000, 2, vectoring: 0x8000_0B0D, vectoringErrorCode: 0x18) == .resume)
        #expect(machine.injection == .exception(13, errorCode: 0x18) && machine.rflags == 0x1_0202)
        // The guest's own fault in the delivery of a page fault is a double fault.
        machine.map(0x20_3000, entry: 0)
        #expect(
            Self.pageFault(machine, 0x20_3000, 2, vectoring: 0x8000_0B0E, vectoringErrorCode: 4)
                == .inject(.exception(.doubleFault, errorCode: 0)))
    }

    /// The descriptor is at RBX, the kind in RAX: of the instruction information only those count.
    static func invalidate(_ machine: TestMachine, kind: UInt64, tag: UInt64, _ linear: UInt64 = 0) -> Outcome {
        machine.ram.put64(tag, at: 0x2_0000)
        machine.ram.put64(linear, at: 0x2_0008)
        machine.cpu.registers.rax = kind
        machine.cpu.registers.rbx = 0x2_0000
        return machine.exit(.invpcid, qualification: 0, length: 5, details: 2 << 7 | 3 << 15 | 1 << 22 | 3 << 23)
    }

    @Test func `INVLPG and INVPCID drop translations, and refuse what the manual says`() {
        let machine = Self.machine(.long64)
        #expect(machine.exit(.invlpg, qualification: 0x20_0000, length: 3) == .step && !machine.invalidations.isEmpty)
        for kind in [0, 1, 2, 3] as [UInt64] { #expect(Self.invalidate(machine, kind: kind, tag: 0) == .step, "\(kind)") }
        let refused = Outcome.inject(.generalProtection)
        #expect(
            Self.invalidate(machine, kind: 4, tag: 0) == refused && Self.invalidate(machine, kind: 2, tag: 1 << 12) == refused)
        #expect(Self.invalidate(machine, kind: 1, tag: 5) == refused && Self.invalidate(machine, kind: 2, tag: 5) == .step)
        #expect(Self.invalidate(machine, kind: 0, tag: 0, 1 << 47) == refused)
        machine.map(0x2_0000, entry: 0)
        #expect(Self.invalidate(machine, kind: 2, tag: 0) == .inject(.exception(.pageFault, errorCode: 0)))
    }

    @Test func `segments of real mode are awaited`() {
        let machine = TestMachine(.long64, isShadowed: true)
        machine.processor.setSegment(.ds, .init(selector: 3, base: 0, limit: 0xFFFF_FFFF, attributes: .data32))
        machine.cpu.registers.rax = 0x8001_0031
        #expect(
            machine.exit(.controlRegisterAccess, qualification: 0, length: 3) == .step && Self.usesEPT(machine)
                && machine.vmcs[0x4002] & 1 << 27 != 0
        )
        machine.processor.setSegment(.ds, .init(selector: 16, base: 0, limit: 0xFFFF_FFFF, attributes: .data32))
        #expect(machine.exit(.monitorTrapFlag) == .resume && !Self.usesEPT(machine) && machine.vmcs[0x4002] & 1 << 27 == 0)
    }

    @Test func `the page-directory pointers are the guest's, whatever exits leave in their fields`() {
        let machine = Self.machine(.pae)
        for field in stride(from: 0x280A, through: 0x2810, by: 2) { machine.vmcs[UInt32(field)] = 0xDEAD_B001 }
        #expect(Self.pageFault(machine, 0x20_0000, 0) == .resume)
        machine.cpu.registers.rax = 0x8000_0031
        #expect(machine.exit(.controlRegisterAccess, qualification: 0, length: 3) == .step && Self.usesEPT(machine))
        #expect(machine.vmcs[0x280A] & 1 == 1 && machine.vmcs[0x280A] != 0xDEAD_B001 && machine.vmcs[0x280C] == 0)
    }

    @Test func `a load of CR3 that keeps translations has none to keep that were invalidated before`() {
        let machine = Self.machine(.long64)
        let own = machine.cpu.processor.cr3
        machine.cpu.registers.rax = 0x2_0020
        #expect(machine.exit(.controlRegisterAccess, qualification: 4, length: 3) == .step)  // CR4.PCIDE
        func load(_ tag: UInt64, keeps: Bool) {
            machine.cpu.registers.rax = own | tag | (keeps ? 1 << 63 : 0)
            #expect(machine.exit(.controlRegisterAccess, qualification: 3, length: 3) == .step)
        }
        func isKnown(_ tag: UInt64) -> Bool { machine.machine.pointee.shadow!.pointee.identifiers.contains(tag, root: own >> 12) }
        load(2, keeps: false)
        load(1, keeps: false)
        #expect(Self.invalidate(machine, kind: 1, tag: 2) == .step)
        #expect(!isKnown(2))
        load(2, keeps: true)
        #expect(isKnown(1) && isKnown(2) && !isKnown(3))
        #expect(Self.invalidate(machine, kind: 1, tag: 1) == .step)
        #expect(!isKnown(1))
        #expect(Self.invalidate(machine, kind: 3, tag: 0) == .step)
        #expect(isKnown(2))
    }

    /// The CR3-target values.
    static func allowed(_ machine: TestMachine) -> Set<UInt64> {
        Set((0..<UInt32(machine.vmcs[0x400A])).map { machine.vmcs[0x6008 + 2 * $0] })
    }

    static func copyPage(_ machine: TestMachine, from: UInt64, to: UInt64) {
        for index in stride(from: 0, to: 4096, by: 8) {
            machine.ram.put64(machine.ram.word64(Int(from) + index), at: Int(to) + index)
        }
    }

    @Test func `where the machine's memory is free, what the guest has loaded it loads again without an exit`() {
        let machine = Self.machine(.long64, hasTwins: true)
        let own = machine.cpu.processor.cr3
        #expect(Self.loadedCR3(machine) == own && machine.vmcs[0x4002] & 0x1_8000 == 0x8000 && Self.allowed(machine) == [own])
        machine.cpu.registers.rax = 0x2_0020
        #expect(machine.exit(.controlRegisterAccess, qualification: 4, length: 3) == .step)  // CR4.PCIDE
        func load(_ value: UInt64) {
            machine.cpu.registers.rax = value
            #expect(machine.exit(.controlRegisterAccess, qualification: 3, length: 3) == .step)
        }
        // Another address space, whose tables are the same but for the root.
        let other: UInt64 = 0x3_0000
        Self.copyPage(machine, from: own, to: other)
        load(own | 1)
        load(other | 2)
        let keeps: UInt64 = 1 << 63
        #expect(
            Self.allowed(machine).isSuperset(of: [own | 1 | keeps, other | 2 | keeps]) && Self.loadedCR3(machine) == other | 2)
        // Without an exit back to the first, whose tables are then filled.
        machine.vmcs[0x6802] = own | 1
        #expect(machine.cpu.processor.cr3 == own | 1)
        #expect(Self.pageFault(machine, 0x20_0000, 0) == .resume)
        #expect(machine.machine.pointee.shadow!.pointee.paging.cr3 == own | 1)
        // The same from an address space at whose root's place the machine has something else.
        let occupied = TestShadow.occupied
        Self.copyPage(machine, from: own, to: occupied)
        load(occupied | 3)
        #expect(
            Self.isOfShadow(Self.loadedCR3(machine)) && machine.cpu.processor.cr3 == occupied | 3
                && machine.vmcs[0x4002] & 0x1_0000 != 0)
        machine.vmcs[0x6802] = own | 1
        #expect(machine.cpu.processor.cr3 == own | 1 && Self.pageFault(machine, 0x20_1000, 0) == .resume)
        #expect(machine.machine.pointee.shadow!.pointee.paging.cr3 == own | 1)
        // What the guest has invalidated of the other it has to load with an exit.
        #expect(Self.invalidate(machine, kind: 1, tag: 2) == .step)
        #expect(Self.allowed(machine).contains(own | 1 | keeps) && !Self.allowed(machine).contains(other | 2 | keeps))
        #expect(Self.invalidate(machine, kind: 2, tag: 0) == .step)
        #expect(Self.allowed(machine) == [own | 1 | keeps])
        machine.cpu.registers.rax = 0x8000_0031
        #expect(machine.exit(.controlRegisterAccess, qualification: 0, length: 3) == .step)
        #expect(Self.usesEPT(machine) && Self.loadedCR3(machine) == own | 1)
    }

    @Test
    func
        `without process-context identifiers each address space that fits is loaded again without an exit, while no table is out of step`()
    {
        let machine = Self.machine(.long64, hasTwins: true)
        let own = machine.cpu.processor.cr3
        let other: UInt64 = 0x3_0000
        Self.copyPage(machine, from: own, to: other)
        machine.cpu.registers.rax = other
        #expect(machine.exit(.controlRegisterAccess, qualification: 3, length: 3) == .step)
        #expect(Self.allowed(machine) == [own, other])
        // A table is mapped and written to.
        #expect(Self.pageFault(machine, own, 0) == .resume)
        #expect(Self.pageFault(machine, own, 2) == .resume)
        #expect(Self.allowed(machine).isEmpty)
    }

    @Test func `a guest that goes round more address spaces than the processor has values for loads some without an exit`() {
        let machine = Self.machine(.long64, hasTwins: true)
        let own = machine.cpu.processor.cr3
        let roots = (0..<8).map { 0x3_0000 + UInt64($0) << 12 }
        for root in roots { Self.copyPage(machine, from: own, to: root) }
        var exits = 0
        for _ in 0..<8 {
            for root in roots {
                if Self.allowed(machine).contains(root) {
                    machine.vmcs[0x6802] = root
                } else {
                    machine.cpu.registers.rax = root
                    #expect(machine.exit(.controlRegisterAccess, qualification: 3, length: 3) == .step)
                    exits += 1
                }
                #expect(machine.cpu.processor.cr3 == root)
            }
        }
        #expect(exits <= 48)
    }
}
