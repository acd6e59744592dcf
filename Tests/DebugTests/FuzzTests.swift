import Support
import Testing
import VMX
import X86

@testable import Debug
@testable import Machine

/// A line on which anything comes: noise, frames of random content, requests with bytes changed. Nothing traps, the guest comes to
/// no harm that a well-formed request would not do it, and what is well-formed is still answered.
@Suite struct FuzzTests {
    /// Numbers that look random, and are the same each time (SplitMix64).
    struct Numbers {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
        mutating func below(_ limit: Int) -> Int { Int(truncatingIfNeeded: next() >> 33) % limit }
        mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }
    }

    /// Frames whose checksum is wrong do nothing at all: seven of eight of the million.
    @Test func `900,000 frames with wrong checksums change nothing`() throws {
        let bench = AgentBench()
        let registers = bench.machine.cpu.registers
        let contents = bench.machine.vmcs.contents
        var numbers = Numbers(state: 1)
        bench.sent = []
        for round in 0..<900_000 {
            let count = 2 + numbers.below(9)
            var bytes: [UInt8] = [0x7E]
            bytes.reserveCapacity(count + 2)
            var word: UInt64 = 0
            for index in 0..<count {
                if index & 7 == 0 { word = numbers.next() }
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
            bytes.append(0x7E)
            bench.putQuietly(bytes)
            if round % 50_000 == 0 { try expectAnswers(bench) }
        }
        try expectAnswers(bench)
        #expect(bench.machine.cpu.registers == registers && bench.machine.vmcs.contents == contents)
        #expect(bench.decision == nil && bench.typed.isEmpty)
    }

    /// Right checksums, whatever is in the frames.
    @Test(arguments: [TestMachine.Mode.long64, .real])
    func `50,000 frames of random content with right checksums do no more than requests`(mode: TestMachine.Mode) throws {
        let bench = AgentBench(mode)
        bench.fillHostMemory()
        var numbers = Numbers(state: 2)
        for round in 0..<50_000 {
            bench.putQuietly(frame(sequence: numbers.byte(), kind: kind(&numbers), payload(&numbers)))
            bench.sent = []
            if round % 64 == 0 { try recover(bench) }
        }
        try recover(bench)
        try expectAnswers(bench)
        #expect(bench.machine.ram.isIntactAround)
    }

    /// Requests of each kind with a few bits changed, some with their checksums made right again; noise between.
    @Test func `mutated requests do no more than requests`() throws {
        let bench = AgentBench()
        bench.fillHostMemory()
        var numbers = Numbers(state: 3)
        let seeds = seeds()
        let reasons: [BasicExitReason] = [.cpuid, .hlt, .vmcall, .ioInstruction, .rdmsr, .monitorTrapFlag, .eptViolation]
        for round in 0..<60_000 {
            var seed = seeds[numbers.below(seeds.count)]
            for _ in 0..<numbers.below(4) where !seed.payload.isEmpty {
                seed.payload[numbers.below(seed.payload.count)] ^= 1 << UInt8(numbers.below(8))
            }
            var bytes = frame(sequence: numbers.byte(), kind: seed.kind, seed.payload)
            if numbers.below(4) == 0 { bytes[numbers.below(bytes.count)] = numbers.byte() }
            if numbers.below(8) == 0 { bytes.removeLast(numbers.below(bytes.count)) }
            if numbers.below(8) == 0 { bytes.insert(numbers.byte(), at: numbers.below(bytes.count)) }
            bench.putQuietly(bytes)
            bench.sent = []
            if round % 16 == 0 {
                bench.exit(reasons[numbers.below(reasons.count)], physical: numbers.next() & 0x3F_FFFF)
            }
            if round % 64 == 0 { try recover(bench) }
        }
        try recover(bench)
        try expectAnswers(bench)
        #expect(bench.machine.ram.isIntactAround)
    }

    private func kind(_ numbers: inout Numbers) -> UInt8 { numbers.below(8) == 0 ? numbers.byte() : UInt8(numbers.below(0x32)) }

    private func payload(_ numbers: inout Numbers) -> [UInt8] {
        (0..<[0, 1, 2, 8, 9, 10, 11, 16, 40, 200][numbers.below(10)]).map { _ in
            numbers.below(3) == 0 ? numbers.byte() : UInt8(numbers.below(4))
        }
    }

    private func seeds() -> [(kind: UInt8, payload: [UInt8])] {
        let bytes: [UInt8] = [1, 2, 3]
        return bytes.withUnsafeBytes { bytes in
            let requests: [Request] = [
                .hello(version: 1), .capabilities, .statistics(firstReason: 0), .stops(first: 1),
                .setStop(Stop(.exit(10), MessageTests.condition)),
                .setStop(Stop(.memory(.init(first: 0x1000, last: 0x2000, kind: .write)))), .setStop(Stop(.address(0x10000))),
                .setStop(Stop(.register(0xC000_0100))), .deleteStop(1), .deleteAllStops, .stop, .type(bytes), .trace(.off),
                .state(.now, changesSince: nil), .registers, .lastExit, .lastStop, .read(.virtual, address: 0x10000, count: 64),
                .read(.host, address: 0x20000, count: 8), .readWords(.physical, address: 0x1000, count: 32),
                .write(.physical, address: 0x50000, bytes), .write(.virtual, address: 0x50000, bytes),
                .translate(linear: 0x10000),
                .setRegister(.rax, 1), .setRegister(.cr0, 0x8000_0011), .setRegister(.cs, 8), .setRegister(.rip, 0x10000),
                .setTrap(physical: 0x10000), .deleteAllTraps, .inject(.exception(.generalProtection, errorCode: 0)),
                .run(.exits(2)),
            ]
            return requests.map { request in
                var message = Message()
                request.encode(sequence: 1, to: &message)
                var bytes: [UInt8] = []
                message.send { bytes.append($0) }
                let frame = frames(in: bytes)[0]
                return (frame.kind, frame.payload)
            }
        }
    }

    /// What a person would do: the guest is stopped, and what was changed is forgotten.
    private func recover(_ bench: AgentBench) throws {
        bench.put([0x7E])
        bench.stop()
        try bench.ask(.deleteAllStops)
        try bench.ask(.deleteAllTraps)
        #expect(bench.protected.isEmpty)
    }

    private func expectAnswers(_ bench: AgentBench) throws {
        #expect(try bench.ask(.hello(version: 1)) { AgentFacts(&$0) }.guest == .stands)
        #expect(try bench.read(.physical, 0x60000, 1) == (nil, [UInt8(truncatingIfNeeded: bench.machine.ram.word64(0x60000))]))
        #expect(try bench.state(.now).registers == bench.machine.cpu.registers)
    }
}
