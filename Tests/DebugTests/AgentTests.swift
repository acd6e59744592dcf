import Memory
import Testing
import Trace
import VMX
import VMXChecks
import Virtualization
import X86

@testable import Debug
@testable import Machine

/// What the agent answers, and what its answers say.
@Suite struct AgentTests {
    // MARK: Who is there

    @Test func `hello tells the version, the guest and its memory`() throws {
        let bench = AgentBench()
        let facts = try bench.ask(.hello(version: 1)) { AgentFacts(&$0) }
        #expect(facts.version == 1 && facts.guest == .stands && facts.hasTrapFlag && facts.trace == .off)
        #expect(facts.memorySize == UInt64(TestMachine.ramSize) && facts.frequency == TestMachine.frequency)
        #expect(facts.guestHasGibibytePages && facts.guestAddressWidth > 35)
        try bench.ask(.run(.never))
        #expect(try bench.ask(.hello(version: 1)) { AgentFacts(&$0) }.guest == .runs)
    }

    @Test func `another version is refused with the agent's own`() {
        let bench = AgentBench()
        #expect(throws: AgentFailure(.unknownVersion, 1)) { try bench.ask(.hello(version: 2)) }
    }

    @Test func `the capabilities and circumstances that the host makes of the answer are the kernel's`() throws {
        let bench = AgentBench()
        let facts = try bench.ask(.capabilities) { CapabilityFacts(&$0) }
        let capabilities = VMXCapabilities(
            reading: facts, physicalAddressWidth: Int(facts.physicalAddressWidth),
            linearAddressWidth: Int(facts.linearAddressWidth))
        #expect(capabilities == bench.machine.vmcs.capabilities)
        let (made, real) = (EntryCircumstances(facts), bench.port.circumstances)
        #expect(made.debugControl == real.debugControl && made.performanceControl == real.performanceControl)
        #expect(made.extendedFeatures == real.extendedFeatures && made.hasEnclaves == real.hasEnclaves)
        #expect(facts.currentVMCS == real.currentVMCS)
    }

    // MARK: State

