import EntryProof
import Memory
import Support
import VMX
import VMXChecks
import X86

/// A good VMCS, to be broken in one way.
struct EntryFixture {
    var processor: CapabilitySet
    var circumstances: EntryCircumstances
    var snapshot: VMCSSnapshot

    var capabilities: VMXCapabilities { processor.capabilities }

    static let pages = MutationPages(
        blank: .init(0x20_0000), scratch: .init(0x20_3000), apicAccess: .init(0x20_5000), registerArea: .init(0x20_6000),
        shadowVMCS: .init(0x20_9000))

    static let host = HostState(
        cr0: .init(rawValue: 0x8001_0031), cr3: 0x10_0000, cr4: .init(rawValue: 0x2020),
        extendedFeatures: .longModeEnable | .longModeActive | .executeDisable, pat: 0x0007_0406_0007_0406, codeSelector: 8,
        dataSelector: 16, taskSelector: 24, gsBase: 0x10_6000, taskStateBase: 0x10_1000, gdtBase: 0x10_2000, idtBase: 0x10_3000,
        stackPointer: 0x10_4000, instructionPointer: 0x10_5000)

    init(_ scenario: MutationScenario, on set: CapabilitySet) {
        processor = set
        circumstances = EntryCircumstances(SimulatedHost())
        circumstances.currentVMCS = .init(0x20_A000)
        circumstances.virtualTaskPriority = 0
        snapshot = scenario.snapshot(set.capabilities, Self.host, Self.pages)
    }

    var violations: [Violation] {
        let findings = EntryChecks.run(snapshot, capabilities, circumstances)
        return (0..<findings.count).map { findings[$0] }
    }

    var prediction: EntryPrediction { EntryChecks.run(snapshot, capabilities, circumstances).prediction }
}

extension CapabilitySet {
    /// skylake_x with controls that newer processors have: CET, protection keys for supervisor pages, last-branch records,
    /// processor trace through EPT, sub-page permissions.
    static let everything = skylakeX.replacing([
        0x489: 0xB7_67FF, 0x48B: 0x03D7_FFFF_0000_0000, 0x48F: 0x33FF_FFFF_0003_6DFB, 0x490: 0x77_FFFF_0000_11FB,
    ])
}
