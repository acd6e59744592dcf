import EntryProof
import Instructions
import Machine
import Memory
import Text
import VMX
import VMXChecks
import X86

/// Proves the entry checks against the processor: attempts VM entries with thousands of VMCSs that are one field away from
/// a good one, and compares what the processor does with what `EntryChecks` predicts. By selftest=entry.
struct EntrySelfTest: ~Copyable {
    private let capabilities: VMXCapabilities
    private let circumstances: EntryCircumstances
    private let vmcs: HostPhysicalAddress
    private let pages: MutationPages
    private let host: HostState
    /// Below it the kernel's page tables map all memory.
    private let memoryEnd: UInt64
    private let isBochs = inb(0xE9) == 0xE9
    private var tally = EntryTally()

    /// - Returns: whether the processor did what was predicted, but for the known deviations.
    static func run(on machine: inout HostMachine) -> Bool {
        var test = EntrySelfTest(on: &machine)
        for index in 0..<MutationScenario.count {
            guard let scenario = MutationScenario(rawValue: index) else { continue }
            test.run(scenario)
        }
        VMXOperation.clear(vmcs: test.vmcs)
        test.tally.print()
        return test.tally.disagreements == 0
    }

    private init(on machine: inout HostMachine) {
        capabilities = machine.capabilities
        vmcs = machine.frame()
        pages = EntrySelfTest.takePages(machine)
        memoryEnd = 4 << 30
        var circumstances = EntryCircumstances(machine.host)
        circumstances.currentVMCS = vmcs
        circumstances.virtualTaskPriority = 0
        self.circumstances = circumstances
        host = HostState(
            cr0: ControlRegister0(rawValue: read_cr0()), cr3: read_cr3(), cr4: ControlRegister4(rawValue: read_cr4()),
            extendedFeatures: ExtendedFeatureEnable(rawValue: read_msr(ModelSpecificRegister.extendedFeatureEnable.number)),
            pat: read_msr(ModelSpecificRegister.pat.number), codeSelector: DescriptorTables.codeSelector,
            dataSelector: DescriptorTables.dataSelector, taskSelector: DescriptorTables.taskSelector,
            taskStateBase: address_of_task_state(), gdtBase: address_of_descriptor_table(),
            idtBase: address_of_interrupt_table(), stackPointer: address_of_main_stack_top(),
            instructionPointer: address_of_martlet_probe_exit())
        fillPages()
    }

    /// Pages in the guest's RAM, which no guest uses now. Its addresses have several high bits set, so that an address with
    /// one bit flipped never lies in the kernel, and what the processor writes there harms nobody.
    private static func takePages(_ machine: borrowing HostMachine) -> MutationPages {
        func page(_ index: UInt64) -> HostPhysicalAddress { machine.guestRAM.start.advanced(by: .frames(index)) }
        // No two of the indices differ in one bit only: a flipped bit of the one address must not make it another.
        let pages = MutationPages(
            blank: page(0), scratch: page(3), apicAccess: page(5), registerArea: page(6), shadowVMCS: page(9))
        let memory = IdentityMemory()
        memory.zeroFrame(at: pages.blank)
        memory.zeroFrame(at: pages.scratch)
        memory.zeroFrame(at: pages.apicAccess)
        memory.zeroFrame(at: pages.registerArea)
        memory.zeroFrame(at: pages.shadowVMCS)
        return pages
    }

    private func fillPages() {
        let memory = IdentityMemory()
        for index in 0..<UInt64(MutationPages.registerAreaCount) {
            let entry = pages.registerArea.advanced(by: ByteCount(index * 16))
            memory.writeUInt64(UInt64(ModelSpecificRegister.kernelGSBase.number), at: entry)
            memory.writeUInt64(0, at: entry.advanced(by: ByteCount(8)))
        }
        // VMCLEAR makes a region whatever the processor keeps in it; bit 31 marks a shadow VMCS.
        VMXOperation.makeCurrent(capabilities, vmcs: pages.shadowVMCS)
        VMXOperation.clear(vmcs: pages.shadowVMCS)
        memory.writeUInt32(capabilities.basic.revisionIdentifier | 1 << 31, at: pages.shadowVMCS)
        VMXOperation.makeCurrent(capabilities, vmcs: vmcs)
    }

    // MARK: Cases

    private mutating func run(_ scenario: MutationScenario) {
        guard scenario.isAvailable(capabilities) else {
            Console.print("entry checks: \(scenario.name): the processor does not offer it")
            return
        }
        let base = scenario.snapshot(capabilities, host, pages)
        let findings = EntryChecks.run(base, capabilities, circumstances)
        for index in 0..<findings.count {
            Console.print("entry checks: \(scenario.name) is not good: \(findings[index])")
        }
        let before = tally
        var isLoaded = false
        var cases = MutationCases(of: base, capabilities)
        while let mutation = cases.next() { check(mutation, of: base, scenario, &isLoaded) }
        Console.print(
            "entry checks: \(scenario.name): \(tally.cases - before.cases) cases, \(tally.agreed - before.agreed) agreed")
    }