    @Test func `the state has every register and field as it is`() throws {
        let bench = AgentBench()
        bench.machine.cpu.registers.rax = 0x1122_3344_5566_7788
        bench.machine.cpu.registers.r15 = 15
        bench.machine.host.loadPageFaultAddress(0xCA2)
        bench.machine.host.debugAddresses = [1, 2, 3, 4]
        bench.machine.host.registers[0xC000_0102] = 0xFFFF_8880_0000_1000
        bench.exit(.cpuid)
        let state = try bench.state(.now)
        #expect(state.registers == bench.machine.cpu.registers && state.pageFaultAddress == 0xCA2)
        #expect(state.debugRegisters == bench.machine.cpu.debugRegisters && state.kernelGSBase == 0xFFFF_8880_0000_1000)
        #expect(state.extendedControl == nil && state.protectionKeyRights == nil)
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position).encoding
            #expect(state.fields[field] == bench.machine.vmcs[field.rawValue], "\(VMCSFieldDescription.field(at: position).name)")
        }
        #expect(bench.sent.count < 1600)
    }

    @Test func `before the first VM entry there is no exit to tell of`() throws {
        let bench = AgentBench()
        bench.machine.setExit(.monitorTrapFlag, qualification: 0x77)
        #expect(
            try bench.state(.now).fields[.exitReason].basic == .exceptionOrNMI
                && bench.state(.now).fields[.exitQualification] == 0)
        #expect(bench.failure(.lastExit) == .nothingYet && bench.failure(.state(.before, changesSince: nil)) == .nothingYet)
        #expect(bench.failure(.state(.now, changesSince: .before)) == .nothingYet)
    }

    @Test func `states of before and after an exit are kept, and what changed between them is short`() throws {
        let bench = AgentBench()
        try bench.ask(.run(.exits(1)))
        bench.machine.cpu.registers.rax = 0
        #expect(bench.exit(.cpuid)?.cause == .exits)
        #expect(try bench.state(.before).registers.rax == 0 && bench.state(.after).registers.rax != 0)
        #expect(try bench.state(.before).fields[.guestRIP] + 2 == bench.state(.after).fields[.guestRIP])
        #expect(try bench.ask(.lastExit) { LastExit(&$0) }.outcome == .step)
        let changes = try bench.state(.after, since: .before)
        #expect(changes.fields[.guestRIP] == bench.machine.rip && changes.fields[.guestCR3] == 0)
        #expect(bench.sent.count < 250)
    }

    @Test func `registers come one after the other, as the guest reads them`() throws {
        let bench = AgentBench()
        let values = try bench.ask(.registers) { reader in (0..<GuestRegister.count).map { _ in reader.uint64() } }
        #expect(values[Int(GuestRegister.rip.rawValue)] == bench.machine.rip)
        #expect(values[Int(GuestRegister.cr3.rawValue)] == UInt64(TestMachine.Table.level4))
        #expect(values[Int(GuestRegister.cs.rawValue)] == 8)
    }

    @Test(arguments: TestMachine.Mode.allCases)
    func `a stop tells where the guest is`(mode: TestMachine.Mode) throws {
        let bench = AgentBench(mode)
        try bench.ask(.run(.exits(1)))
        let report = try #require(bench.exit(.cpuid))
        #expect(report.place == bench.machine.cpu.codeAddress && report.linear == UInt64(TestMachine.code + 2))
        #expect(report.exitCount == 1 && !report.isBefore && !report.isAsleep)
        #expect(try bench.ask(.lastStop) { StopReport(&$0) } == report)
    }

    // MARK: Memory

    @Test func `memory is read by each kind of address, up to what is not there`() throws {
        let bench = AgentBench()
        bench.machine.ram.put([1, 2, 3, 4], at: 0x30FFE)
        bench.machine.map(0x40000, entry: 0x30003)
        bench.machine.map(0x41000, entry: 0)
        #expect(try bench.read(.physical, 0x30FFE, 4) == (nil, [1, 2, 3, 4]))
        #expect(try bench.read(.virtual, 0x40FFE, 4) == (.notPresent, [1, 2]))
        let end = UInt64(TestMachine.ramSize)
        #expect(try bench.read(.physical, end - 1, 2) == (.outsideRAM(end), [0]))
        #expect(try bench.read(.physical, .max, 2).0 == .outsideRAM(.max))
        #expect(try bench.read(.virtual, 0x8000_0000_0000, 1).0 == .notCanonical)
        bench.machine.map(0x42000, entry: 0x8000_0000_0003_0003)
        #expect(try bench.read(.virtual, 0x42000, 1).0 == .reservedBit)
        #expect(bench.failure(.read(.physical, address: 0, count: UInt16(Frame.payloadCapacity))) == .tooLong)
        #expect(try bench.read(.physical, 0, 2000).1.count == 2000)
    }

    @Test func `the machine's memory is read where there is any, and never written`() throws {
        let bench = AgentBench()
        bench.fillHostMemory()
        #expect(try bench.read(.host, 0x20009, 3) == (nil, [0, 0, 0]))
        #expect(try bench.read(.host, 0x20FF8, 16) == (.noHostMemory(0x21000), [0xF8, 0x0F, 0, 0, 0, 0, 0, 0]))
        #expect(try bench.read(.host, 0xFEE0_0000, 4).0 == .noHostMemory(0xFEE0_0000))
        #expect(throws: AgentFailure(.noHostMemory, 0x20000)) { try bench.write(.host, 0x20000, [1]) }
    }

    @Test func `words come without the zeros among them`() throws {
        let bench = AgentBench()
        bench.machine.ram.put64(0x1234, at: 0x30008)
        bench.machine.ram.put64(0x5678, at: 0x30FF8)
        let (fault, words) = try bench.ask(.readWords(.physical, address: 0x30000, count: 512)) { reader in
            MemoryAnswer(&reader).map { ($0.fault, groups(&reader)) }
        }
        #expect(fault == nil && words.count == 512 && words[1] == 0x1234 && words[511] == 0x5678)
        #expect(words.count { $0 != 0 } == 2 && bench.sent.count < 120)
        // What does not fit is left for another request.
        for index in 0..<512 { bench.machine.ram.put64(.max, at: 0x31000 + 8 * index) }
        let many = try bench.ask(.readWords(.physical, address: 0x31000, count: 512)) { reader in
            MemoryAnswer(&reader).map { _ in groups(&reader) }
        }
        #expect(many == [UInt64](repeating: .max, count: 248))
        let end = UInt64(TestMachine.ramSize)
        let (missing, none) = try bench.ask(.readWords(.physical, address: end - 32, count: 8)) { reader in
            MemoryAnswer(&reader).map { ($0.fault, groups(&reader)) }
        }
        #expect(missing == .outsideRAM(end) && none == [])
        #expect(bench.failure(.readWords(.physical, address: 4, count: 1)) == .malformed)
    }

    private func groups(_ reader: inout MessageReader) -> [UInt64] {
        let bytes = reader.rest()
        var groups = WordGroups(MessageReader(bytes))
        var words: [UInt64] = []
        while let word = groups.next() { words.append(word) }
        return words
    }

    @Test func `memory is written whole or not at all`() throws {
        let bench = AgentBench()
        try bench.write(.physical, 0x30000, [9, 8, 7])
        #expect(try bench.read(.physical, 0x30000, 4).1 == [9, 8, 7, 0])
        bench.machine.map(0x40000, entry: 0x30001)  // the guest may not write there; whoever looks on may
        try bench.write(.virtual, 0x40001, [5])
        #expect(try bench.read(.physical, 0x30000, 3).1 == [9, 5, 7])
        bench.machine.map(0x41000, entry: 0)
        #expect(throws: AgentFailure(.notMapped, 0x41000)) { try bench.write(.virtual, 0x40FFF, [1, 1]) }
        #expect(try bench.read(.physical, 0x30FFF, 1).1 == [0])
        let end = UInt64(TestMachine.ramSize)
        #expect(throws: AgentFailure(.noMemory, end)) { try bench.write(.physical, end - 1, [1, 1]) }
        #expect(try bench.read(.physical, end - 1, 1).1 == [0])
        #expect(throws: AgentFailure(.noMemory, .max)) { try bench.write(.physical, .max, [1, 1]) }
    }

    @Test func `linear addresses are translated, and no accessed bit is set`() throws {
        let bench = AgentBench()
        bench.machine.map(0x40000, entry: 0x30003)
        #expect(try bench.ask(.translate(linear: 0x40123)) { $0.uint64() } == 0x30123)
        #expect(try bench.read(.physical, UInt64(TestMachine.Table.low + 8 * 0x40), 1).1 == [3])
        bench.machine.map(0x41000, entry: 0)
        #expect(throws: AgentFailure(.notMapped, 0x41000)) { try bench.ask(.translate(linear: 0x41000)) }
    }

    // MARK: Changes

    @Test func `a register is changed and read back`() throws {
        let bench = AgentBench()
        #expect(try bench.ask(.setRegister(.rax, 0x55)) { $0.uint64() } == 0x55)
        #expect(bench.machine.cpu.registers.rax == 0x55)
        #expect(try bench.ask(.setRegister(.cr8, 5)) { $0.uint64() } == 5)
        #expect(try bench.ask(.setRegister(.rip, 0x1234)) { $0.uint64() } == 0x1234)
        #expect(bench.machine.rip == 0x1234)
    }

    @Test func `a value that no instruction loads or no VM entry takes is refused, with its reason`() throws {
        let bench = AgentBench()
        bench.machine.processor.setGlobalDescriptorTable(base: 0x9_1000, limit: 15)
        let before = bench.machine.vmcs.contents
        #expect(bench.failure(.setRegister(.cr0, 1 << 31)) == .wouldFault)
        #expect(bench.failure(.setRegister(.cr4, 1 << 63)) == .wouldFault)
        #expect(bench.failure(.setRegister(.efer, 1 << 63)) == .wouldFault)
        #expect(bench.failure(.setRegister(.kernelGSBase, 1 << 63)) == .notCanonical)
        #expect(bench.failure(.setRegister(.rflags, 1 << 17 | 2)) == .virtual8086)
        #expect(bench.failure(.setRegister(.ds, 0x1_0000)) == .valueTooWide)
        #expect(bench.failure(.setRegister(.cs, 0)) == .needsSegment)
        #expect(throws: AgentFailure(.beyondTable, 15)) { try bench.ask(.setRegister(.ds, 0x10)) }
        let field = UInt64(VMCSField<UInt64, Writable>.guestRIP.encoding.rawValue)
        do {
            try bench.ask(.setRegister(.rip, 1 << 60))
            Issue.record("a RIP that is not canonical was taken")
        } catch let failure as AgentFailure {
            #expect(failure.error == .entryWouldFail && failure.number & 0xFFFF_FFFF == field)
        }
        #expect(bench.machine.vmcs.contents == before)
    }

    @Test func `of fields only the guest's state can be set`() throws {
        let bench = AgentBench()
        func encoding<Value, Access>(_ field: VMCSField<Value, Access>) -> UInt16 { UInt16(field.encoding.rawValue) }
        #expect(try bench.ask(.setField(encoding: encoding(.guestRIP), 77)) { $0.uint64() } == 77)
        #expect(bench.failure(.setField(encoding: encoding(.hostRIP), 77)) == .notGuestState)
        #expect(bench.failure(.setField(encoding: encoding(.exitQualification), 77)) == .notGuestState)
        #expect(bench.failure(.setField(encoding: encoding(.extendedPageTablePointer), 77)) == .notGuestState)
        #expect(bench.failure(.setField(encoding: encoding(.guestActivityState), 1)) == .activityState)
        #expect(bench.failure(.setField(encoding: encoding(.guestCSSelector), 0x1_0000)) == .valueTooWide)
        #expect(bench.failure(.setField(encoding: 0x7FFE, 0)) == .noSuchField)
        #expect(bench.failure(.setField(encoding: encoding(.guestRIP) | 1, 0)) == .noSuchField)
    }

    @Test func `events are injected as the guest can take them`() throws {
        let bench = AgentBench()
        #expect(bench.failure(.inject(.interrupt(0x40))) == .interruptsBlocked)
        #expect(bench.failure(.inject(.interrupt(0x1F))) == .badVector)
        #expect(bench.failure(.inject(.exception(.pageFault))) == .needsErrorCode)
        #expect(bench.failure(.inject(.exception(.invalidOpcode, errorCode: 0))) == .badErrorCode)
        #expect(bench.failure(.inject(.exception(.generalProtection, errorCode: 0x8000))) == .badErrorCode)
        #expect(bench.failure(.inject(Event(kind: .softwareInterrupt, vector: 0x80, instructionLength: 2))) == .badVector)
        try bench.ask(.inject(.exception(.generalProtection, errorCode: 8)))
        #expect(bench.machine.injection == .exception(13, errorCode: 8))
        #expect(bench.failure(.inject(.exception(.invalidOpcode))) == .eventPending)
    }

    @Test func `what is typed goes to the guest's COM1, as far as there is room`() throws {
        let bench = AgentBench()
        _ = try Array("ls\r".utf8).withUnsafeBytes { try bench.ask(.type($0)) }
        #expect(bench.typed == Array("ls\r".utf8))
        #expect(throws: AgentFailure(.noRoomForInput, 37)) {
            _ = try [UInt8](repeating: 65, count: 50).withUnsafeBytes { try bench.ask(.type($0)) }
        }
    }

    // MARK: Running

    @Test func `a guest that runs is stopped before it is looked at`() throws {
        let bench = AgentBench()
        try bench.ask(.run(.never))
        #expect(bench.decision == .run)
        #expect(bench.failure(.registers) == .notStopped && bench.failure(.run(.never)) == .notStopped)
        #expect(bench.failure(.setRegister(.rax, 1)) == .notStopped && bench.failure(.quit) == .notStopped)
        try bench.ask(.trace(.exits))
        #expect(bench.agent.trace == .exits)
        _ = try bench.ask(.setStop(Stop(.exit(10))))
        #expect(bench.decision == nil)
        try bench.ask(.stop)
        #expect(bench.decision == .stop)
        #expect(bench.exit(.cpuid)?.cause == .stop(1))
        try bench.ask(.stop)
        #expect(bench.decision == nil)
    }

    @Test func `it runs for as long as it is told to`() throws {
        let bench = AgentBench()
        try bench.ask(.run(.exits(2)))
        #expect(bench.exit(.cpuid) == nil && bench.exit(.cpuid)?.cause == .exits)
        try bench.ask(.run(.instructions(2)))
        #expect(bench.exit(.monitorTrapFlag) == nil && bench.exit(.monitorTrapFlag)?.cause == .instructions)
        try bench.ask(.run(.reason(10, StopCondition(.init(.init(.register(.rax)), .equal, 7)))))
        bench.machine.cpu.registers.rax = 7
        #expect(bench.exit(.vmcall) == nil)
        bench.machine.cpu.registers.rax = 8
        #expect(bench.exit(.cpuid) == nil)
        bench.machine.cpu.registers.rax = 7
        #expect(bench.exit(.cpuid)?.cause == .reason)
    }

    @Test func `behind the guest's end it can be looked at, started anew, or left`() throws {
        let bench = AgentBench()
        let port = bench.port
        bench.sent = []
        bench.withCPU { $0.tellEnd(.debugExit(3), $1, port) }
        let event = try #require(frames(in: bench.sent).first)
        #expect(event.kind == AgentEvent.ended.rawValue)
        #expect(event.payload == [16, 3, 0, 0, 0])
        #expect(try bench.ask(.hello(version: 1)) { AgentFacts(&$0) }.guest == .ended)
        try bench.ask(.registers)
        #expect(bench.failure(.inject(.exception(.invalidOpcode))) == .hasEnded)
        try bench.ask(.reset)
        #expect(bench.decision == .reset)
        try bench.ask(.quit)
        #expect(bench.decision == .quit)
        try bench.ask(.run(.never))
        #expect(bench.decision == .run)
    }

    @Test func `events count up by themselves`() {
        let bench = AgentBench()
        let port = bench.port
        bench.sent = []
        bench.agent.tell(trace: "one", port)
        bench.agent.tell(trace: "two", port)
        bench.agent.tellReady(port)
        let events = frames(in: bench.sent)
        #expect(events.map(\.kind) == [AgentEvent.trace.rawValue, AgentEvent.trace.rawValue, AgentEvent.ready.rawValue])
        #expect(events.map(\.sequence) == [events[0].sequence, events[0].sequence + 1, events[0].sequence + 2])
        #expect(events[0].payload == Array("one".utf8))
    }

    @Test func `exits are counted by reason`() throws {
        let bench = AgentBench()
        bench.machine.machine.pointee.statistics.record(reason: 10, guestTicks: 5, ticks: 7)
        bench.machine.machine.pointee.statistics.record(reason: 10, guestTicks: 5, ticks: 9)
        bench.machine.machine.pointee.statistics.record(reason: 30, guestTicks: 1, ticks: 1)
        let (totals, rows) = try bench.ask(.statistics(firstReason: 0)) { reader -> (StatisticsTotals, [StatisticsRow])? in
            guard let totals = StatisticsTotals(&reader) else { return nil }
            var rows: [StatisticsRow] = []
            while let row = StatisticsRow(&reader) { rows.append(row) }
            return (totals, rows)
        }
        #expect(totals == StatisticsTotals(count: 3, total: 17, guestTotal: 11))
        #expect(rows.map(\.reason) == [10, 30] && rows[0].figures.mean == 8)
        #expect(try bench.ask(.statistics(firstReason: 11)).count == 24 + 34)
        #expect(try bench.ask(.statistics(firstReason: 255)).count == 24)
    }
}

extension StateSnapshot {
    fileprivate subscript<Value: VMCSValue, Access>(field: VMCSField<Value, Access>) -> Value { fields[field] }
}
