import Devices
import Memory
import SVMChecks
import Support
import Testing
import VMX
import Virtualization
import X86

@testable import Machine
@testable import SVM

/// A virtual CPU on a simulated processor with SVM, with the helpers of the one on VMX: the tests of the machine are compiled
/// with either. What they say in the words of VMX, an exit's reason and qualification or a VMCS field's number, is put into those
/// of SVM here.
///
/// Every other exit is one of a processor that tells neither where the next instruction begins nor its operands: the instruction
/// is then in the guest's memory, where it can be.
final class TestMachine {
    typealias Processor = SVMProcessor<SimulatedSVM>
    typealias Host = SVMHost
    typealias CPU = VirtualCPU<Processor, Host>

    /// The tests name exits as the SDM does.
    static func word(for name: StaticString) -> String {
        ["SHUTDOWN": "triple fault", "NPF": "EPT violation"]["\(name)"] ?? "\(name)"
    }
    /// What an entry of the nested page tables allows: reading 1, writing 2, executing 4.
    static func permissions(_ entry: UInt64) -> UInt64 {
        guard entry & 5 == 5 else { return 0 }
        return 1 | entry & 2 | (entry >> 63 == 0 ? 4 : 0)
    }

    let svm: SimulatedSVM
    let host: SVMHost
    let ram: GuestRAM
    var cpu: CPU
    let capabilities: SVMCapabilities
    private let entries: UnsafeMutablePointer<CPUIDAnswers.Entry>
    let context: UnsafeMutablePointer<SVMContext>
    /// The virtual CPU's, which begin it.
    private var registers: UnsafeMutablePointer<GeneralRegisters>!
    let processor: Processor
    private let controls: [SVMControls]
    private var isPlain = false
    /// What an instruction that a test has not written took the place of.
    private var displaced: (address: Int, bytes: [UInt8])?
    private(set) var invalidations: [UInt64] = []
    /// How often VMRUN has flushed translations.
    private(set) var flushCount = 0
    let machine: CPU.Machine.Pointer
    /// The one whose machine this is a virtual CPU of.
    private let first: TestMachine?
    var board: UnsafeMutablePointer<Board> { machine.pointee.boardPointer }
    let apicPage = UnsafeMutablePointer<UInt32>.allocate(capacity: 1024)
    var vmcs: FieldsOfVMCS { FieldsOfVMCS(machine: self) }

    static let isVMX = false
    /// The slice that machines are made with, in time-stamp ticks.
    static let slice: UInt64 = 500_000
    /// Time-stamp ticks a second.
    static let frequency: UInt64 = 2_345_678_901
    /// Of a processor that lets a hypervisor give all.
    static let allOffers = CPUIDPolicy.Offers(rdtscp: true, invpcid: true, xsaves: true, pat: true, cr4: .init(rawValue: .max))
    /// The size of the RAM: what lies above is absent.
    static let ramSize = 4 << 20
    /// Where tests put code.
    static let code = 0x10000

    static let parameters = Board.Parameters(
        memory: UInt64(ramSize), timeStampFrequency: 2_000_000_000, unixSeconds: 1_700_000_000,
        commandLine: .init(UnsafeRawBufferPointer(start: nil, count: 0)))

    /// - Parameter set: which features that set's processor could give.
    init(
        _ mode: Mode = .long64, set: CapabilitySet = .skylakeX, timer: TimerChoice = .processorOrHost,
        hidden: HiddenFeatures = .init(), isShadowed: Bool = false, hasTwins: Bool = false, isDirect: Bool = false,
        beside first: TestMachine? = nil, configure: (SimulatedHost) -> Void = { _ in }
    ) {
        let base = SimulatedHost()
        base.registers = set.registers
        base.registers[0x10A] = .max
        base.registers[0x1A0] = 1
        configure(base)
        let given = set.capabilities(on: base)
        let offered = try! VMXControls(given, wantsVPID: true, timer: timer)
        let ram = GuestRAM(size: TestMachine.ramSize)
        capabilities = .simulated(cr4: .init(rawValue: .max))
        controls = [try! SVMControls(capabilities), try! SVMControls(.simulated(1))]
        svm = SimulatedSVM(ram.memory)
        let host = SVMHost(base, svm.vmcb)
        context = .allocate(capacity: 1)
        entries = .allocate(capacity: CPUIDAnswers.entryCount)
        let policy = CPUIDPolicy(
            CPUIDPolicy.Offers(
                rdtscp: offered.secondary.contains(.enableRDTSCP), invpcid: offered.secondary.contains(.enableINVPCID),
                xsaves: offered.secondary.contains(.enableXSAVES), pat: true, cr4: given.cr4.fixed1,
                fastStrings: MSRPolicy.hasFastStrings(host)),
            timeStampFrequency: TestMachine.frequency, hidden: hidden)
        let features = GuestFeatures(policy, host, hasOtherTables: false, keepsExtendedFeatures: true, keepsPageAttributes: false)
        self.first = first
        machine = first?.machine ?? .allocate(capacity: 1)
        if first == nil { machine.initialize(to: CPU.Machine(name: "test", memory: ram.memory, TestMachine.parameters)) }
        processor = SVMProcessor(svm.vmcb, svm, context)
        svm.vmcb.prepare(
            SVMStructures(
                ioPermissions: HostPhysicalAddress(0x1000), msrPermissions: HostPhysicalAddress(0x4000),
                nestedTables: HostPhysicalAddress(0x5000), asid: 1))
        cpu = VirtualCPU(
            processor: processor, host: host, machine: machine, number: machine.pointee.cpuCount, apicPage: apicPage,
            features: features, answers: CPUIDAnswers(policy, host, entries: entries), slice: TestMachine.slice)
        self.host = host
        self.ram = ram
        registers = withUnsafeMutablePointer(to: &cpu) {
            machine.pointee.add($0)
            return UnsafeMutableRawPointer($0).assumingMemoryBound(to: GeneralRegisters.self)
        }
        context.initialize(to: SVMContext(controls[0], registers: registers, has1GiBPages: true))
        cpu.start(.multiboot(entry: UInt32(TestMachine.code), information: 0x90000))
        // Without what firmware did to the devices: tests set up what they need.
        if first == nil { machine.pointee.makeAnew() }
        cpu.armNow()
        enter(mode)
        // The processor has fetched instructions there.
        _ = processor.decodeInstruction()
        svm.vmcb[.tlbControl] = .flushNothing
    }

