import Memory
import SVM
import SVMChecks
import Text
import X86

/// A processor with SVM turned on, on which VMRUN is attempted.
public protocol ConsistencyMachine {
    /// The VMCB that the attempts are made with.
    var vmcb: VMCB { get }
    /// Room for a good VMCB.
    var base: VMCB { get }
    /// The emulator that it is, or nil.
    var emulator: Emulator? { get }
    /// Below it memory or a device may answer.
    var memoryEnd: UInt64 { get }

    /// One VMRUN; EXITCODE tells what came of it.
    func enter()
    func print(_ line: Line)
}

/// Proves the checks of VMRUN against a processor: attempts it with thousands of VMCBs that are one field away from a good one,
/// and compares whether the processor refuses them with what `ConsistencyChecks` foretells.
public struct ConsistencyProver<Machine: ConsistencyMachine> {
    private let machine: Machine
    private let capabilities: SVMCapabilities
    private let pages: ConsistencyPages
    private var tally = ConsistencyTally()

    public init(on machine: Machine, _ capabilities: SVMCapabilities, pages: ConsistencyPages) {
        self.machine = machine
        self.capabilities = capabilities
        self.pages = pages
    }

    /// - Returns: whether the processor did what was foretold, but for the known departures.
    public mutating func run() -> Bool {
        for index in 0..<ConsistencyScenario.count {
            guard let scenario = ConsistencyScenario(rawValue: index) else { continue }
            run(scenario)
        }
        tally.report { machine.print($0) }
        return tally.disagreements == 0
    }

    private mutating func run(_ scenario: ConsistencyScenario) {
        guard scenario.isAvailable(capabilities) else {
            machine.print("VMRUN checks: \(scenario.name): the processor does not offer it")
            return
        }
        machine.base.clear()
        scenario.fill(machine.base, pages)
        machine.base[.cleanBits] = VMCBCleanBits(rawValue: 0)
        let findings = ConsistencyChecks.run(machine.base, capabilities, circumstances(of: machine.base))
        for index in 0..<findings.count {
            machine.print("VMRUN checks: \(scenario.name) is not good: \(findings[index])")
        }
        let before = tally
        var mutations = ConsistencyMutations(of: machine.base, physicalAddressWidth: capabilities.physicalAddressWidth)
        while let mutation = mutations.next() { check(mutation, scenario) }
        machine.print(
            "VMRUN checks: \(scenario.name): \(tally.cases - before.cases) cases, \(tally.agreed - before.agreed) agreed, \(tally.refused - before.refused) of them refused"
        )
    }

    private mutating func check(_ mutation: ConsistencyMutation, _ scenario: ConsistencyScenario) {
        tally.cases += 1
        let vmcb = machine.vmcb
        vmcb.copy(from: machine.base)
        vmcb.setBits(of: mutation.field, to: mutation.value)
        let findings = ConsistencyChecks.run(vmcb, capabilities, circumstances(of: vmcb))
        let outlook = outlook(vmcb, findings)
        if let obstacle = outlook.obstacle {
            tally.notAttempted[Int(obstacle.rawValue)] += 1
            return
        }
        machine.enter()
        let isRefused = isRefusal(vmcb[.exitCode])
        if isRefused == findings.isInvalid {
            tally.agreed += 1
            if isRefused { tally.refused += 1 }
        } else if let departure = isRefused ? outlook.refused : outlook.taken {
            tally.departures[Int(departure.rawValue)] += 1
        } else {
            tally.disagreements += 1
            report(mutation, scenario, findings, vmcb[.exitCode])
        }
    }

    /// What is known before the attempt, which changes the VMCB.
    private struct Outlook {
        var obstacle: ConsistencyObstacle?
        /// By what the emulator takes a VMCB that breaks rules; nil if it must refuse it.
        var taken: EmulatorDeparture?
        /// By what the emulator refuses a VMCB that breaks none.
        var refused: EmulatorDeparture?
    }

    private func outlook(_ vmcb: VMCB, _ findings: ConsistencyFindings) -> Outlook {
        var outlook = Outlook()
        var isTaken = !findings.isInvalid
        if let emulator = machine.emulator {
            outlook.obstacle = ConsistencyObstacle(endOf: emulator, by: vmcb, capabilities)
            outlook.refused = EmulatorDeparture(refusedBy: emulator, vmcb, capabilities)
            var unchecked = 0
            for index in 0..<findings.count {
                guard let known = EmulatorDeparture(unchecked: findings[index], capabilities, by: emulator) else { continue }
                outlook.taken = known
                unchecked += 1
            }
            isTaken = unchecked == findings.count
            if !isTaken { outlook.taken = nil }
        }
        if isTaken, outlook.obstacle == nil {
            outlook.obstacle = ConsistencyObstacle(
                vmcb, pages, memoryEnd: machine.memoryEnd, capabilities.identification.features, on: machine.emulator)
        }
        return outlook
    }

    /// QEMU 7.2 writes VMEXIT_INVALID with 32 bits.
    private func isRefusal(_ code: UInt64) -> Bool {
        SVMExitCode(code) == .invalid || machine.emulator == .qemu && code == 0xFFFF_FFFF
    }

    /// What is known of the memory that this VMCB points to.
    private func circumstances(of vmcb: VMCB) -> ConsistencyCircumstances {
        var result = ConsistencyCircumstances()
        if vmcb[.cr3] == pages.blank.rawValue { result.pageDirectoryPointers = .init(repeating: 0) }
        return result
    }

    private func report(
        _ mutation: ConsistencyMutation, _ scenario: ConsistencyScenario, _ findings: ConsistencyFindings, _ code: UInt64
    ) {
        machine.print(
            "VMRUN checks: \(scenario.name): \(mutation.field.name) = \(hex: mutation.value): exit code \(hex: code)\(findings.isInvalid ? ", but:" : ", although it breaks no rule")"
        )
        for index in 0..<findings.count { machine.print("        \(findings[index])") }
    }
}
