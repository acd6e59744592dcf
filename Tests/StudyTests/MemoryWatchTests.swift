import Memory
import Testing
import Virtualization

@testable import Debug
@testable import Machine
@testable import StudyTools

/// What the monitor's breakpoints on memory see: the whole of each access, and what Martlet reads and writes for the guest.
@Suite struct MemoryWatchTests {
    static let readFault: UInt64 = 1 | 0x180, writeFault: UInt64 = 2 | 0x180
    /// Memory that is not there, behind the RAM.
    static let absent: UInt64 = 0x50_0000

    /// A guest at an instruction, with breakpoints.
    private func session(_ code: [UInt8], _ mode: TestMachine.Mode = .long64, _ commands: String...) -> MonitorSession {
        let session = MonitorSession(mode)
        session.machine.ram.put(code, at: TestMachine.code)
        for command in commands { session.type(command) }
        return session
    }

    // MARK: The whole of an access

    @Test(
        arguments: [
            ([0x48, 0x89, 0x03], 0x30FF8, 0x30FF8, true), ([0x89, 0x03], 0x30FF8, 0x30FF8, false),
            ([0x89, 0x03], 0x30FFC, 0x30FFC, true),
            ([0x88, 0x03], 0x30FFF, 0x30FFF, true), ([0x66, 0x0F, 0x7F, 0x03], 0x30FF0, 0x30FF0, true),
        ] as [([UInt8], UInt64, UInt64, Bool)])
    func `a store that begins before a watch and reaches into it stops`(
        code: [UInt8], base: UInt64, physical: UInt64, stops: Bool
    ) {
        let session = session(code, .long64, "break write 0x30fff")
        session.machine.cpu.registers.rbx = base
        #expect((session.exit(.eptViolation, qualification: Self.writeFault, physical: physical) != nil) == stops)
        #expect(session.traps && session.protected == [:])
    }

    @Test(arguments: [("0x31000", true), ("0x31003", true), ("0x31004", false)])
    func `a store from the page before stops at all that it reaches`(watched: String, stops: Bool) {
        let session = session([0x48, 0x89, 0x03], .long64, "break write \(watched)")
        session.machine.cpu.registers.rbx = 0x30FFC
        #expect((session.exit(.eptViolation, qualification: Self.writeFault, physical: 0x31000) != nil) == stops)
    }

    @Test func `an access that crosses from one watched page to another stops for what it does there`() {
        let session = session([0x48, 0x89, 0x03], .long64, "break write 0x30000", "break write 0x31003")
        session.machine.map(0x31000, entry: 0x31003)
        session.machine.cpu.registers.rbx = 0x30FFC
        #expect(session.exit(.eptViolation, qualification: Self.writeFault, physical: 0x30FFC) == "breakpoint 2")
    }

    @Test func `of two reads of an instruction both stop`() {
        // CMPSB: the processor is at the first, with which all reads pass.
        let session = session([0xA6], .long64, "break read 0x30800")
        session.machine.cpu.registers.rsi = 0x30100
        session.machine.cpu.registers.rdi = 0x30800
        #expect(session.exit(.eptViolation, qualification: Self.readFault, physical: 0x30100) == "breakpoint 1")
    }

    @Test func `a read does not stop for what the instruction writes, which stops by itself`() {
        let session = session([0xA4], .long64, "break read 0x30900", "break write 0x30800")
        session.machine.cpu.registers.rsi = 0x30100
        session.machine.cpu.registers.rdi = 0x30800
        #expect(session.exit(.eptViolation, qualification: Self.readFault, physical: 0x30100) == nil)
        #expect(session.exit(.eptViolation, qualification: Self.writeFault, physical: 0x30800) == "breakpoint 2")
    }

    @Test func `of a repeated instruction the next element counts`() {
        let session = session([0xF3, 0xAB], .long64, "break write 0x30008")
        session.machine.cpu.registers.rdi = 0x30000
        session.machine.cpu.registers.rcx = 100
        #expect(session.exit(.eptViolation, qualification: Self.writeFault, physical: 0x30000) == nil)
        session.machine.cpu.registers.rdi = 0x30008
        #expect(session.exit(.eptViolation, qualification: Self.writeFault, physical: 0x30008) == "breakpoint 1")
    }

    @Test func `of an instruction that is not known the access's beginning decides`() {
        // FST to memory.
        let session = session([0xDD, 0x13], .long64, "break write 0x30004")
        session.machine.cpu.registers.rbx = 0x30000
        #expect(session.exit(.eptViolation, qualification: Self.writeFault, physical: 0x30000) == nil)
        #expect(session.exit(.monitorTrapFlag) == nil)
        #expect(session.exit(.eptViolation, qualification: Self.writeFault, physical: 0x30004) == "breakpoint 1")
    }

    @Test func `a fetch stops where the instruction begins`() {
        let session = session([0x48, 0x89, 0x03], .long64, "break fetch 0x10001")
        #expect(session.exit(.eptViolation, qualification: 4 | 0x180, physical: 0x10000) == nil)
    }

