import Support
import Testing
import Virtualization
import X86

@testable import Machine
@testable import VMX

/// Hardware task switches, as the processor leaves them to the hypervisor (SDM volume 3, "Task Switching").
@Suite struct TaskSwitchTests {
    static let table = 0x2_0000, old = 0x2_1000, new = 0x2_2000, local = 0x2_3000
    static let code: UInt16 = 8, data: UInt16 = 0x10, oldTask: UInt16 = 0x18, newTask: UInt16 = 0x20, localTable: UInt16 = 0x28
    static let absentCode: UInt16 = 0x30, absentData: UInt16 = 0x38, userCode: UInt16 = 0x43, userData: UInt16 = 0x4B
    static let call: UInt64 = 0, iret: UInt64 = 1, jump: UInt64 = 2, gate: UInt64 = 3
    static let busy: UInt8 = 2

    /// A machine in a 32-bit task, and another task, which begins at 12340H.
    static func machine(_ mode: TestMachine.Mode = .protected32, isWide: Bool = true) -> TestMachine {
        let machine = TestMachine(mode)
        let type: UInt64 = isWide ? 0x89 : 0x81
        let limit: UInt64 = isWide ? 0x67 : 0x2B
        let descriptors: [UInt64] = [
            0, 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x0000_8B02_1000_0067, 0x0000_0002_2000_0000 | type << 40 | limit,
            0x0000_8202_3000_000F, 0x00CF_1B00_0000_FFFF, 0x00CF_1300_0000_FFFF, 0x00CF_FB00_0000_FFFF, 0x00CF_F300_0000_FFFF,
        ]
        for (index, descriptor) in descriptors.enumerated() { machine.ram.put64(descriptor, at: table + 8 * index) }
        machine.ram.put64(0x00CF_9200_0000_FFFF, at: local)
        machine.processor.setGlobalDescriptorTable(base: UInt64(table), limit: UInt32(8 * descriptors.count - 1))
        machine.processor.setSegment(
            .tr, .init(selector: oldTask, base: UInt64(old), limit: 0x67, attributes: .init(rawValue: 0x8B)))
        for register in [SegmentRegister.ds, .es, .ss, .fs, .gs] {
            machine.processor.setSegment(register, .init(selector: data, base: 0, limit: .max, attributes: .data32))
        }
        machine.rip = 0x1_0000
        machine.rflags = 0x202
        machine.processor.stackPointer = 0x3_0000
        for number in 0..<8 where number != 4 {
            machine.cpu.registers.set(RegisterNumber(UInt8(number)), to: UInt64(0xA000_0000 + number))
        }
        prepare(machine, isWide: isWide)
        return machine
    }

    private static func prepare(_ machine: TestMachine, isWide: Bool) {
        let unit = isWide ? 4 : 2
        var fields: [UInt32] = [0x1_2340, 3] + (0..<8).map { 0xB000_0050 + $0 }
        fields[6] = isWide ? 0x3_1000 : 0x1000
        fields += [data, code, data, data].map(UInt32.init)
        if isWide { fields += [UInt32(data), UInt32(data)] }
        for (index, field) in (fields + [0]).enumerated() {
            put(machine, field, at: new + (isWide ? 0x20 : 0xE) + unit * index, size: unit)
        }
        if isWide { machine.ram.put32(UInt32(truncatingIfNeeded: machine.processor.cr3), at: new + 0x1C) }
    }

    private static func put(_ machine: TestMachine, _ value: UInt32, at place: Int, size: Int) {
        machine.ram.put((0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }, at: place)
    }

    /// A field of the new task's 32-bit segment.
    static func set(_ machine: TestMachine, _ offset: Int, _ value: UInt32) { machine.ram.put32(value, at: new + offset) }

