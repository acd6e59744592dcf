import EntryProof
import Memory
import Support
import Testing
import Text
import VMX
import VMXChecks
import X86

/// Entry checks.
@Suite struct EntryChecksTests {
    static let scenarios = (0..<MutationScenario.count).map { MutationScenario(rawValue: $0)! }
    static let sets: [CapabilitySet] = [.skylakeX, .nestedKVM, .arrandale, .penryn, .everything]
    static let breaks = controlBreaks + hostBreaks + guestRegisterBreaks + guestSegmentBreaks + guestStateBreaks

    @Test(arguments: scenarios, sets)
    func `a good VMCS breaks no rule`(_ scenario: MutationScenario, _ set: CapabilitySet) {
        guard scenario.isAvailable(set.capabilities) else { return }
        let fixture = EntryFixture(scenario, on: set)
        #expect(fixture.violations.map(words) == [])
        #expect(fixture.prediction.verdict == .pass)
    }

    @Test(arguments: breaks)
    func `a broken rule is found, and no other`(_ change: EntryBreak) {
        var fixture = EntryFixture(change.scenario, on: change.set)
        #expect(fixture.violations.isEmpty)
        change.apply(&fixture)
        let found = fixture.violations.map { EntryBreak.Finding(field: $0.field.rawValue, rule: $0.rule) }
        #expect(found.sorted() == (change.expected + change.others).sorted())
        #expect(fixture.violations.allSatisfy { $0.value == fixture.snapshot[$0.field] })
    }

    @Test func `bits 63:N of RIP and SSP are identical, and bit N - 1 may differ; elsewhere addresses are canonical`() {
        for (field, isCanonical) in [
            (VMCSField.guestRIP.encoding, false), (VMCSField.guestShadowStackPointer.encoding, false),
            (VMCSField.guestSysenterEIP.encoding, true), (VMCSField.guestSysenterESP.encoding, true),
            (VMCSField.guestFSBase.encoding, true), (VMCSField.guestGSBase.encoding, true),
            (VMCSField.guestTRBase.encoding, true), (VMCSField.guestGDTRBase.encoding, true),
            (VMCSField.guestIDTRBase.encoding, true), (VMCSField.hostRIP.encoding, true),
            (VMCSField.hostFSBase.encoding, true), (VMCSField.hostGDTRBase.encoding, true),
        ] {
            let fixture = EntryFixture(.features, on: .everything)
            #expect(fixture.violations.isEmpty)
            let width = UInt64(fixture.capabilities.linearAddressWidth)
            func isTaken(_ value: UInt64) -> Bool {
                var changed = fixture
                changed.snapshot[field] = value
                return changed.violations.isEmpty
            }
            let end: UInt64 = 1 << (width - 1)
            #expect(isTaken(end - 4) && isTaken(0 &- end))
            #expect(isTaken(end) == !isCanonical && isTaken(0 &- end - 4) == !isCanonical)
            #expect(!isTaken(end << 1) && !isTaken(1 << 62) && !isTaken(0 &- (end << 1) - 4))
        }
    }

    @Test func `every rule is broken by some test`() {
        var tested: Set<EntryRule> = []
        for change in Self.breaks {
            var fixture = EntryFixture(change.scenario, on: change.set)
            change.apply(&fixture)
            tested.formUnion(fixture.violations.map(\.rule).filter { $0 == change.expected[0].rule })
        }
        #expect(tested == Set((0...255).compactMap(EntryRule.init(rawValue:))))
    }

    @Test func `no two rules of a section read alike`() {
        let rules = (0...255).compactMap(EntryRule.init(rawValue:))
        let readings = Set(rules.map { "\($0.section): \($0.words)" })
        #expect(readings.count == rules.count && rules.allSatisfy { !$0.words.description.isEmpty })
    }

    @Test func `the findings have room for what any VMCS breaks`() {
        var generator = FixedSeedGenerator(seed: 1)
        var most = 0
        for set in Self.sets {
            for round in 0..<500 {
                var snapshot = VMCSSnapshot()
                for position in 0..<VMCSFieldDescription.count {
                    let field = VMCSFieldDescription.field(at: position).encoding
                    snapshot[field] = round == 0 ? 0 : round == 1 ? .max : generator.next() & generator.next()
                }
                most = max(most, EntryChecks.run(snapshot, set.capabilities, EntryCircumstances(SimulatedHost())).count)
            }
        }
        #expect(most > 100 && most < EntryFindings.capacity)
    }

    @Test func `each section fails the VM entry in its way`() {
        for change in controlBreaks { expect(change, .invalidControls) }
        for change in hostBreaks { expect(change, .invalidHostState) }
        for change in guestRegisterBreaks + guestSegmentBreaks { expect(change, .invalidGuestState(qualification: 0)) }
        for change in guestStateBreaks {
            switch change.expected[0].field {
            case 0x2800: expect(change, .invalidGuestState(qualification: 4))
            case 0x280A, 0x280C, 0x280E, 0x2810, 0x6802: expect(change, .invalidGuestState(qualification: 2))
            default:
                let isNMI = change.expected[0].rule == .injectedNMIBlockedBySTI
                expect(change, .invalidGuestState(qualification: isNMI ? 3 : 0))
            }
        }
    }