    deinit {
        #expect(ram.isIntactAround)
        entries.deallocate()
        context.deallocate()
        guard first == nil else { return }
        machine.deinitialize(count: 1)
        machine.deallocate()
        apicPage.deallocate()
    }

    // MARK: Exits

    /// A length that no instruction has.
    static let undefinedLength: UInt32 = 77

    /// Sets the exit information as the processor does.
    func setExit(
        _ reason: BasicExitReason, qualification: UInt64 = 0, length: UInt32 = undefinedLength, physical: UInt64 = 0xBAD_F00D,
        linear: UInt64 = 0xBAD_F00D, information: UInt32 = 0, errorCode: UInt32 = 0xBAD_F00D, details: UInt32 = 0xBAD_F00D,
        vectoring: UInt32 = 0, vectoringErrorCode: UInt32 = 0xBAD_F00D
    ) {
        putBack()
        let exit = SVMExit(
            reason, qualification: qualification, length: length, physical: physical, information: information,
            errorCode: errorCode, details: details, vectoring: vectoring, vectoringErrorCode: vectoringErrorCode,
            at: SVMCode(processor))
        if let status = exit.machineStatus { registers.pointee.rax = UInt64(status) }
        isPlain.toggle()
        let isInMemory = place(exit.instruction)
        let usesBytes = isPlain && isInMemory
        context.pointee = SVMContext(context.pointee, usesBytes ? controls[1] : controls[0], registers: registers)
        let vmcb = svm.vmcb
        vmcb.setBits(of: .exitCode, to: exit.code.number)
        vmcb.setBits(of: .exitInfo1, to: usesBytes ? exit.plainInformation1 : exit.information1)
        vmcb.setBits(of: .exitInfo2, to: exit.code == .ioio ? vmcb[.rip] &+ UInt64(length) : exit.information2)
        vmcb.setBits(of: .exitIntInfo, to: exit.interrupted.rawValue)
        vmcb[.nextRIP] = usesBytes ? 0xBAD_F00D : vmcb[.rip] &+ UInt64(length)
        if let status = exit.debugStatus { vmcb[.dr6] = vmcb[.dr6] & ~0xF | status }
        if exit.isInjected {
            vmcb[.rip] &+= UInt64(length)
            context.pointee.injected = InjectedInstruction(length: UInt64(length), end: vmcb[.rip])
            context.pointee.isUnsettled = true
        }
        if reason == .nmiWindow { processor.blockNonMaskableInterrupts(false) }
        if vmcb[.tlbControl] != .flushNothing { flushCount += 1 }
        processor.beginExit()
    }

    /// - Returns: whether the instruction is now what the guest executes.
    private func place(_ bytes: [UInt8]) -> Bool {
        let start = (processor.mode.is64Bit ? 0 : processor.segment(.cs).base) &+ processor.instructionPointer
        guard !bytes.isEmpty, start >= UInt64(TestMachine.code), start < UInt64(TestMachine.ramSize - 15) else {
            return false
        }
        displaced = (Int(start), ram[Int(start)..<Int(start) + bytes.count])
        ram.put(bytes, at: Int(start))
        return processor.decodeInstruction()?.length == bytes.count
    }

