import Memory
import Support
import Testing
import Virtualization
import X86

@testable import Machine

/// A guest whose own tables the processor walks: how that begins, what the guest may ask, and how it ends.
@Suite struct DirectPagingTests {
    static let start = TestDirect.ramStart
    static let root: UInt64 = 0x1000, pointers: UInt64 = 0x2000, directory: UInt64 = 0x3000, low: UInt64 = 0x4000,
        other: UInt64 = 0x5000
    static let page: UInt64 = 0x2_0000

    /// A guest before its paging, with tables that map its first 2 MiB to itself, writable but for the tables.
    static func machine() -> TestMachine {
        let machine = TestMachine(.protected32, isDirect: true)
        for table in [root, pointers, directory, low, other] {
            for index in 0..<UInt64(512) { machine.ram.put64(0, at: Int(table + 8 * index)) }
        }
        machine.ram.put64(start + pointers | 3, at: Int(root))
        machine.ram.put64(start + directory | 3, at: Int(pointers))
        machine.ram.put64(start + low | 3, at: Int(directory))
        for index in 0..<UInt64(512) {
            machine.ram.put64(start + index << 12 | ((1...5).contains(index) ? 1 : 3), at: Int(low + 8 * index))
        }
        machine.processor.cr3 = start + root
        machine.processor.cr4 = .physicalAddressExtension
        machine.processor.extendedFeatures = .longModeEnable
        return machine
    }

    /// MOV to CR0, from RAX.
    static func load(_ cr0: UInt64, _ machine: TestMachine) -> Outcome {
        machine.cpu.registers.rax = cr0
        return machine.exit(.controlRegisterAccess, qualification: 0, length: 3)
    }

    /// A guest in 64-bit code.
    static func running() -> TestMachine {
        let machine = machine()
        #expect(load(0x8001_0031, machine) == .step)
        machine.processor.setSegment(.cs, .init(selector: 8, base: 0, limit: 0xFFFF_FFFF, attributes: .code64))
        return machine
    }

    static func call(_ machine: TestMachine, _ function: UInt64, _ address: UInt64 = 0, _ rcx: UInt64 = 0) -> UInt64 {
        HypercallTests.call(machine, function, rbx: start + address, rcx: rcx)
    }

    static func update(_ machine: TestMachine, _ entry: UInt64, _ value: UInt64) -> UInt64 {
        machine.ram.put64(start + entry, at: Int(page))
        machine.ram.put64(value, at: Int(page) + 8)
        return call(machine, 11, page, 1)
    }