    @Test func `a walk to an operand in a watched page of tables does not hide the operand`() {
        let session = session([0x8B, 0x03], .long64, "break read 0x40000", "break read 0x4ff8")
        session.machine.cpu.registers.rbx = 0x40000
        let entry = UInt64(TestMachine.Table.low + 8 * 0x40)
        #expect(session.exit(.eptViolation, qualification: 1 | 0x80, physical: entry) == "breakpoint 1")
        session.type("delete 1", "break read \(entry + 7)")
        #expect(session.exit(.monitorTrapFlag) == nil)
        #expect(session.exit(.eptViolation, qualification: 1 | 0x80, physical: entry) == "breakpoint 1")
    }

    // MARK: INS and OUTS

    /// REP, a byte, DS:RSI or ES:RDI with 64-bit addresses.
    private func stringIO(_ session: MonitorSession, isInput: Bool) -> String? {
        session.exit(.ioInstruction, qualification: 0x3F8 << 16 | 0x30 | (isInput ? 8 : 0), details: 2 << 7 | 3 << 15)
    }

    @Test func `OUTS stops before it reads watched memory, and is done once`() {
        let session = session([0xF3, 0x6E], .long64, "break read 0x30004 0x30005")
        session.machine.ram.put(Array("martlet!".utf8), at: 0x30000)
        session.machine.cpu.registers.rsi = 0x30000
        session.machine.cpu.registers.rcx = 4
        #expect(stringIO(session, isInput: false) == nil)
        #expect(session.machine.cpu.registers.rcx == 0 && session.machine.cpu.registers.rsi == 0x30004)
        session.machine.cpu.registers.rcx = 4
        #expect(stringIO(session, isInput: false) == "breakpoint 1")
        #expect(session.machine.cpu.registers.rcx == 4 && session.traps && session.protected.count == 1)
        session.type("continue")
        #expect(session.traps)
        #expect(stringIO(session, isInput: false) == nil)
        #expect(session.machine.cpu.registers.rcx == 0 && !session.traps)
        #expect(session.machine.host.transmittedText == "martlet!")
        session.machine.cpu.registers.rsi = 0x30005
        session.machine.cpu.registers.rcx = 1
        #expect(stringIO(session, isInput: false) == "breakpoint 1")
    }

    @Test func `INS stops before it writes watched memory, backwards too, and does not read it`() {
        let session = session([0xF3, 0x6C], .long64, "break read 0x30000 0x30fff")
        session.machine.rflags |= 1 << 10
        session.machine.cpu.registers.rdi = 0x30010
        session.machine.cpu.registers.rcx = 1
        #expect(stringIO(session, isInput: true) == nil)
        session.type("break write 0x3000d")
        session.machine.cpu.registers.rcx = 2
        #expect(stringIO(session, isInput: true) == nil)
        session.machine.cpu.registers.rcx = 1
        #expect(stringIO(session, isInput: true) == "breakpoint 2")
    }

    @Test func `a condition that does not hold lets Martlet read at once`() {
        let session = session([0xF3, 0x6E], .long64, "break read 0x30000 if rcx == 5")
        session.machine.cpu.registers.rsi = 0x30000
        session.machine.cpu.registers.rcx = 4
        #expect(stringIO(session, isInput: false) == nil)
        #expect(session.machine.cpu.registers.rcx == 0 && !session.traps)
    }

    @Test func `a walk that Martlet makes stops at the guest's tables, at a write only if a bit is set`() {
        let entry = TestMachine.Table.low + 8 * 0x30
        for (kind, value, stops) in [("read", 0x30027, true), ("write", 0x30007, true), ("write", 0x30027, false)]
            as [(String, UInt64, Bool)]
        {
            let session = session([0xF3, 0x6E], .long64, "break \(kind) \(entry + 7)")
            session.machine.map(0x30000, entry: value)
            session.machine.cpu.registers.rsi = 0x30000
            session.machine.cpu.registers.rcx = 1
            #expect((stringIO(session, isInput: false) != nil) == stops, "\(kind) \(value)")
            // Whoever only looks marks nothing.
            #expect(!stops || session.machine.ram.word64(entry) == value)
        }
    }

    @Test func `what would fault is not accessed`() {
        let session = session([0xF3, 0x6E], .long64, "break read 0x30001", "break read 0x31000")
        session.machine.map(0x30000, entry: 0)
        session.machine.cpu.registers.rsi = 0x30000
        session.machine.cpu.registers.rcx = 0x1001
        #expect(stringIO(session, isInput: false) == nil)
        #expect(session.machine.injection?.vector == 14)
    }

    // MARK: Instructions on devices

