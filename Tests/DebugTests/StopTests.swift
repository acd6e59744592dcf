import Testing
import Virtualization
import X86

@testable import Debug
@testable import Machine

/// Stops: how they are set, what meets them, and their conditions.
@Suite struct StopTests {
    @Test func `each kind stops at its own`() throws {
        let bench = AgentBench()
        for kind in [.exit(18), .port(0x3F9), .register(0x10), .leaf(7)] as [Stop.Kind] { try bench.ask(.setStop(Stop(kind))) }
        try bench.ask(.run(.never))
        #expect(bench.exit(.vmcall)?.cause == .stop(1))
        #expect(bench.exit(.ioInstruction, qualification: 0x3FA << 16 | 8) == nil)
        #expect(bench.exit(.ioInstruction, qualification: 0x3F8 << 16 | 1)?.cause == .stop(2))
        bench.machine.cpu.registers.rcx = 0x11
        #expect(bench.exit(.rdmsr) == nil)
        bench.machine.cpu.registers.rcx = 0x10
        #expect(bench.exit(.rdmsr)?.cause == .stop(3))
        bench.machine.cpu.registers.rax = 7
        #expect(bench.exit(.cpuid)?.cause == .stop(4))
    }

    @Test func `stops are listed as they were set, and deleted by number or all`() throws {
        let bench = AgentBench()
        let condition = StopCondition(.init(.init(.register(.rax), .low8), mask: 0xF, .equal, 3))
        let stops: [Stop] = [
            Stop(.exit(10), condition), Stop(.port(0x80)), Stop(.register(0xC000_0080)), Stop(.leaf(1)),
            Stop(.memory(.init(first: 0x1000, last: 0x1FFF, kind: .access)), isToldAfterwards: true),
            Stop(.address(0xFFFF_8000_0000_0000)),
        ]
        for (index, stop) in stops.enumerated() { #expect(try bench.ask(.setStop(stop)) { $0.uint8() } == UInt8(index + 1)) }
        #expect(try list(bench, from: 1).map(\.1) == stops)
        #expect(try list(bench, from: 5).map(\.0) == [5, 6])
        try bench.ask(.deleteStop(2))
        #expect(bench.failure(.deleteStop(2)) == .noSuchStop && bench.failure(.deleteStop(0)) == .noSuchStop)
        #expect(bench.failure(.deleteStop(17)) == .noSuchStop && bench.failure(.deleteStop(255)) == .noSuchStop)
        #expect(try list(bench, from: 1).map(\.0) == [1, 3, 4, 5, 6])
        #expect(bench.protected[1] == PassedAccesses(reads: false, writes: false, fetches: true))
        try bench.ask(.deleteAllStops)
        #expect(try list(bench, from: 0).isEmpty && bench.protected.isEmpty)
    }

    @Test func `a list that does not fit is asked for in pieces`() throws {
        let bench = AgentBench()
        var condition = StopCondition(.init(.init(.register(.rax)), .equal, 1))
        while let more = condition.joined(with: StopCondition(.init(.init(.register(.rbx)), .equal, 2)), by: .or) {
            condition = more
        }
        #expect(condition.comparisonCount == 8)
        for leaf in 0..<UInt32(16) { try bench.ask(.setStop(Stop(.leaf(leaf), condition))) }
        #expect(bench.failure(.setStop(Stop(.leaf(16)))) == .noRoom)
        var listed: [UInt8] = []
        while let piece = try? list(bench, from: (listed.last ?? 0) + 1), !piece.isEmpty { listed += piece.map(\.0) }
        #expect(listed == Array(1...16))
    }

    private func list(_ bench: AgentBench, from first: UInt8) throws -> [(UInt8, Stop)] {
        try bench.ask(.stops(first: first)) { reader -> [(UInt8, Stop)]? in
            var list: [(UInt8, Stop)] = []
            while let number = reader.uint8() {
                guard let stop = Stop(&reader) else { return nil }
                list.append((number, stop))
            }
            return list
        }
    }

    @Test func `what cannot be a stop is refused`() {
        let bench = AgentBench()
        let size = UInt64(TestMachine.ramSize)
        #expect(throws: AgentFailure(.beyondMemory, size)) {
            try bench.ask(.setStop(Stop(.memory(.init(first: 0, last: size, kind: .read)))))
        }
        #expect(bench.failure(.setStop(Stop(.address(1 << 60)))) == .notCanonical)
        bench.isFull = true
        #expect(bench.failure(.setStop(Stop(.memory(.init(first: 0, last: 1, kind: .read))))) == .noNestedPages)
        bench.isFull = false
        for address in UInt64(0)..<4 { _ = try? bench.ask(.setStop(Stop(.address(address)))) }
        #expect(throws: AgentFailure(.noDebugRegister, 4)) { try bench.ask(.setStop(Stop(.address(5)))) }
    }

