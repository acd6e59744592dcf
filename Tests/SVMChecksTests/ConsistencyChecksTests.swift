import ConsistencyProof
import Memory
import SVM
import SVMChecks
import Support
import Testing
import Text
import X86

/// The checks of VMRUN.
@Suite struct ConsistencyChecksTests {
    static let scenarios = (0..<ConsistencyScenario.count).map { ConsistencyScenario(rawValue: $0)! }
    static let rules = (0..<UInt8(ConsistencyRule.count)).map { ConsistencyRule(rawValue: $0)! }
    static let breaks = controlBreaks + stateBreaks

    @Test(arguments: scenarios, [false, true])
    func `a good VMCB breaks no rule`(_ scenario: ConsistencyScenario, _ isOld: Bool) {
        let fixture = ConsistencyFixture(scenario, on: isOld ? .old : .rich)
        #expect(fixture.findings.map(words) == [])
        #expect(scenario.isAvailable(fixture.capabilities) == (!isOld || scenario != .nested && scenario != .real))
    }

    @Test(arguments: breaks)
    func `a broken rule is found, and no other`(_ change: ConsistencyBreak) {
        let fixture = ConsistencyFixture(change.scenario, on: change.capabilities)
        change.apply(fixture)
        let value = fixture.vmcb.bits(of: change.field)
        let expected = ConsistencyFinding(rule: change.rule, field: change.field, value: value)
        #expect(Set(fixture.findings.map(words)) == [words(expected)])
        #expect(fixture.findings.contains(expected))
    }

    @Test func `every rule is broken by some test, and no two of them read alike in their section`() {
        #expect(Set(Self.breaks.map(\.rule)) == Set(Self.rules))
        #expect(ConsistencyRule(rawValue: UInt8(ConsistencyRule.count)) == nil)
        // The width of physical addresses limits two registers, and high bits of two others are 0, in the same words.
        let readings = Set(Self.rules.map { "\($0.section): \($0.words)" })
        #expect(readings.count == Self.rules.count - 2)
        #expect(Self.rules.allSatisfy { !"\($0.section.title)".isEmpty && !"\($0.words)".isEmpty })
    }

    @Test func `what the manual does not forbid breaks no rule`() {
        func isTaken(
            _ scenario: ConsistencyScenario, on capabilities: SVMCapabilities = .rich, _ change: (ConsistencyFixture) -> Void
        )
            -> Bool
        {
            let fixture = ConsistencyFixture(scenario, on: capabilities)
            change(fixture)
            return fixture.findings.isEmpty
        }
        // Paged real mode, caches off, the last pages that there are, addresses that are not canonical, an invalid event.
        #expect(isTaken(.virtual8086) { $0.vmcb[.cr0] = .paging })
        #expect(isTaken(.long64) { $0.vmcb[.cr0] = $0.vmcb[.cr0] | .cacheDisable | .notWriteThrough })
        #expect(isTaken(.long64) { $0.vmcb[.ioPermissionMap] = .init((1 << 40) - 0x3000 + 0xFFF) })
        #expect(isTaken(.long64) { $0.vmcb[.msrPermissionMap] = .init((1 << 40) - 0x2000) })
        #expect(isTaken(.long64) { $0.vmcb[.rip] = 1 << 62 })
        #expect(isTaken(.exception) { $0.vmcb[.eventInjection].rawValue &= ~(1 << 31) })
        #expect(isTaken(.exception) { $0.vmcb[.eventInjection].rawValue |= 0x7FFF_F000 })
        #expect(isTaken(.nonMaskableInterrupt) { $0.vmcb[.eventInjection].rawValue |= 0xFF })
        #expect(isTaken(.exception) { $0.inject(21) } && isTaken(.exception) { $0.inject(30) })
        #expect(isTaken(.pageDirectoryPointers) { $0.inject(4) })
        #expect(isTaken(.virtual8086) { $0.vmcb[.cr3] = .max } && isTaken(.long64) { $0.vmcb[.cr3] |= 0xFFF })
        #expect(isTaken(.long64) { $0.vmcb[.guestPAT] = .init(rawValue: .max) })
        #expect(isTaken(.long64) { $0.vmcb[.efer] = $0.vmcb[.efer].subtracting(.longModeActive) })
        #expect(isTaken(.long64, on: .old) { $0.vmcb[.supervisorCET] = .max })
        #expect(isTaken(.long64, on: .old) { $0.vmcb[.virtualInterrupts] = .avicEnable | .x2AVICEnable | .nmiEnable })
        #expect(isTaken(.nested) { $0.withAVIC(.none).vmcb[.avicPhysicalTable].rawValue = 255 })
        #expect(isTaken(.nested) { $0.withAVIC(.x2AVICEnable).vmcb[.avicPhysicalTable].rawValue = 511 })
        #expect(
            isTaken(.nested, on: .rich.with(extendedX2AVIC: true)) {
                $0.withAVIC(.x2AVICEnable).vmcb[.avicPhysicalTable].rawValue = 4095
            })
        // Nested paging reads the page-directory pointers later.
        #expect(
            isTaken(.pageDirectoryPointers) {
                $0.vmcb[.nestedControl] = .nestedPaging
                $0.circumstances.pageDirectoryPointers = [3, 3, 3, 3]
            })
    }

    @Test func `of a guest with encrypted state the control area alone is checked`() {
        let fixture = ConsistencyFixture(.nested)
        fixture.vmcb[.nestedControl] = .nestedPaging | .encryptedMemory | .encryptedState
        fixture.vmcb[.efer] = .none
        fixture.vmcb[.cr0].rawValue = .max
        #expect(fixture.findings.isEmpty)
        fixture.vmcb[.guestASID] = 0
        #expect(fixture.findings.map(\.rule) == [.guestASID])
    }

    @Test func `the findings have room for what any VMCB breaks`() {
        var generator = FixedSeedGenerator(seed: 1)
        var most = 0
        for round in 0..<2000 {
            let fixture = ConsistencyFixture(.long64)
            fixture.circumstances.hasUserShadowStacks = true
            fixture.circumstances.pageDirectoryPointers = [.max, .max, .max, .max]
            for position in 0..<VMCBFieldName.count {
                let value = round == 0 ? 0 : round == 1 ? .max : generator.next() | generator.next()
                fixture.vmcb.setBits(of: VMCBFieldName(at: position)!, to: value)
            }
            fixture.vmcb[.nestedControl] = fixture.vmcb[.nestedControl].subtracting(.encryptedState)
            most = max(most, fixture.findings.count)
        }
        #expect(most > 12 && most < ConsistencyFindings.capacity)
    }

    @Test func `a finding says itself in words`() {
        let fixture = ConsistencyFixture(.long64)
        fixture.vmcb[.dr7] |= 1 << 32
        #expect(
            fixture.findings.map(words)
                == ["DR7 = 0x100000400: bits 63:32 must be 0 (APM volume 2, \"Canonicalization and Consistency Checks\")"])
        #expect(ConsistencyChecks.run(fixture.vmcb, fixture.capabilities, fixture.circumstances).isInvalid)
    }
}
