import Virtualization
import X86

/// A register that a guest changes without an exit, or that stays loaded for it while the kernel runs: which it is, who then
/// holds the guest's value, and its value after a reset.
///
/// While a guest runs, the processor has all its registers. On a VM exit each goes to one of these holders or stays:
///
/// | registers | held by |
/// | --- | --- |
/// | general registers but RSP | the virtual CPU: the world switch |
/// | RSP, RIP, RFLAGS, CR0, CR3, CR4, DR7, IA32_EFER, IA32_DEBUGCTL, segments, descriptor tables | the control structure |
/// | the MSRs below whose holder is the control structure | the control structure |
/// | CR8 and what else the processor works of the local APIC | the APIC's page |
/// | IA32_TIME_STAMP_COUNTER | nobody: an offset to the processor's |
/// | all others below; x87, SSE, AVX, AVX-512 and PKRU | the processor: the kernel uses none of them |
///
/// Everything else that a guest can read or write exits, and Martlet keeps it. The MSRs that pass without an exit, the reset
/// of a virtual CPU, and the saving and loading of its state all follow from this table.
public struct HeldRegister: Sendable {
    public enum Holder: Sendable {
        /// VM exits save it there, and VM entries load it.
        case controlStructure
        /// It stays in the processor until another guest's value is loaded.
        case processor
    }

    /// How it is read and written.
    public enum Place: Equatable, Sendable {
        case msr(ModelSpecificRegister)
        case pageFaultAddress
        case debugAddress(Int)
        case debugStatus
        case extendedControl
    }

    public let place: Place
    public let holder: Holder
    let resetValue: UInt64

    private init(_ place: Place, _ holder: Holder = .processor, reset: UInt64 = 0) {
        self.place = place
        self.holder = holder
        resetValue = reset
    }

    /// How many rows the table has.
    public static var count: Int { 21 }

    /// The rows by their number, from 0 up to `count`.
    public static func row(_ number: Int) -> HeldRegister {
        switch number {
        case 0: .init(.msr(.star))
        case 1: .init(.msr(.longSTAR))
        case 2: .init(.msr(.compatibilitySTAR))
        case 3: .init(.msr(.systemCallMask))
        case 4: .init(.msr(.kernelGSBase))
        case 5: .init(.msr(.timeStampCounterAux))
        case 6: .init(.msr(.speculationControl))
        case 7: .init(.msr(.supervisorState))
        case 8: .init(.msr(.fsBase), .controlStructure)
        case 9: .init(.msr(.gsBase), .controlStructure)
        case 10: .init(.msr(.sysenterCS), .controlStructure)
        case 11: .init(.msr(.sysenterESP), .controlStructure)
        case 12: .init(.msr(.sysenterEIP), .controlStructure)
        case 13: .init(.msr(.pat), .controlStructure)
        case 14: .init(.pageFaultAddress)
        case 15...18: .init(.debugAddress(number - 15))
        case 19: .init(.debugStatus, reset: DebugStatus.initial)
        default: .init(.extendedControl, reset: ExtendedState.x87)
        }
    }

    /// Whether a guest with these features has the register.
    func exists(_ features: GuestFeatures) -> Bool {
        switch place {
        case .msr(.pat): features.hasPAT
        case .msr(.star), .msr(.longSTAR), .msr(.compatibilitySTAR), .msr(.systemCallMask): features.hasSystemCall
        case .msr(.sysenterCS), .msr(.sysenterESP), .msr(.sysenterEIP): features.hasFastSystemEntry
        case .msr(.timeStampCounterAux): features.hasAuxiliary
        case .msr(.speculationControl): features.hasSpeculationControl
        case .msr(.supervisorState): features.hasSupervisorState
        case .extendedControl: features.extendedState != 0
        case .msr, .pageFaultAddress, .debugAddress, .debugStatus: true
        }
    }

    /// Whether writes to it exit anyway, to be checked.
    private var isChecked: Bool { place == .extendedControl || place == .msr(.supervisorState) }

    /// Whether a guest with these features writes an MSR without an exit, and finds there what it wrote.
    static func passes(_ register: ModelSpecificRegister, _ features: GuestFeatures) -> Bool {
        for number in 0..<count {
            let row = row(number)
            if row.place == .msr(register) { return !row.isChecked && row.exists(features) }
        }
        return false
    }

    fileprivate func read(_ host: some HostServices) -> UInt64 {
        switch place {
        case .msr(let register): host.read(register)
        case .pageFaultAddress: host.readPageFaultAddress()
        case .debugAddress(let number): host.readDebugAddress(number)
        case .debugStatus: host.readDebugStatus()
        case .extendedControl: host.readExtendedControl()
        }
    }

    fileprivate func write(_ value: UInt64, _ host: some HostServices) {
        switch place {
        case .msr(let register): host.write(register, value)
        case .pageFaultAddress: host.loadPageFaultAddress(value)
        case .debugAddress(let number): host.loadDebugAddress(number, value)
        case .debugStatus: host.loadDebugStatus(value)
        case .extendedControl: host.loadExtendedControl(value)
        }
    }
}

/// The guest's values of the registers that the processor holds, as a plain value; the extended state has memory of its own.
public struct HeldRegisters: Equatable, Sendable {
    /// By the row's number.
    private var values: [21 of UInt64] = .init(repeating: 0)

    private init() {}

    public static func == (left: Self, right: Self) -> Bool {
        let (left, right) = (left.values.span, right.values.span)
        for number in left.indices where left[number] != right[number] { return false }
        return true
    }

    /// Their values after a reset.
    public static var atReset: Self {
        var registers = Self()
        for number in 0..<HeldRegister.count { registers.values[number] = HeldRegister.row(number).resetValue }
        return registers
    }

    /// Those of the guest whose registers the processor holds now.
    init(savedFrom host: some HostServices, _ features: GuestFeatures) {
        forEach(features) { number, register in values[number] = register.read(host) }
    }

    /// Loads them into the processor.
    func load(on host: some HostServices, _ features: GuestFeatures) {
        forEach(features) { number, register in register.write(values[number], host) }
    }

    @inline(__always)
    private func forEach(_ features: GuestFeatures, _ body: (Int, HeldRegister) -> Void) {
        for number in 0..<HeldRegister.count {
            let register = HeldRegister.row(number)
            if register.holder == .processor, register.exists(features) { body(number, register) }
        }
    }

    /// Clears an earlier guest from the processor: everything that it holds of a guest is as after a reset.
    public static func reset(_ host: some HostServices, _ features: GuestFeatures) {
        host.resetExtendedState(features.extendedState)
        atReset.load(on: host, features)
    }
}