    @Test func `an access is told of before it is made, or afterwards`() throws {
        let bench = AgentBench()
        bench.machine.ram.put([0x88, 0x03], at: TestMachine.code)  // MOV [RBX], AL
        bench.machine.cpu.registers.rbx = 0x30000
        try bench.ask(.setStop(Stop(.memory(.init(first: 0x30000, last: 0x30000, kind: .write)))))
        try bench.ask(.run(.never))
        let before = bench.exit(.eptViolation, qualification: 2 | 0x180, physical: 0x30000)
        #expect(before?.cause == .stop(1) && before?.isBefore == true)
        #expect(try bench.ask(.lastExit) { LastExit(&$0) } == LastExit(nil))
        try bench.ask(.deleteAllStops)
        try bench.ask(.setStop(Stop(.memory(.init(first: 0x30000, last: 0x30000, kind: .write)), isToldAfterwards: true)))
        try bench.ask(.run(.never))
        _ = bench.exit(.monitorTrapFlag)
        #expect(bench.exit(.eptViolation, qualification: 2 | 0x180, physical: 0x30000) == nil)
        let after = bench.exit(.monitorTrapFlag)
        #expect(after?.cause == .stop(1) && after?.isBefore == false)
    }

    @Test func `an INT3 of the host's stops, and one of the guest's is the guest's`() throws {
        let bench = AgentBench()
        bench.machine.ram.put([0xCC], at: TestMachine.code)
        let breakpoint: UInt32 = 1 << 31 | 6 << 8 | 3
        try bench.ask(.setTrap(physical: UInt64(TestMachine.code)))
        try bench.ask(.run(.never))
        let report = bench.exit(.exceptionOrNMI, length: 1, information: breakpoint)
        #expect(bench.machine.vmcs[0x4004] & 8 != 0)
        #expect(report?.cause == .trap && report?.isBefore == true && bench.machine.injection == nil)
        try bench.ask(.run(.never))
        bench.machine.rip += 0x100
        #expect(bench.exit(.exceptionOrNMI, length: 1, information: breakpoint) == nil)
        #expect(bench.machine.injection == Injection(kind: 6, vector: 3, errorCode: nil, instructionLength: 1))
        bench.stop()
        try bench.ask(.deleteTrap(physical: UInt64(TestMachine.code)))
        #expect(bench.failure(.deleteTrap(physical: UInt64(TestMachine.code))) == .noSuchStop)
        try bench.ask(.run(.never))
        bench.exit(.cpuid)
        #expect(bench.machine.vmcs[0x4004] & 8 == 0)
    }

    @Test func `there is room for 64 INT3, all in the guest's RAM`() throws {
        let bench = AgentBench()
        for place in UInt64(0)..<64 { try bench.ask(.setTrap(physical: place)) }
        try bench.ask(.setTrap(physical: 5))
        #expect(bench.failure(.setTrap(physical: 64)) == .noRoom)
        #expect(bench.failure(.setTrap(physical: UInt64(TestMachine.ramSize))) == .noMemory)
        try bench.ask(.deleteTrap(physical: 5))
        try bench.ask(.setTrap(physical: 64))
        try bench.ask(.deleteAllTraps)
        #expect(bench.failure(.deleteTrap(physical: 64)) == .noSuchStop)
    }

    // MARK: Conditions