    @Test func `it begins with the guest's paging, without EPT, and MOV to CR3 exits`() {
        let machine = Self.machine()
        #expect(machine.vmcs[0x401E] & 0x82 == 0x82 && machine.vmcs[0x4002] & 0x8000 == 0)
        let before = machine.invalidations.count
        #expect(Self.load(0x8001_0031, machine) == .step)
        #expect(
            machine.vmcs[0x401E] & 0x82 == 0 && machine.vmcs[0x4002] & 0x1_8200 == 0x8000 && machine.vmcs[0x4004] & 1 << 14 == 0)
        #expect(machine.vmcs[0x6802] == Self.start + Self.root && machine.invalidations.count > before)
        // What the guest sees of its registers is its own.
        #expect(machine.cpu.processor.cr3 == Self.start + Self.root && machine.processor.translatesDirectly)
    }

    @Test func `a guest that does not keep to it ends`() {
        func ends(_ obstacle: DirectObstacle, _ cr0: UInt64 = 0x8001_0031, _ change: (TestMachine) -> Void = { _ in }) {
            let machine = Self.machine()
            change(machine)
            #expect(Self.load(cr0, machine) == .end(.unsupported(.directPaging(obstacle))))
        }
        ends(.foreign) { $0.processor.cr3 = Self.root }
        ends(.foreign) { $0.ram.put64(Self.directory | 3, at: Int(Self.pointers)) }
        ends(.writableTable) { $0.ram.put64(Self.start + Self.root | 3, at: Int(Self.low + 8)) }
        ends(.wrongTable) {
            $0.ram.put64(Self.start + Self.other | 3, at: Int(Self.directory + 8))
            $0.ram.put64(Self.start + Self.other | 3, at: Int(Self.root + 8))
        }
        ends(.reservedBits) { $0.ram.put64(2, at: Int(Self.root + 8)) }
        ends(.noWriteProtection, 0x8000_0031)
        ends(.otherMode) {
            $0.processor.extendedFeatures = .none
            $0.processor.cr4 = .none
        }
        ends(.segments) { $0.processor.setSegment(.cs, .init(selector: 8, base: 0, limit: 0xFFFF_FFFF, attributes: .data32)) }

        let machine = Self.running()
        #expect(Self.load(0x8000_0031, machine) == .end(.unsupported(.directPaging(.noWriteProtection))))
        let second = Self.running()
        second.processor.setSegment(.cs, .init(selector: 8, base: 0, limit: 0xFFFF_FFFF, attributes: .code32))
        #expect(Self.load(0x0001_0031, second) == .end(.unsupported(.directPaging(.pagingOff))))
    }

    @Test func `the guest is told where its RAM lies, before its paging too`() {
        let machine = Self.machine()
        #expect(Self.call(machine, 6) == 0)
        #expect(
            machine.cpu.registers.rbx == Self.start && machine.cpu.registers.rcx == UInt64(TestMachine.ramSize >> 12)
                && machine.cpu.registers.rdx == 0)
        for function in UInt64(7)...13 {
            #expect(Self.call(machine, function) == 0xFFFF_FFFF || Self.call(machine, function) == .max)
        }
        #expect(HypercallTests.call(TestMachine(), 6) == .max)
        let user = Self.running()
        user.enterUserMode()
        for function in UInt64(6)...13 { #expect(Self.call(user, function) == .max) }
    }

    @Test func `calls answer as DirectTables does, and drop translations where it asks for that`() {
        let machine = Self.running()
        var flushes = machine.invalidations.count
        func flushed() -> Bool {
            defer { flushes = machine.invalidations.count }
            return machine.invalidations.count > flushes
        }
        // A page stays writable until its entry is changed, and by what is cached until it becomes a table.
        #expect(Self.call(machine, 7, 0xA000, 4) == 4 && !flushed())
        #expect(Self.update(machine, Self.low + 8 * 10, Self.start + 0xA001) == 0 && machine.cpu.registers.rcx == 1 && !flushed())
        #expect(machine.ram.word64(Int(Self.low) + 8 * 10) == Self.start + 0xA001)
        #expect(Self.call(machine, 7, 0xA000, 4) == 0 && flushed())
        #expect(Self.call(machine, 12, 0xA000) == 2 && !flushed() && Self.call(machine, 9, 0xA000) == 0)
        #expect(Self.call(machine, 12, 0xA000) == 0 && flushed() && machine.processor.cr3 == Self.start + 0xA000)
        #expect(Self.call(machine, 12, Self.root) == 0 && flushed())
        #expect(Self.call(machine, 8, 0xA000) == 5 && Self.call(machine, 10, 0xA000) == 0 && Self.call(machine, 8, 0xA000) == 0)
        #expect(Self.call(machine, 13) == 0 && flushed())
        #expect(Self.update(machine, Self.low + 8, Self.start + Self.root | 3) == 4 && machine.cpu.registers.rcx == 0)
        // Bit 63 is reserved until IA32_EFER.NXE is set.
        #expect(Self.update(machine, Self.low + 8 * 10, 1 << 63 | Self.start + 0xA001) == 3)
        machine.processor.extendedFeatures = machine.processor.extendedFeatures | .executeDisable
        #expect(Self.update(machine, Self.low + 8 * 10, 1 << 63 | Self.start + 0xA001) == 0)
        // There is no forecast by guest-physical addresses.
        #expect(Self.call(machine, 5) == .max)
    }

    @Test func `MOV to CR3 names a pinned root`() {
        let machine = Self.running()
        func move(_ value: UInt64) -> Outcome {
            machine.cpu.registers.rax = value
            return machine.exit(.controlRegisterAccess, qualification: 3, length: 3)
        }
        #expect(move(Self.start + Self.root | 0x18) == .step && machine.processor.cr3 == Self.start + Self.root | 0x18)
        for value in [Self.start + Self.pointers, Self.start + 0x7000, Self.root, 0, 1 << 51] {
            #expect(move(value) == .generalProtection)
        }
        #expect(machine.processor.cr3 == Self.start + Self.root | 0x18)
    }

    @Test func `what Martlet reads and writes for an instruction goes the way of the guest's tables`() {
        let machine = Self.running()
        machine.ram.put64(0x11, at: Int(machine.rip))
        #expect(machine.cpu.fetchInstruction(in: machine.processor.mode)[0] == 0x11)
        func translated(_ address: UInt64, _ kind: GuestAccess.Kind) -> UInt64? {
            if case .page(let page) = machine.cpu.translate(GuestVirtualAddress(address), kind, through: .ds) {
                return page.rawValue
            }
            return nil
        }
        #expect(translated(0x1_2345, .write) == 0x1_2345 && translated(0x1010, .read) == 0x1010)
        #expect(machine.ram.word64(Int(Self.low) + 8 * 0x12) & 0x60 == 0x60)
        // A table, an absent page, and an address that is not canonical.
        #expect(translated(0x1010, .write) == nil && machine.host.pageFaultAddress == 0x1010)
        #expect(translated(0x20_0000, .read) == nil && translated(1 << 47, .read) == nil)
    }
}