    /// - Parameter isLoaded: the current VMCS holds the values of `base`.
    private mutating func check(
        _ mutation: Mutation, of base: VMCSSnapshot, _ scenario: MutationScenario, _ isLoaded: inout Bool
    ) {
        tally.cases += 1
        var snapshot = base
        snapshot[mutation.field] = mutation.value
        let findings = EntryChecks.run(snapshot, capabilities, circumstances(of: snapshot))
        let prediction = findings.prediction
        var onBochs = EntryPrediction()
        var deviation: KnownDeviation?
        for index in 0..<findings.count {
            if let known = KnownDeviation(unchecked: findings[index]) {
                if deviation?.endsEmulator != true { deviation = known }
            } else {
                onBochs.include(findings[index])
            }
        }
        if onBochs.mayPass {
            if let obstacle = EntryObstacle(snapshot, base, mapped: memoryEnd, endsEmulator: endsEmulator(snapshot, deviation)) {
                tally.notAttempted[Int(obstacle.rawValue)] += 1
                return
            }
        }
        let seen = attempt(mutation, of: base, &isLoaded)
        if prediction.allows(seen) {
            tally.agreed += 1
        } else if isBochs, let known =
            onBochs.allows(seen) ? deviation : KnownDeviation(mutation, snapshot, capabilities, seen) {
            tally.deviations[Int(known.rawValue)] += 1
        } else {
            tally.disagreements += 1
            report(mutation, scenario, findings, seen)
        }
    }

    private func endsEmulator(_ snapshot: VMCSSnapshot, _ unchecked: KnownDeviation?) -> Bool {
        isBochs && (unchecked?.endsEmulator == true || KnownDeviation.endsEmulator(snapshot))
    }

    private func attempt(_ mutation: Mutation, of base: VMCSSnapshot, _ isLoaded: inout Bool) -> EntryVerdict {
        let access = HardwareVMCS()
        if !isLoaded { base.write(to: VMCS(access), capabilities) }
        access.write(mutation.field, mutation.value)
        let seen = attempt()
        access.write(mutation.field, base[mutation.field])
        // An exit has saved the guest's state over the VMCS's; a failed entry leaves all as it was.
        isLoaded = seen != .pass
        return seen
    }

    /// What is known of the memory that this VMCS points to.
    private func circumstances(of snapshot: VMCSSnapshot) -> EntryCircumstances {
        var result = circumstances
        let link: HostPhysicalAddress = snapshot[.linkPointer]
        if link.rawValue & 0xFFF == 0, link.rawValue < memoryEnd {
            result.linkTarget = link.rawValue < 4096 ? 0 : IdentityMemory().readUInt32(at: link)
        }
        // Without EPT a PAE guest's page-directory pointers come from the page of zeroes.
        if snapshot[.guestCR3] == pages.blank.rawValue { result.pageDirectoryPointers = .init(repeating: 0) }
        return result
    }

    /// One VM entry with the current VMCS.
    private func attempt() -> EntryVerdict {
        VMXOperation.clear(vmcs: vmcs)
        if execute_vmptrld(vmcs.rawValue) != vmx_succeed { Panic.stop("VMPTRLD failed") }
        let result = martlet_probe_entry()
        let fields = VMCS(HardwareVMCS())
        switch result {
        case 0:
            let reason: ExitReason = fields[.exitReason]
            guard reason.isEntryFailure else { return .pass }
            return .entryFailure(reason: reason.basic, qualification: fields[.exitQualification])
        case 1: return .fail(error: 0)
        default: return .fail(error: fields[.instructionError])
        }
    }

    private func report(
        _ mutation: Mutation, _ scenario: MutationScenario, _ findings: EntryFindings, _ seen: EntryVerdict
    ) {
        let name = VMCSFieldDescription.name(of: mutation.field)
        Console.print(
            "entry checks: \(scenario.name): \(name) = \(hex: mutation.value): predicted: \(findings.verdict), seen: \(seen)")
        for index in 0..<findings.count { Console.print("        \(findings[index])") }
    }
}

/// Why a VM entry that passes is not attempted: the kernel would not come back from it.
enum EntryObstacle: UInt8 {
    /// HOST_RIP points elsewhere.
    case hostCodeElsewhere
    /// HOST_CR3 points elsewhere, or CR4.LA57, CR4.LASS or EFER.NXE changes what the tables allow.
    case hostTablesElsewhere
    /// An MSR-load or MSR-store area elsewhere, or longer than the page that is meant for it.
    case registerAreaElsewhere
    /// Nothing ends the wait for a SIPI, or a halt without the preemption timer.
    case neverWakes
    /// The VMCS link pointer points to memory whose content is not known.
    case unknownMemory
    /// A known deviation of Bochs ends it.
    case endOfEmulator