    private func comparison(
        _ register: GuestRegister, part: StopCondition.Operand.Part = .all, mask: UInt64 = .max,
        _ relation: StopCondition.Relation,
        _ value: UInt64
    ) -> StopCondition {
        StopCondition(.init(.init(.register(register), part), mask: mask, relation, value))
    }

    @Test func `parts of a register, masks and relations`() {
        func holds(_ condition: StopCondition) -> Bool { condition.holds { _ in 0x8877_6655_4433_2211 } }
        #expect(
            holds(comparison(.rax, .equal, 0x8877_6655_4433_2211)) && holds(comparison(.rax, part: .low32, .equal, 0x4433_2211)))
        #expect(holds(comparison(.rax, part: .low16, .equal, 0x2211)) && holds(comparison(.rax, part: .low8, .equal, 0x11)))
        #expect(holds(comparison(.rax, part: .high8, .equal, 0x22)) && holds(comparison(.rax, mask: 0xFF00, .equal, 0x2200)))
        #expect(holds(comparison(.rax, part: .low8, .less, 0x12)) && !holds(comparison(.rax, part: .low8, .less, 0x11)))
        #expect(holds(comparison(.rax, part: .low8, .atMost, 0x11)) && holds(comparison(.rax, part: .low8, .atLeast, 0x11)))
        #expect(holds(comparison(.rax, part: .low8, .greater, 0x10)) && holds(comparison(.rax, part: .low8, .unequal, 0x10)))
        #expect(holds(comparison(.rax, part: .low8, .hasBits, 0x10)) && !holds(comparison(.rax, part: .low8, .hasBits, 0x12)))
        #expect(holds(comparison(.rax, .greater, 1)))
    }

    @Test func `comparisons are joined as they were written`() throws {
        let (yes, no) = (comparison(.rax, .equal, 1), comparison(.rax, .equal, 2))
        func holds(_ condition: StopCondition?) -> Bool? { condition?.holds { _ in 1 } }
        #expect(holds(yes.joined(with: no, by: .and)) == false && holds(yes.joined(with: no, by: .or)) == true)
        // (yes or yes) and no, and yes or (yes and no)
        let left = try #require(yes.joined(with: yes, by: .or)), right = try #require(yes.joined(with: no, by: .and))
        #expect(holds(left.joined(with: no, by: .and)) == false && holds(yes.joined(with: right, by: .or)) == true)
        // (no or yes) and (yes or no)
        let first = try #require(no.joined(with: yes, by: .or)), second = try #require(yes.joined(with: no, by: .or))
        #expect(holds(first.joined(with: second, by: .and)) == true)
        #expect(try #require(first.joined(with: second, by: .and)).comparison(3) == no.comparison(0))
    }

    @Test func `registers and what only the exit has are operands`() throws {
        let bench = AgentBench()
        let cr3 = StopCondition(.init(.init(.register(.cr3)), .equal, UInt64(TestMachine.Table.level4)))
        let port = StopCondition(.init(.init(.exit(.qualification)), mask: 0xFFFF_0000, .equal, 0x80 << 16))
        try bench.ask(.setStop(Stop(.exit(30), cr3.joined(with: port, by: .and))))
        try bench.ask(.run(.never))
        #expect(bench.exit(.ioInstruction, qualification: 0x81 << 16) == nil)
        #expect(bench.exit(.ioInstruction, qualification: 0x80 << 16)?.cause == .stop(1))
    }

    @Test func `a program that is none is malformed`() {
        // Ends with two results, joins what is not there, goes on behind its end, has nine comparisons.
        for program in [0b0101, 0b10_01, 0b1001, 0b01_00_01, 0b11, 0b10_10_10_10_10_10_10_10_01_01_01_01_01_01_01_01_01]
            as [UInt64]
        {
            var bytes: [UInt8] = [1, 10, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: program >> (8 * $0)) }
            for _ in 0..<9 { bytes += [0, 0, 0] + [UInt8](repeating: 0, count: 16) }
            let isStop = bytes.withUnsafeBytes { bytes -> Bool in
                var reader = MessageReader(bytes)
                return Stop(&reader) != nil
            }
            #expect(!isStop, "\(program)")
        }
    }
}