    @Test func `MOVS from a device stops before it writes watched memory`() {
        let session = session([0xA4], .long64, "break write 0x30000")
        session.machine.cpu.registers.rsi = Self.absent
        session.machine.cpu.registers.rdi = 0x30000
        #expect(session.exit(.eptViolation, qualification: 0x181, physical: Self.absent) == "breakpoint 1")
        #expect(session.machine.ram.word64(0x30000) == 0 && session.machine.cpu.registers.rdi == 0x30000)
        session.type("continue")
        #expect(session.exit(.eptViolation, qualification: 0x181, physical: Self.absent) == nil)
        #expect(session.machine.ram.word64(0x30000) == 0xFF && !session.traps)
    }

    @Test func `MOVS to a device stops at its read once`() {
        let session = session([0xA4], .long64, "break read 0x30000")
        session.machine.cpu.registers.rsi = 0x30000
        session.machine.cpu.registers.rdi = Self.absent
        #expect(session.exit(.eptViolation, qualification: Self.readFault, physical: 0x30000) == "breakpoint 1")
        session.type("continue")
        #expect(session.exit(.eptViolation, qualification: 0x182, physical: Self.absent) == nil)
        #expect(session.machine.cpu.registers.rsi == 0x30001)
    }

    @Test func `a repeated MOVS to a device stops at what its later elements read`() {
        let session = session([0xF3, 0xA4], .long64, "break read 0x30004")
        session.machine.cpu.registers.rsi = 0x30000
        session.machine.cpu.registers.rdi = Self.absent
        session.machine.cpu.registers.rcx = 8
        #expect(session.exit(.eptViolation, qualification: Self.readFault, physical: 0x30000) == nil)
        #expect(session.exit(.eptViolation, qualification: 0x182, physical: Self.absent) == "breakpoint 1")
        #expect(session.machine.cpu.registers.rcx == 8)
    }

    @Test func `PUSH of a device stops at the stack, POP to one too`() {
        let push = session([0xFF, 0x33], .long64, "break write 0x2fff8")
        push.machine.processor.stackPointer = 0x30000
        push.machine.cpu.registers.rbx = Self.absent
        #expect(push.exit(.eptViolation, qualification: 0x181, physical: Self.absent) == "breakpoint 1")
        let pop = session([0x8F, 0x03], .long64, "break read 0x30007")
        pop.machine.processor.stackPointer = 0x30000
        pop.machine.cpu.registers.rbx = Self.absent
        #expect(pop.exit(.eptViolation, qualification: 0x182, physical: Self.absent) == "breakpoint 1")
    }

    @Test func `an operand with one end in the RAM stops there`() {
        let session = session([0x48, 0x8B, 0x03], .long64, "break read 0x3fffff")
        session.machine.cpu.registers.rbx = 0x3F_FFFC
        #expect(session.exit(.eptViolation, qualification: 0x181, physical: 0x40_0000) == "breakpoint 1")
    }

    @Test func `a MOV whose operand is a device's walks nothing`() {
        let session = session([0x8B, 0x03], .long64, "break read 0x1000 0x5fff")
        session.machine.cpu.registers.rbx = Self.absent + 8
        #expect(session.exit(.eptViolation, qualification: 0x181, physical: Self.absent + 8) == nil)
        #expect(session.machine.rip == 0x10002)
    }

    // MARK: Tables that Martlet loads

    @Test func `what PAE paging starts from is read when a control register is written`() {
        let session = session([0x0F, 0x22, 0xC0], .pae, "break read \(TestMachine.Table.pointersPAE + 31)")
        session.machine.cpu.registers.rax = session.machine.processor.cr0.rawValue
        #expect(session.exit(.controlRegisterAccess, qualification: 0) == nil)
        session.machine.cpu.registers.rax |= 1 << 30
        #expect(session.exit(.controlRegisterAccess, qualification: 0) == "breakpoint 1")
        session.type("continue")
        #expect(session.exit(.controlRegisterAccess, qualification: 0) == nil)
        #expect(session.machine.processor.cr0.rawValue & 1 << 30 != 0)
        session.machine.cpu.registers.rax = UInt64(TestMachine.Table.pointersPAE)
        #expect(session.exit(.controlRegisterAccess, qualification: 3) == "breakpoint 1")
        session.type("continue")
        #expect(session.exit(.controlRegisterAccess, qualification: 3) == nil)
        session.machine.cpu.registers.rax = 1 << 5 | 1 << 7
        #expect(session.exit(.controlRegisterAccess, qualification: 4) == "breakpoint 1")
    }

    @Test func `a hypercall that walks the guest's tables reads them`() {
        let entry = TestMachine.Table.low + 8 * 0x30
        let session = session([0x0F, 0x01, 0xC1], .long64, "break read \(entry)", "break write \(entry)")
        session.machine.cpu.registers.rax = 5
        session.machine.cpu.registers.rbx = 0x31000
        session.machine.cpu.registers.rcx = 1
        #expect(session.exit(.vmcall) == nil)
        session.machine.cpu.registers.rax = 5
        session.machine.cpu.registers.rbx = 0x30123
        #expect(session.exit(.vmcall) == "breakpoint 1")
    }
}