    private func expect(_ change: EntryBreak, _ verdict: EntryVerdict, _ location: SourceLocation = #_sourceLocation) {
        var fixture = EntryFixture(change.scenario, on: change.set)
        change.apply(&fixture)
        #expect(fixture.prediction.verdict == verdict, "\(change.expected[0].rule)", sourceLocation: location)
        #expect(fixture.prediction.allows(verdict), sourceLocation: location)
    }

    @Test func `several broken rules may fail an entry in several ways, and never let it pass`() {
        var fixture = EntryFixture(.long64, on: .skylakeX)
        fixture.snapshot[.guestRFLAGS] = .none
        fixture.snapshot[.linkPointer] = .init(1)
        #expect(fixture.prediction.allows(.invalidGuestState(qualification: 0)))
        #expect(fixture.prediction.allows(.invalidGuestState(qualification: 4)))
        #expect(!fixture.prediction.allows(.invalidGuestState(qualification: 2)))
        #expect(!fixture.prediction.allows(.entryFailure(reason: 34, qualification: 0)))
        #expect(!fixture.prediction.allows(.pass))
        fixture.snapshot[.hostRIP] = 1 << 62
        #expect(fixture.prediction.verdict == .invalidHostState)
        #expect(!fixture.prediction.allows(.invalidGuestState(qualification: 0)))
        fixture.snapshot[.cr3TargetCount] = 9
        #expect(fixture.prediction.verdict == .invalidControls)
        #expect(fixture.prediction.allows(.invalidHostState))
        #expect(!fixture.prediction.allows(.fail(error: 0)))
    }

    @Test func `the check that the manual leaves to the processor may also pass`() {
        var fixture = EntryFixture(.nonMaskableInterrupt, on: .skylakeX)
        fixture.snapshot[.guestInterruptibility] = .blockingBySTI
        #expect(fixture.prediction.verdict == .invalidGuestState(qualification: 3))
        #expect(fixture.prediction.mayPass)
    }

    @Test func `an injected exception is free to have an error code where the processor says so`() {
        var fixture = EntryFixture(.exception, on: .skylakeX.replacing([0x480: 0x01DA_1000_0000_0001]))
        fixture.inject(.hardwareException, 6, errorCode: true)
        #expect(fixture.violations.isEmpty)
        fixture.inject(.hardwareException, 13)
        #expect(fixture.violations.isEmpty)
    }

    @Test func `a processor with five-level paging has wider canonical addresses`() {
        var fixture = EntryFixture(.long64, on: .skylakeX)
        fixture.snapshot[.guestFSBase] = 1 << 55
        #expect(fixture.violations.count == 1)
        let host = SimulatedHost()
        host.registers = CapabilitySet.skylakeX.registers
        let wide = VMXCapabilities(reading: host, physicalAddressWidth: 39, linearAddressWidth: 57)
        #expect(EntryChecks.run(fixture.snapshot, wide, fixture.circumstances).verdict == .pass)
        fixture.snapshot[.guestFSBase] = 1 << 56
        #expect(EntryChecks.run(fixture.snapshot, wide, fixture.circumstances).verdict != .pass)
    }

    @Test func `a violation says itself in words`() {
        var fixture = EntryFixture(.long64, on: .skylakeX)
        fixture.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA0FB)
        #expect(
            fixture.violations.map(words) == [
                "guest CS access rights = 0xa0fb: types 9 and 11 need DPL equal to SS.DPL (SDM volume 3, \"Checks on Guest Segment Registers\")"
            ])
        #expect(words(fixture.prediction.verdict) == "entry failure 33 qualification 0")
        #expect(words(EntryVerdict.invalidHostState) == "VMfailValid 8")
        #expect(words(EntryVerdict.pass) == "enters")
    }

    @Test func `what CPUID says of the processor limits what registers may hold`() {
        let rich = EntryCircumstances(SimulatedHost())
        #expect(rich.debugControl == 0xFFC7)
        #expect(rich.performanceControl == 0x7_0000_000F)
        #expect(rich.extendedFeatures.rawValue == 0xD01)
        #expect(rich.hasTransactions && rich.hasEnclaves)
        let poor = EntryCircumstances(SimulatedHost(leaves: SimulatedHost.penryn))
        #expect(poor.debugControl == 0x7FC3)
        #expect(poor.performanceControl == 0)
        #expect(!poor.hasTransactions && !poor.hasEnclaves)
    }

    @Test func `mutations flip every bit of every field that can be written, and reach the edges`() {
        let fixture = EntryFixture(.long64, on: .skylakeX)
        var cases = MutationCases(of: fixture.snapshot, fixture.capabilities)
        var values: [UInt32: Set<UInt64>] = [:]
        var count = 0
        while let mutation = cases.next() {
            count += 1
            #expect(mutation.value & ~mutation.field.valueMask == 0)
            values[mutation.field.rawValue, default: []].insert(mutation.value)
        }
        #expect(count > 10_000)
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position).encoding
            guard field.area != .exitInformation, field.exists(fixture.capabilities) else {
                #expect(values[field.rawValue] == nil)
                continue
            }
            let base = fixture.snapshot[field]
            for bit in 0..<UInt64(field.bitCount) {
                #expect(values[field.rawValue]!.contains(base ^ 1 << bit))
            }
            #expect(values[field.rawValue]!.contains(0))
            #expect(values[field.rawValue]!.contains(field.valueMask))
        }
    }
}
