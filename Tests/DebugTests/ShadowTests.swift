import Memory
import Testing
import VMX
import Virtualization

@testable import Debug
@testable import Machine

/// A guest under study whose addresses shadow tables translate.
@Suite struct ShadowTests {
    static let pagingModes: [TestMachine.Mode] = [.paged32, .pae, .compatibility32, .long64]
    static let pageFault: UInt32 = 1 << 31 | 1 << 11 | 3 << 8 | 14

    /// A guest that has set CR0.WP.
    static func bench(_ mode: TestMachine.Mode = .long64, hasTrapFlag: Bool = true) -> AgentBench {
        let bench = AgentBench(mode, hasTrapFlag: hasTrapFlag, isShadowed: true)
        bench.machine.cpu.registers.rax = 0x8001_0031
        #expect(bench.machine.exit(.controlRegisterAccess, qualification: 0, length: 3) == .step)
        return bench
    }

    static func facts(_ bench: AgentBench) throws -> ShadowFacts { try bench.ask(.shadow) { ShadowFacts(&$0) } }

    static func registers(_ bench: AgentBench) throws -> [UInt64] {
        try bench.ask(.registers) { reader in (0..<GuestRegister.count).compactMap { _ in reader.uint64() } }
    }

    static func loadedCR3(_ bench: AgentBench) -> UInt64 { bench.machine.vmcs[0x6802] }
    static func usesEPT(_ bench: AgentBench) -> Bool { bench.machine.vmcs[0x401E] & 0x82 == 0x82 }

    // MARK: What the agent tells

    @Test(arguments: pagingModes) func `registers are the guest's, and the facts say where the tables are`(mode: TestMachine.Mode)
        throws
    {
        let bench = Self.bench(mode)
        let own = try Self.registers(bench)[Int(GuestRegister.cr3.rawValue)]
        #expect(own < 0x1_0000 && Self.loadedCR3(bench) >= 0x1000_0000)
        let facts = try Self.facts(bench)
        #expect(facts.isOn && facts.cr3 == own && facts.standing.ram == HostPhysicalAddress(TestShadow.ramStart))
        #expect(facts.standing.entries.rawValue + facts.standing.root << 12 == Self.loadedCR3(bench) & ~0xFFF)
        #expect(facts.standing.layout == ShadowLayout(size: .kibibytes(256), ram: ByteCount(UInt64(TestMachine.ramSize))))
        if mode == .pae { #expect(facts.pageDirectoryPointers.0 == UInt64(TestMachine.Table.directory) | 1) }
    }

    @Test func `a guest without shadow tables says so, and one that does not page yet`() throws {
        #expect(AgentBench().failure(.shadow) == .noShadowTables)
        let facts = try Self.facts(AgentBench(.protected32, isShadowed: true))
        #expect(!facts.isOn && facts.standing.usedEnd == 1)
    }

    // MARK: What the agent changes

    @Test func `a register that decides the tables has the processor follow`() throws {
        let bench = Self.bench()
        try bench.ask(.setRegister(.cr3, 0x9000))
        #expect(try Self.facts(bench).cr3 == 0x9000 && Self.registers(bench)[Int(GuestRegister.cr3.rawValue)] == 0x9000)
        #expect(Self.loadedCR3(bench) >= 0x1000_0000)
        try bench.ask(.setRegister(.cr0, 0x8000_0031))
        #expect(Self.usesEPT(bench) && Self.loadedCR3(bench) == 0x9000)
    }

    @Test func `a register that the VM entry refuses leaves shadow paging as it was`() throws {
        for register in [GuestRegister.rip, .rflags] {
            let bench = Self.bench()
            let (before, loaded) = (try Self.facts(bench), Self.loadedCR3(bench))
            #expect(bench.failure(.setRegister(register, register == .rip ? 1 << 63 : 0)) == .entryWouldFail)
            #expect(try Self.facts(bench).cr3 == before.cr3 && Self.facts(bench).isOn && Self.loadedCR3(bench) == loaded)
            #expect(!Self.usesEPT(bench) && bench.machine.entryViolations == [])
        }
    }

    @Test func `fields that decide the tables are refused, for the processor would take any`() throws {
        let bench = Self.bench()
        for field: UInt16 in [0x6800, 0x6802, 0x6804, 0x2806, 0x280A, 0x2810] {
            #expect(bench.failure(.setField(encoding: field, 0)) == .keptByShadowPaging)
        }
        try bench.ask(.setField(encoding: 0x681E, 0x1234))
        // Without EPT there is no guest with segments of real mode.
        #expect(!Self.usesEPT(bench))
        try bench.ask(.setField(encoding: 0x0806, 0x13))
        #expect(Self.usesEPT(bench))
    }

    @Test func `a table that the host writes to is out of step`() throws {
        let bench = Self.bench()
        _ = bench.exit(.exceptionOrNMI, qualification: 0x20_0000, information: Self.pageFault)
        #expect(try Self.facts(bench).standing.firstListed == 0)
        try bench.write(.physical, UInt64(TestMachine.Table.high), [0])
        #expect(try Self.facts(bench).standing.firstListed == UInt64(TestMachine.Table.high >> 12) + 1)
    }

    @Test func `memory is not watched, also before the guest pages`() {
        for bench in [Self.bench(), AgentBench(.protected32, isShadowed: true)] {
            for kind: MemoryWatch.Kind in [.read, .write, .access, .fetch] {
                #expect(
                    bench.failure(.setStop(Stop(.memory(MemoryWatch(first: 0x1000, last: 0x1003, kind: kind)))))
                        == .noWatchesOfMemory)
            }
        }
    }