    /// Handles the exit that is set as the run loop does when it looks on.
    func handleExitThatIsSet() -> Outcome {
        let before = entryViolations
        let outcome = handle(processor.decodeExit())
        if case .end = outcome { return outcome }
        #expect(entryViolations.subtracting(before) == [], "exit \(processor.exitReasonNumber): the next VMRUN would fail")
        return outcome
    }

    /// Makes the guest exit and handles it as the run loop does when it looks on.
    @discardableResult
    func exit(
        _ reason: BasicExitReason, qualification: UInt64 = 0, length: UInt32 = undefinedLength, physical: UInt64 = 0xBAD_F00D,
        linear: UInt64 = 0xBAD_F00D, information: UInt32 = 0, errorCode: UInt32 = 0xBAD_F00D, details: UInt32 = 0xBAD_F00D,
        vectoring: UInt32 = 0, vectoringErrorCode: UInt32 = 0xBAD_F00D
    ) -> Outcome {
        setExit(
            reason, qualification: qualification, length: length, physical: physical, linear: linear,
            information: information, errorCode: errorCode, details: details, vectoring: vectoring,
            vectoringErrorCode: vectoringErrorCode)
        let outcome = handleExitThatIsSet()
        return reason == .preemptionTimerExpired ? outcomeOfTimer(outcome) : outcome
    }

    /// The host's timer serves for the preemption timer: what comes of it comes behind the exit's own outcome.
    private func outcomeOfTimer(_ outcome: Outcome) -> Outcome {
        guard outcome == .resume else { return outcome }
        if case .end = cpu.pending { return cpu.pending }
        guard let injection, injection.kind == 0 else { return outcome }
        return .inject(.interrupt(injection.vector))
    }

    /// A rule of VMRUN that the VMCB breaks, and the field at which it does.
    struct BrokenRule: Hashable {
        let rule: ConsistencyRule
        let field: VMCBFieldName
    }

    /// The rules of VMRUN that the VMCB breaks now.
    var entryViolations: Set<BrokenRule> {
        var violations: Set<BrokenRule> = []
        let findings = ConsistencyChecks.run(svm.vmcb, capabilities, ConsistencyCircumstances())
        for index in 0..<findings.count {
            violations.insert(BrokenRule(rule: findings[index].rule, field: findings[index].field))
        }
        return violations
    }

    /// Handles the exit that is set, as the kernel does when nobody looks on.
    /// - Returns: whether the guest is resumed at once.
    func handleExit() -> Bool {
        defer { endExit() }
        return withUnsafeMutablePointer(to: &cpu) { CPU.handleExit($0) } == .resume
    }

    /// Handles an exit as the run loop does when it looks on.
    func handle(_ exit: Exit) -> Outcome {
        defer { endExit() }
        return withUnsafeMutablePointer(to: &cpu) { CPU.handleExit(exit, $0) }
    }

    private func putBack() {
        if let displaced { ram.put(displaced.bytes, at: displaced.address) }
        displaced = nil
    }

    /// In the words of INVVPID: one for the flush that the next VMRUN makes.
    private func endExit() {
        putBack()
        if svm.vmcb[.tlbControl] != .flushNothing { invalidations.append(1) }
        svm.vmcb[.tlbControl] = .flushNothing
    }

    // MARK: What a guest would notice

    /// Of an event that is injected with RIP behind its instruction, the instruction.
    var rip: UInt64 {
        get { svm.vmcb[.rip] &- context.pointee.injected.length }
        set { svm.vmcb[.rip] = newValue }
    }
    var rflags: UInt64 {
        get { svm.vmcb[.rflags].rawValue }
        set { svm.vmcb[.rflags] = .init(rawValue: newValue) }
    }
    /// What the next VMRUN delivers, but for a debug trap that waits.
    var injection: Injection? {
        let event = svm.vmcb[.eventInjection]
        guard event.isValid, context.pointee.statusBeforeTrap == nil else { return nil }
        let length = context.pointee.injected.length
        var kind = UInt32(event.kind.rawValue)
        if kind == 3, length != 0 { kind = event.vector == 1 ? 5 : 6 }
        return Injection(
            kind: kind, vector: event.vector, errorCode: event.hasErrorCode ? event.errorCode : nil,
            instructionLength: (4...6).contains(kind) ? UInt32(length) : nil)
    }
}

extension SVMContext {
    /// The same on a processor with other features.
    init(_ other: SVMContext, _ controls: SVMControls, registers: UnsafeMutablePointer<GeneralRegisters>) {
        self.init(controls, registers: registers, has1GiBPages: true, hasOtherTables: other.hasOtherTables)
        cr4 = other.cr4
        statusBeforeTrap = other.statusBeforeTrap
        nonMaskable = other.nonMaskable
        step = other.step
        injected = other.injected
        isUnsettled = other.isUnsettled
        tables = other.tables
    }
}