    private static func get(_ machine: TestMachine, _ place: Int, size: Int = 4) -> UInt32 {
        machine.ram[place..<place + size].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func isBusy(_ machine: TestMachine, _ selector: UInt16) -> Bool {
        machine.ram[table + Int(selector) + 5..<table + Int(selector) + 6].first! & busy != 0
    }

    @discardableResult
    static func to(_ machine: TestMachine, _ source: UInt64, vectoring: UInt32 = 0, errorCode: UInt32 = 0, length: UInt32 = 7)
        -> Outcome
    {
        machine.exit(
            .taskSwitch, qualification: source << 30 | UInt64(newTask), length: length, vectoring: vectoring,
            vectoringErrorCode: errorCode)
    }

    // MARK: What is saved and loaded

    @Test(arguments: [call, jump, iret]) func `an instruction saves the old task behind it and loads the new one`(source: UInt64)
    {
        let machine = Self.machine()
        machine.rflags |= 1 << 14
        if source == Self.iret { machine.ram.put([0x8B], at: Self.table + Int(Self.newTask) + 5) }
        #expect(Self.to(machine, source) == .resume)
        #expect(machine.injection == nil)
        #expect(Self.get(machine, Self.old + 0x20) == 0x1_0007)
        #expect(Self.get(machine, Self.old + 0x24) == (source == Self.iret ? 0x202 : 0x4202))
        for number in 0..<8 where number != 4 {
            #expect(Self.get(machine, Self.old + 0x28 + 4 * number) == 0xA000_0000 + UInt32(number))
            #expect(machine.cpu.registers[RegisterNumber(UInt8(number))] == 0xB000_0050 + UInt64(number))
        }
        #expect(Self.get(machine, Self.old + 0x38) == 0x3_0000 && machine.processor.stackPointer == 0x3_1000)
        #expect((0..<6).map { Self.get(machine, Self.old + 0x48 + 4 * $0) } == [0x10, 8, 0x10, 0x10, 0x10, 0x10])
        #expect(machine.rip == 0x1_2340)
        #expect(machine.rflags == (source == Self.call ? 0x4003 : 3))
        #expect(machine.processor.cr0.contains(.taskSwitched))
        let register = machine.processor.segment(.tr)
        #expect(register.selector.rawValue == Self.newTask && register.base == UInt64(Self.new) && register.limit == 0x67)
        #expect(Self.isBusy(machine, Self.newTask))
        #expect(Self.isBusy(machine, Self.oldTask) == (source == Self.call))
        #expect(Self.get(machine, Self.new, size: 2) == (source == Self.call ? UInt32(Self.oldTask) : 0))
        #expect(machine.processor.segment(.cs).attributes == .code32 && machine.processor.segment(.ldtr).attributes.rawValue == 0)
    }

    @Test func `an interrupt and an exception save where the task stands, a software interrupt what lies behind it`() {
        for (kind, vector, pointer) in [
            (EventTests.external, 0x40, 0x1_0000), (EventTests.nmi, 2, 0x1_0000), (EventTests.hardware, 6, 0x1_0000),
            (EventTests.software, 0x40, 0x1_0002), (EventTests.softwareException, 3, 0x1_0002),
            (EventTests.privileged, 1, 0x1_0002),
        ] as [(UInt32, UInt8, UInt32)] {
            let machine = Self.machine()
            #expect(Self.to(machine, Self.gate, vectoring: EventTests.information(kind, vector), length: 2) == .resume)
            #expect(Self.get(machine, Self.old + 0x20) == pointer, "kind \(kind)")
            #expect(machine.rflags == 0x4003 && Self.get(machine, Self.new, size: 2) == UInt32(Self.oldTask))
            #expect(machine.processor.stackPointer == 0x3_1000, "no error code")
            #expect(machine.injection == nil, "the event is delivered")
            #expect(machine.vmcs[0x4824] == (kind == EventTests.nmi ? 8 : 0))
        }
    }

    @Test func `IRET ends the blocking of NMIs`() {
        let machine = Self.machine()
        machine.vmcs[0x4824] = 8
        machine.ram.put([0x8B], at: Self.table + Int(Self.newTask) + 5)
        Self.to(machine, Self.iret)
        #expect(machine.vmcs[0x4824] == 0)
    }

    @Test func `an error code is pushed on the new task's stack, in its size`() {
        for isWide in [true, false] {
            let machine = Self.machine(isWide: isWide)
            let stack: UInt64 = isWide ? 0x3_1000 : 0xFFFF_1000
            if !isWide { machine.ram.put64(0x0000_9300_0000_FFFF, at: Self.table + Int(Self.data)) }
            let event = EventTests.information(EventTests.hardware, 13, hasErrorCode: true)
            #expect(Self.to(machine, Self.gate, vectoring: event, errorCode: 0x1234) == .resume)
            let size: UInt64 = isWide ? 4 : 2
            #expect(machine.processor.stackPointer == stack - size)
            #expect(Self.get(machine, Int(stack & 0xFFFFF & (isWide ? .max : 0xFFFF)) - Int(size), size: Int(size)) == 0x1234)
        }
    }

    @Test func `a 16-bit task loads lower halves, no FS and GS, and no CR3`() {
        let machine = Self.machine(isWide: false)
        let table = machine.processor.cr3
        #expect(Self.to(machine, Self.call) == .resume)
        #expect(machine.rip == 0x2340 && machine.rflags == 0x4003)
        #expect(machine.cpu.registers.rcx & 0xFFFF == 0x51 && machine.processor.cr3 == table)
        for register in [SegmentRegister.fs, .gs] {
            let segment = machine.processor.segment(register)
            #expect(segment.selector.rawValue == 0 && segment.attributes.rawValue == 0)
        }
        #expect(machine.processor.segment(.tr).attributes.rawValue & 0x1F == 3)
    }

    @Test func `CR3 is loaded where the guest pages, and translations are dropped`() {
        let machine = Self.machine(.paged32)
        Self.set(machine, 0x1C, 0x3F_0000)
        machine.ram.put(Array(machine.ram[TestMachine.Table.directory32..<TestMachine.Table.directory32 + 0x1000]), at: 0x3F_0000)
        #expect(Self.to(machine, Self.jump) == .resume)
        #expect(machine.processor.cr3 == 0x3F_0000 && machine.invalidations != [])
    }

    @Test func `under PAE paging the four entries are loaded with CR3, or fault in the new task`() {
        for (entry, isRight) in [(UInt64(TestMachine.Table.directory) | 1, true), (0x1E7, false)] as [(UInt64, Bool)] {
            let machine = Self.machine(.pae)
            Self.set(machine, 0x1C, 0x3F_0000)
            machine.ram.put64(UInt64(TestMachine.Table.directory) | 1, at: 0x3F_0000)
            machine.ram.put64(entry, at: 0x3F_0008)
            Self.to(machine, Self.jump)
            #expect(machine.injection == (isRight ? nil : .generalProtection))
            #expect(machine.rip == 0x1_2340 && machine.processor.pageDirectoryPointers()[1] == (isRight ? entry : 0))
        }
    }

    @Test func `the local table is loaded, and what it describes is marked as accessed`() {
        let machine = Self.machine()
        Self.set(machine, 0x60, UInt32(Self.localTable))
        Self.set(machine, 0x58, 4)
        #expect(Self.to(machine, Self.jump) == .resume)
        #expect(machine.processor.segment(.ldtr).base == UInt64(Self.local))
        #expect(machine.processor.segment(.fs).attributes == .data32)
        #expect(machine.ram[Self.local + 5..<Self.local + 6] == [0x93])
    }

    @Test func `a task in virtual-8086 mode has that mode's segments`() {
        let machine = Self.machine()
        Self.set(machine, 0x24, 2 | 1 << 17)
        for offset in stride(from: 0x48, through: 0x5C, by: 4) { Self.set(machine, offset, 0x1200 + UInt32(offset)) }
        #expect(Self.to(machine, Self.jump) == .resume)
        #expect(machine.processor.mode == .virtual8086)
        #expect(
            machine.processor.segment(.cs)
                == Segment(selector: 0x124C, base: 0x124C0, limit: 0xFFFF, attributes: .init(rawValue: 0xF3)))
    }

