import Devices
import Memory
import Support
import Synchronization
import Testing
import VMXChecks
import Virtualization
import X86

@testable import Machine
@testable import VMX

/// A virtual CPU on a simulated processor, with RAM and page tables: tests put it in a mode, make it exit, and look.
final class TestMachine {
    let vmcs: SimulatedVMCS
    let host: SimulatedHost
    let ram: GuestRAM
    var cpu: VirtualCPU<VMXProcessor<SimulatedVMCS>, SimulatedHost>
    let tag: UInt16
    private let entries: UnsafeMutablePointer<CPUIDAnswers.Entry>
    private let constants: UnsafeMutablePointer<VMXConstants>
    let machine: CPU.Machine.Pointer
    /// The one whose machine this is a virtual CPU of.
    private let first: TestMachine?
    var board: UnsafeMutablePointer<Board> { machine.pointee.boardPointer }
    let apicPage = UnsafeMutablePointer<UInt32>.allocate(capacity: 1024)
    private(set) var shadow: TestShadow?
    private var direct: TestDirect?

    static let isVMX = true
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

    init(
        _ mode: Mode = .long64, set: CapabilitySet = .skylakeX, timer: TimerChoice = .processorOrHost,
        hidden: HiddenFeatures = .init(), isShadowed: Bool = false, hasTwins: Bool = false, isDirect: Bool = false,
        beside first: TestMachine? = nil, configure: (SimulatedHost) -> Void = { _ in }
    ) {
        let host = SimulatedHost()
        host.registers = set.registers
        host.registers[0x10A] = .max
        host.registers[0x1A0] = 1
        configure(host)
        let capabilities = set.capabilities(on: host)
        let vmcs = SimulatedVMCS(capabilities)
        let ram = GuestRAM(size: TestMachine.ramSize)
        let hasNestedTables = VMXControls.offersNestedTables(capabilities)
        let isShadowed = isShadowed || !hasNestedTables
        let controls = try! VMXControls(capabilities, wantsVPID: true, timer: timer, needsNestedTables: hasNestedTables)
        let lists = hasNestedTables ? nil : LoadedMSRs(HostPhysicalAddress(0x8000), controls)
        let tag = Invalidations.newTag()
        let shadow = isShadowed ? TestShadow(ram, hasTwins: hasTwins) : nil
        self.shadow = shadow
        let direct = isDirect ? TestDirect(ram) : nil
        self.direct = direct
        constants = .allocate(capacity: 1)
        constants.initialize(
            to: VMXConstants(
                capabilities, tag: tag,
                invalidator: TranslationInvalidator(capabilities.eptAndVPID) { Invalidations.record($0, $1) },
                localAPIC: LocalAPICVirtualization(
                    controls, msrBitmaps: HostPhysicalAddress(0x3000), accessEntry: HostPhysicalAddress(0x7000),
                    accessEntryValue: 0x6037), usesPreemptionTimer: controls.usesPreemptionTimer,
                hasNestedTables: hasNestedTables, loadedMSRs: lists, shadow: shadow?.registers ?? direct?.registers))
        entries = .allocate(capacity: CPUIDAnswers.entryCount)
        let policy = CPUIDPolicy(
            CPUIDPolicy.Offers(
                rdtscp: controls.secondary.contains(.enableRDTSCP), invpcid: controls.secondary.contains(.enableINVPCID),
                xsaves: controls.secondary.contains(.enableXSAVES), pat: controls.switchesPAT || lists != nil,
                cr4: capabilities.cr4.fixed1,
                fastStrings: MSRPolicy.hasFastStrings(host)),
            timeStampFrequency: TestMachine.frequency, hidden: hidden)
        let features = GuestFeatures(
            policy, host, hasOtherTables: isShadowed || isDirect, keepsExtendedFeatures: lists != nil,
            keepsPageAttributes: lists != nil && !controls.switchesPAT)
        self.first = first
        machine = first?.machine ?? .allocate(capacity: 1)
        if first == nil { machine.initialize(to: CPU.Machine(name: "test", memory: ram.memory, TestMachine.parameters)) }
        if let shadow { machine.pointee.shadow = shadow.tables }
        if let direct { machine.pointee.direct = direct.tables }
        let processor = VMXProcessor(vmcs, constants)
        processor.vmcs.prepare(
            controls, TestMachine.structures(tag, capabilities, hasNestedTables: hasNestedTables), TestMachine.hostState,
            GuestOwnedBits(capabilities, offered: features.cr4, hasShadowTables: isShadowed, seesWriteProtect: isDirect))
        cpu = VirtualCPU(
            processor: processor, host: host, machine: machine, number: machine.pointee.cpuCount, apicPage: apicPage,
            features: features,
            answers: CPUIDAnswers(policy, host, entries: entries), slice: TestMachine.slice)
        self.vmcs = vmcs
        self.host = host
        self.ram = ram
        self.tag = tag
        withUnsafeMutablePointer(to: &cpu) { machine.pointee.add($0) }
        cpu.start(.multiboot(entry: UInt32(TestMachine.code), information: 0x90000))
        // Without what firmware did to the devices: tests set up what they need.
        if first == nil { machine.pointee.makeAnew() }
        cpu.armNow()
        enter(mode)
        vmcs.resetCounts()
    }