    // MARK: Steps

    @Test(arguments: [true, false]) func `a page fault exits whatever stops and steps there are`(hasTrapFlag: Bool) throws {
        let bench = Self.bench(hasTrapFlag: hasTrapFlag)
        for goal in [Goal.never, .instructions(1)] {
            try bench.ask(.run(goal))
            bench.withCPU { $0.debugger.prepareEntry($1) }
            #expect(bench.machine.vmcs[0x4004] & 1 << 14 != 0)
            bench.stop()
        }
    }

    @Test func `a step does not end where an entry is filled in or a page fault injected`() throws {
        let bench = Self.bench()
        bench.machine.map(0x20_1000, entry: 0)
        try bench.ask(.run(.instructions(1)))
        #expect(bench.exit(.exceptionOrNMI, qualification: 0x20_0000, information: Self.pageFault) == nil)
        #expect(bench.exit(.exceptionOrNMI, qualification: 0x20_1000, information: Self.pageFault) == nil)
        #expect(bench.machine.injection?.vector == 14)
        #expect(bench.exit(.monitorTrapFlag)?.cause == .instructions)
        // An exit is one all the same.
        try bench.ask(.run(.exits(1)))
        #expect(bench.exit(.exceptionOrNMI, qualification: 0x20_2000, information: Self.pageFault)?.cause == .exits)
    }

    @Test func `a step ends where Martlet has executed the instruction at a page fault`() throws {
        let bench = Self.bench()
        // MOV AL, [RSI], and RSI in absent memory.
        let start = bench.machine.rip
        bench.machine.ram.put([0x8A, 0x06], at: Int(start))
        bench.machine.cpu.registers.rsi = 0xA30_0000
        try bench.ask(.run(.instructions(1)))
        #expect(
            bench.exit(.exceptionOrNMI, qualification: bench.machine.cpu.registers.rsi, information: Self.pageFault)?.cause
                == .instructions)
        #expect(bench.machine.rip == start + 2)
    }

    @Test func `the trap by which shadow paging awaits segments is neither lost nor the host's`() throws {
        let bench = AgentBench(isShadowed: true)
        // A code segment whose selector asks for another level than the stack's.
        bench.machine.vmcs[0x0802] = 0xB
        bench.machine.cpu.registers.rax = 0x8001_0031
        #expect(bench.machine.exit(.controlRegisterAccess, qualification: 0, length: 3) == .step)
        #expect(Self.usesEPT(bench) && bench.machine.cpu.awaitsSegments)
        try bench.ask(.run(.never))
        bench.withCPU { $0.debugger.prepareEntry($1) }
        #expect(bench.machine.vmcs[0x4002] & 1 << 27 != 0)
        bench.machine.vmcs[0x0802] = 8
        #expect(bench.exit(.monitorTrapFlag) == nil)
        #expect(!Self.usesEPT(bench) && !bench.machine.cpu.awaitsSegments)
    }
}