    @Test func `the T bit raises a debug trap in the new task, and local breakpoints are cleared`() {
        let machine = Self.machine()
        machine.host.debugStatus = 0xFFFF_0FF0
        machine.vmcs[0x681A] = 0x403 | 1 << 8
        Self.set(machine, 0x64, 1)
        #expect(Self.to(machine, Self.jump) == .inject(.exception(.debug)))
        #expect(machine.host.debugStatus == 0xFFFF_8FF0)
        #expect(machine.rip == 0x1_2340 && machine.vmcs[0x681A] == 0x402)
    }

    // MARK: What fails

    @Test(
        arguments: [
            (0x4C, UInt32(absentCode), 11, UInt32(absentCode)), (0x4C, UInt32(data), 10, UInt32(data)), (0x4C, 0, 10, 0),
            (0x4C, 0x100, 10, 0x100), (0x4C, UInt32(userCode) & ~3, 10, UInt32(userCode) & ~3), (0x50, 0, 10, 0),
            (0x50, UInt32(absentData), 12, UInt32(absentData)), (0x50, UInt32(code), 10, UInt32(code)),
            (0x50, UInt32(userData), 10, UInt32(userData) & ~3), (0x54, UInt32(absentData), 11, UInt32(absentData)),
            (0x58, 0x100, 10, 0x100), (0x48, UInt32(data) | 3, 10, UInt32(data)), (0x5C, UInt32(oldTask), 10, UInt32(oldTask)),
            (0x60, UInt32(data), 10, UInt32(data)), (0x60, UInt32(localTable) | 4, 10, UInt32(localTable) | 4),
        ] as [(Int, UInt32, UInt8, UInt32)])
    func `a bad selector faults in the new task`(offset: Int, value: UInt32, vector: UInt8, errorCode: UInt32) {
        for isExternal in [false, true] {
            let machine = Self.machine()
            Self.set(machine, offset, value)
            let event = EventTests.information(isExternal ? EventTests.external : EventTests.software, 0x40)
            Self.to(machine, Self.gate, vectoring: event, length: 2)
            #expect(machine.injection == .exception(vector, errorCode: errorCode | (isExternal ? 1 : 0)))
            #expect(machine.rip == 0x1_2340 && machine.processor.segment(.tr).selector.rawValue == Self.newTask)
            #expect(Self.isBusy(machine, Self.newTask))
        }
    }