    deinit {
        #expect(vmcs.refusals == [])
        #expect(ram.isIntactAround)
        entries.deallocate()
        constants.deallocate()
        guard first == nil else { return }
        machine.deinitialize(count: 1)
        machine.deallocate()
        apicPage.deallocate()
    }

    static let parameters = Board.Parameters(
        memory: UInt64(ramSize), timeStampFrequency: 2_000_000_000, unixSeconds: 1_700_000_000,
        commandLine: .init(UnsafeRawBufferPointer(start: nil, count: 0)))

    static func structures(_ tag: UInt16, _ capabilities: VMXCapabilities, hasNestedTables: Bool = true) -> ControlStructures {
        ControlStructures(
            ioBitmapA: HostPhysicalAddress(0x1000), ioBitmapB: HostPhysicalAddress(0x2000),
            msrBitmaps: HostPhysicalAddress(0x3000), virtualAPICPage: HostPhysicalAddress(0x4000),
            apicAccessPage: HostPhysicalAddress(0x6000),
            extendedPageTables: hasNestedTables
                ? EPTPointer(
                    root: HostPhysicalAddress(0x5000), levelCount: 4, memoryType: .writeBack,
                    usesAccessedAndDirty: capabilities.eptAndVPID.accessedAndDirty) : nil,
            loadedMSRs: hasNestedTables ? nil : HostPhysicalAddress(0x8000), tag: tag)
    }

    static let hostState = HostState(
        cr0: .init(rawValue: 0x8001_0033), cr3: 0x9000, cr4: .init(rawValue: 0x2020),
        extendedFeatures: .init(rawValue: 0xD00), pat: 0x0007_0406_0007_0406, codeSelector: 8, dataSelector: 16,
        taskSelector: 24, gsBase: 0x8000, taskStateBase: 0xA000, gdtBase: 0xB000, idtBase: 0xC000, stackPointer: 0xD000,
        instructionPointer: 0xE000)

    var processor: VMXProcessor<SimulatedVMCS> { cpu.processor }

    // MARK: Exits

    /// A length that no instruction has: what the instruction-length field holds where it is undefined.
    static let undefinedLength: UInt32 = 77

    /// Sets the exit information as the processor does. Fields that are not given and that the reason leaves undefined hold
    /// rubbish.
    func setExit(
        _ reason: BasicExitReason, qualification: UInt64 = 0, length: UInt32 = undefinedLength, physical: UInt64 = 0xBAD_F00D,
        linear: UInt64 = 0xBAD_F00D, information: UInt32 = 0, errorCode: UInt32 = 0xBAD_F00D, details: UInt32 = 0xBAD_F00D,
        vectoring: UInt32 = 0, vectoringErrorCode: UInt32 = 0xBAD_F00D
    ) {
        vmcs[0x4016] = vmcs[0x4016] & ~(1 << 31)
        vmcs[0x4402] = UInt64(reason.rawValue)
        vmcs[0x6400] = qualification
        vmcs[0x440C] = UInt64(length)
        vmcs[0x2400] = physical
        vmcs[0x640A] = linear
        vmcs[0x4404] = UInt64(information)
        vmcs[0x4406] = UInt64(errorCode)
        vmcs[0x440E] = UInt64(details)
        vmcs[0x4408] = UInt64(vectoring)
        vmcs[0x440A] = UInt64(vectoringErrorCode)
    }

