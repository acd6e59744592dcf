import ConsistencyProof
import Memory
import SVM
import SVMChecks
import Testing
import Text
import X86

/// The proof of VMRUN's checks, on a processor that follows the manual and on one that does not.
@Suite struct ConsistencyProverTests {
    /// A processor that does what the checks say, but for one rule.
    private final class Machine: ConsistencyMachine {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 2 * VMCB.size, alignment: 4096)
        let capabilities: SVMCapabilities
        let unchecked: ConsistencyRule?
        let emulator: Emulator?
        let memoryEnd: UInt64 = 4 << 30
        private(set) var entries = 0
        private(set) var lines: [String] = []

        init(_ capabilities: SVMCapabilities, unchecked: ConsistencyRule? = nil, emulator: Emulator? = nil) {
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: 2 * VMCB.size)
            self.capabilities = capabilities
            self.unchecked = unchecked
            self.emulator = emulator
        }

        deinit { memory.deallocate() }

        var vmcb: VMCB { VMCB(at: memory) }
        var base: VMCB { VMCB(at: memory + VMCB.size) }

        func enter() {
            entries += 1
            let findings = ConsistencyChecks.run(vmcb, capabilities, ConsistencyCircumstances())
            let isInvalid = (0..<findings.count).contains { findings[$0].rule != unchecked }
            vmcb.setBits(of: .exitCode, to: (isInvalid ? SVMExitCode.invalid : .exceptionPF).number)
        }

        func print(_ line: Line) { lines.append(line.string) }

        func prove() -> Bool {
            var prover = ConsistencyProver(on: self, capabilities, pages: ConsistencyFixture.pages)
            return prover.run()
        }
    }

    @Test func `a processor that follows the manual agrees in every case that is attempted`() throws {
        let machine = Machine(.rich)
        #expect(machine.prove())
        let sum = try #require(machine.lines.last)
        #expect(sum.contains(" 0 known departures, 0 disagreements"))
        let numbers = sum.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
        #expect(numbers.count == 6 && numbers[0] > 80_000 && numbers[1] == machine.entries && numbers[2] > 5_000)
        #expect(numbers[0] == numbers[1] + numbers[3])
        #expect(machine.lines.count == 9 + 4 + 1)
    }

    @Test func `a processor without nested paging is tried without it`() {
        let machine = Machine(.old)
        #expect(machine.prove())
        #expect(machine.lines.contains("VMRUN checks: 64-bit guest with nested paging: the processor does not offer it"))
    }

    @Test(arguments: [ConsistencyRule.guestASID, .svmEnable, .eventVector, .cr4ReservedBits, .guestPAT])
    func `a rule that a processor does not check is found out`(_ rule: ConsistencyRule) throws {
        let machine = Machine(.rich, unchecked: rule)
        #expect(!machine.prove())
        #expect(machine.lines.contains { $0.hasPrefix("        ") && $0.contains(": \(rule.words) (APM volume 2") })
        #expect(try #require(machine.lines.last).contains(" 0 known departures, "))
    }

    @Test func `what an emulator is known not to check is counted by its kind, and no disagreement`() throws {
        let machine = Machine(.rich, unchecked: .guestPAT, emulator: .qemu)
        #expect(machine.prove())
        #expect(machine.lines.contains { $0.contains(" known departures: G_PAT is not checked") })
        let other = Machine(.rich, unchecked: .guestPAT, emulator: .bochs)
        #expect(!other.prove())
    }

    @Test func `mutations flip every bit of every field that can be written, and reach the edges`() {
        let fixture = ConsistencyFixture(.long64)
        var mutations = ConsistencyMutations(of: fixture.vmcb, physicalAddressWidth: 40)
        var values: [VMCBFieldName: Set<UInt64>] = [:]
        while let mutation = mutations.next() {
            #expect(mutation.value & ~mutation.field.valueMask == 0)
            values[mutation.field, default: []].insert(mutation.value)
        }
        for position in 0..<VMCBFieldName.count {
            let field = VMCBFieldName(at: position)!
            guard !field.isReadOnly, field != .cleanBits else {
                #expect(values[field] == nil)
                continue
            }
            let base = fixture.vmcb.bits(of: field)
            for bit in 0..<UInt64(field.bitCount) { #expect(values[field]!.contains(base ^ 1 << bit)) }
            #expect(values[field]!.contains(0) && values[field]!.contains(field.valueMask))
        }
        // Every kind of event with every vector of an exception.
        let events = values[.eventInjection]!.map { SVMEvent(rawValue: $0) }.filter(\.isValid)
        for kind in UInt8(0)..<8 {
            for vector in UInt8(0)..<32 { #expect(events.contains { $0.kind.rawValue == kind && $0.vector == vector }) }
        }
    }
}