    @Test func `a segment that is too small, or not there, faults in the old task, which nothing has changed`() {
        for isPaged in [false, true] {
            let machine = Self.machine(isPaged ? .paged32 : .protected32)
            if isPaged { machine.map(Self.new, entry: 0) } else { machine.ram.put([0x66], at: Self.table + Int(Self.newTask)) }
            let memory = machine.ram[0..<machine.ram.size]
            let registers = machine.cpu.registers
            Self.to(machine, Self.call)
            #expect(
                machine.injection == (isPaged ? .exception(14, errorCode: 0) : .exception(10, errorCode: UInt32(Self.newTask))))
            if isPaged { #expect(machine.host.pageFaultAddress == UInt64(Self.new)) }
            #expect(machine.rip == 0x1_0000 && machine.processor.segment(.tr).selector.rawValue == Self.oldTask)
            #expect(machine.cpu.registers == registers && !machine.processor.cr0.contains(.taskSwitched))
            if !isPaged { #expect(machine.ram[0..<machine.ram.size] == memory) }
        }
    }

    @Test func `a fault while an exception goes through a task gate is a double fault, and a second one the end`() {
        let machine = Self.machine()
        machine.ram.put([0x66], at: Self.table + Int(Self.newTask))
        Self.to(machine, Self.gate, vectoring: EventTests.information(EventTests.hardware, 13, hasErrorCode: true))
        #expect(machine.injection == .exception(8, errorCode: 0))
        #expect(
            Self.to(machine, Self.gate, vectoring: EventTests.information(EventTests.hardware, 8, hasErrorCode: true))
                == .end(.tripleFault))
    }

    /// TestMachine checks that the VM entry after each would be taken.
    @Test(arguments: 1...4 as ClosedRange<UInt64>) func `no contents of a task's segment end anything but the guest`(seed: UInt64)
    {
        var generator = RandomWords(seed: seed)
        for round in 0..<120 {
            let isWide = round % 3 != 0
            let machine = Self.machine(round % 2 == 0 ? .protected32 : .paged32, isWide: isWide)
            for _ in 0..<3 {
                let places =
                    Array(Self.new..<Self.new + 0x68) + Array(Self.table..<Self.table + 80) + Array(Self.local..<Self.local + 16)
                machine.ram.put(
                    [UInt8(truncatingIfNeeded: generator.next())], at: places[Int(generator.next() % UInt64(places.count))])
            }
            let source = generator.next() % 4
            let event = source == Self.gate ? EventTests.information(EventTests.hardware, 13, hasErrorCode: true) : 0
            Self.to(machine, source, vectoring: event, errorCode: 8)
        }
    }
}