    /// Sets an exit reason that need not be one of the manual's, or has flags.
    func setExit(reason: ExitReason, length: UInt32) {
        setExit(.cpuid, length: length)
        vmcs[0x4402] = UInt64(reason.rawValue)
    }

    /// Handles the exit that is set as the run loop does when it looks on.
    func handleExitThatIsSet() -> Outcome {
        let before = entryViolations
        let outcome = handle(processor.decodeExit())
        if case .end = outcome { return outcome }
        #expect(entryViolations.subtracting(before) == [], "exit \(vmcs[0x4402]): the next VM entry would fail")
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
        return handleExitThatIsSet()
    }

    /// A rule of VM entry that the VMCS breaks, and the field at which it does.
    struct BrokenRule: Hashable {
        let rule: EntryRule
        let field: UInt32
    }

    /// The rules of VM entry that the VMCS breaks now.
    var entryViolations: Set<BrokenRule> {
        var snapshot = VMCSSnapshot()
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position).encoding
            snapshot[field] = vmcs[field.rawValue]
        }
        var violations: Set<BrokenRule> = []
        let findings = EntryChecks.run(snapshot, vmcs.capabilities, EntryCircumstances(host))
        for index in 0..<findings.count {
            violations.insert(BrokenRule(rule: findings[index].rule, field: findings[index].field.rawValue))
        }
        return violations
    }

    typealias Processor = VMXProcessor<SimulatedVMCS>
    typealias Host = SimulatedHost
    typealias CPU = VirtualCPU<Processor, Host>

    /// The tests name exits as the SDM does.
    static func word(for name: StaticString) -> String { "\(name)" }
    /// What an entry of the nested page tables allows: reading 1, writing 2, executing 4.
    static func permissions(_ entry: UInt64) -> UInt64 { entry & 7 }

    /// Handles the exit that is set, as the kernel does when nobody looks on.
    /// - Returns: whether the guest is resumed at once.
    func handleExit() -> Bool { withUnsafeMutablePointer(to: &cpu) { CPU.handleExit($0) } == .resume }

    /// Handles an exit as the run loop does when it looks on.
    func handle(_ exit: Exit) -> Outcome { withUnsafeMutablePointer(to: &cpu) { CPU.handleExit(exit, $0) } }

    // MARK: What a guest would notice

    var rip: UInt64 {
        get { vmcs[0x681E] }
        set { vmcs[0x681E] = newValue }
    }
    var rflags: UInt64 {
        get { vmcs[0x6820] }
        set { vmcs[0x6820] = newValue }
    }
    /// What the next VM entry delivers.
    var injection: Injection? {
        let information = UInt32(truncatingIfNeeded: vmcs[0x4016])
        guard information >> 31 != 0 else { return nil }
        let hasCode = information & 1 << 11 != 0
        let kind = information >> 8 & 7
        return Injection(
            kind: kind, vector: UInt8(truncatingIfNeeded: information),
            errorCode: hasCode ? UInt32(truncatingIfNeeded: vmcs[0x4018]) : nil,
            instructionLength: (4...6).contains(kind) ? UInt32(truncatingIfNeeded: vmcs[0x401A]) : nil)
    }
    /// The kinds of INVVPID that were executed for this virtual CPU.
    var invalidations: [UInt64] { Invalidations.of(tag) }
}

/// INVVPID of all machines, by tag: a C function has no place of its own to note them.
enum Invalidations {
    private static let state = Mutex((next: UInt16(0), kinds: [UInt16: [UInt64]]()))

    static func newTag() -> UInt16 {
        state.withLock {
            $0.next &+= 1
            if $0.next == 0 { $0.next = 1 }
            $0.kinds[$0.next] = []
            return $0.next
        }
    }

    static func record(_ kind: UInt64, _ tag: UInt16) { state.withLock { $0.kinds[tag, default: []].append(kind) } }
    static func of(_ tag: UInt16) -> [UInt64] { state.withLock { $0.kinds[tag] ?? [] } }
}
