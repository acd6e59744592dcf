import Memory
import Text
import VMX
import VMXChecks
import X86

/// A processor in VMX operation, on which VM entries are attempted.
public protocol EntryMachine {
    associatedtype Access: VMCSAccess
    /// The VMCS that the attempts are made with, which is current.
    var access: Access { get }
    /// Whether it is Bochs, whose known deviations are not the checks' fault.
    var isBochs: Bool { get }
    /// Below it all memory can be read.
    var memoryEnd: UInt64 { get }

    /// The first four bytes of a page of the memory.
    func firstWord(at address: HostPhysicalAddress) -> UInt32
    /// One VM entry.
    func enter() -> EntryVerdict
    func print(_ line: Line)
}

/// Proves the entry checks against a processor: attempts VM entries with thousands of VMCSs that are one field away from a
/// good one, and compares what the processor does with what `EntryChecks` predicts.
public struct EntryProver<Machine: EntryMachine> {
    private let machine: Machine
    private let capabilities: VMXCapabilities
    private let circumstances: EntryCircumstances
    private let host: HostState
    private let pages: MutationPages
    private var tally = EntryTally()

    /// - Parameters:
    ///   - circumstances: what is known besides the fields; about memory, the current VMCS and the virtual-APIC page.
    ///   - host: where a VM exit leads.
    public init(
        on machine: Machine, _ capabilities: VMXCapabilities, _ circumstances: EntryCircumstances, host: HostState,
        pages: MutationPages
    ) {
        self.machine = machine
        self.capabilities = capabilities
        self.circumstances = circumstances
        self.host = host
        self.pages = pages
    }

    /// - Returns: whether the processor did what was predicted, except for the known deviations.
    public mutating func run() -> Bool {
        for index in 0..<MutationScenario.count {
            guard let scenario = MutationScenario(rawValue: index) else { continue }
            run(scenario)
        }
        tally.report { machine.print($0) }
        return tally.disagreements == 0
    }

    private mutating func run(_ scenario: MutationScenario) {
        guard scenario.isAvailable(capabilities) else {
            machine.print("entry checks: \(scenario.name): the processor does not offer it")
            return
        }
        let base = scenario.snapshot(capabilities, host, pages)
        let findings = EntryChecks.run(base, capabilities, circumstances)
        for index in 0..<findings.count {
            machine.print("entry checks: \(scenario.name) is not good: \(findings[index])")
        }
        let before = tally
        var isLoaded = false
        var cases = MutationCases(of: base, capabilities)
        while let mutation = cases.next() { check(mutation, of: base, scenario, &isLoaded) }
        machine.print(
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
            let ends = endsEmulator(snapshot, deviation)
            if let obstacle = EntryObstacle(snapshot, base, mapped: machine.memoryEnd, endsEmulator: ends) {
                tally.notAttempted[Int(obstacle.rawValue)] += 1
                return
            }
        }
        let seen = attempt(mutation, of: base, &isLoaded)
        if prediction.allows(seen) {
            tally.agreed += 1
        } else if machine.isBochs,
            let known =
                onBochs.allows(seen) ? deviation : KnownDeviation(mutation, snapshot, capabilities, seen)
        {
            tally.deviations[Int(known.rawValue)] += 1
        } else {
            tally.disagreements += 1
            report(mutation, scenario, findings, seen)
        }
    }

    private func endsEmulator(_ snapshot: VMCSSnapshot, _ unchecked: KnownDeviation?) -> Bool {
        machine.isBochs && (unchecked?.endsEmulator == true || KnownDeviation.endsEmulator(snapshot))
    }

    private func attempt(_ mutation: Mutation, of base: VMCSSnapshot, _ isLoaded: inout Bool) -> EntryVerdict {
        let access = machine.access
        if !isLoaded { base.write(to: VMCS(access), capabilities) }
        access.write(mutation.field, mutation.value)
        let seen = machine.enter()
        access.write(mutation.field, base[mutation.field])
        // An exit has saved the guest's state over the VMCS's; a failed entry leaves everything as it was.
        isLoaded = seen != .pass
        return seen
    }

    /// What is known about the memory that this VMCS points to.
    private func circumstances(of snapshot: VMCSSnapshot) -> EntryCircumstances {
        var result = circumstances
        let link: HostPhysicalAddress = snapshot[.linkPointer]
        if link.rawValue & 0xFFF == 0, link.rawValue < machine.memoryEnd {
            result.linkTarget = link.rawValue < 4096 ? 0 : machine.firstWord(at: link)
        }
        // Without EPT a PAE guest's page-directory pointers come from the page of zeroes.
        if snapshot[.guestCR3] == pages.blank.rawValue { result.pageDirectoryPointers = .init(repeating: 0) }
        return result
    }

    private func report(
        _ mutation: Mutation, _ scenario: MutationScenario, _ findings: EntryFindings, _ seen: EntryVerdict
    ) {
        let name = VMCSFieldDescription.name(of: mutation.field)
        machine.print(
            "entry checks: \(scenario.name): \(name) = \(hex: mutation.value): predicted: \(findings.verdict), seen: \(seen)")
        for index in 0..<findings.count { machine.print("        \(findings[index])") }
    }
}