    static var count: Int { 6 }

    init?(_ snapshot: VMCSSnapshot, _ base: VMCSSnapshot, mapped memoryEnd: UInt64, endsEmulator: Bool) {
        if endsEmulator {
            self = .endOfEmulator
        } else if snapshot[.hostRIP] != base[.hostRIP] {
            self = .hostCodeElsewhere
        } else if EntryObstacle.changesTables(snapshot, base) {
            self = .hostTablesElsewhere
        } else if EntryObstacle.movesArea(snapshot, base) {
            self = .registerAreaElsewhere
        } else if EntryObstacle.sleeps(snapshot) {
            self = .neverWakes
        } else {
            let link: HostPhysicalAddress = snapshot[.linkPointer]
            guard link.rawValue != UInt64.max, link.rawValue >= memoryEnd else { return nil }
            self = .unknownMemory
        }
    }

    /// CR4.LASS forbids the kernel the lower half of the linear addresses, in which it lives.
    private static var linearAddressSpaceSeparation: ControlRegister4 { .init(bit: 27) }

    /// Bits 4:3 of CR3 are memory types, and its other low bits mean nothing without PCIDs.
    private static func changesTables(_ snapshot: VMCSSnapshot, _ base: VMCSSnapshot) -> Bool {
        (snapshot[.hostCR3] ^ base[.hostCR3]) & ~0xFFF != 0
            || (snapshot[.hostCR4] ^ base[.hostCR4]).intersects(.fiveLevelPaging | linearAddressSpaceSeparation)
            || (snapshot[.hostEFER] ^ base[.hostEFER]).contains(.executeDisable)
            || snapshot[.hostCR4].contains(.processContextIdentifiers) && snapshot[.hostCR3] != base[.hostCR3]
    }

    /// The preemption timer counts in the HLT and shutdown states, but not while waiting for a SIPI.
    private static func sleeps(_ snapshot: VMCSSnapshot) -> Bool {
        let state = snapshot[.guestActivityState]
        return state == .waitForStartupIPI
            || state != .active
                && (!snapshot[.pinControls].contains(.activatePreemptionTimer) || snapshot[.preemptionTimer] > 1 << 20)
    }

    private static func movesArea(_ snapshot: VMCSSnapshot, _ base: VMCSSnapshot) -> Bool {
        func moves(_ address: VMCSField<HostPhysicalAddress, Writable>, _ count: VMCSField<UInt32, Writable>) -> Bool {
            snapshot[count] > MutationPages.registerAreaCount || snapshot[count] != 0 && snapshot[address] != base[address]
        }
        return moves(.entryMSRLoadAddress, .entryMSRLoadCount) || moves(.exitMSRLoadAddress, .exitMSRLoadCount)
            || moves(.exitMSRStoreAddress, .exitMSRStoreCount)
    }

    var words: StaticString {
        switch self {
        case .hostCodeElsewhere: "the exit would go elsewhere (host RIP)"
        case .hostTablesElsewhere: "the host's page tables would be others (host CR3, CR4.LA57, CR4.LASS, EFER.NXE)"
        case .registerAreaElsewhere: "MSRs would be loaded from or stored to other memory"
        case .neverWakes: "nothing would end the wait for a SIPI, or the halt without preemption timer"
        case .unknownMemory: "the VMCS link pointer would point to memory whose content is not known"
        case .endOfEmulator: "Bochs would let the VM entry pass and then end"
        }
    }
}

/// What has come of the cases so far.
struct EntryTally {
    var cases: UInt64 = 0
    var agreed: UInt64 = 0
    var disagreements: UInt64 = 0
    var notAttempted: [6 of UInt64] = .init(repeating: 0)
    var deviations: [32 of UInt64] = .init(repeating: 0)

    /// Prints what was left out and what deviates, by kind, and the sum.
    func print() {
        var left: UInt64 = 0
        for index in 0..<EntryObstacle.count where notAttempted[index] != 0 {
            left += notAttempted[index]
            guard let kind = EntryObstacle(rawValue: UInt8(index)) else { continue }
            Console.print("entry checks: \(notAttempted[index], width: 6) not attempted: \(kind.words)")
        }
        var deviating: UInt64 = 0
        for index in 0..<Int(KnownDeviation.count) where deviations[index] != 0 {
            deviating += deviations[index]
            guard let kind = KnownDeviation(rawValue: UInt8(index)) else { continue }
            Console.print("entry checks: \(deviations[index], width: 6) known deviations: \(kind.words)")
        }
        Console.print(
            "entry checks: \(cases) cases, \(agreed) agreed, \(left) not attempted, \(deviating) known deviations, \(disagreements) disagreements"
        )
    }
}
