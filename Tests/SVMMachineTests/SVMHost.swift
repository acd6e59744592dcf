import Machine
import SVM
import Support
import X86

/// The host's processor for tests, of whose guests SVM switches registers that on VMX stay in the processor.
@dynamicMemberLookup final class SVMHost: HostServices {
    let base: SimulatedHost
    private let vmcb: VMCB

    init(_ base: SimulatedHost, _ vmcb: VMCB) {
        self.base = base
        self.vmcb = vmcb
    }

    subscript<Value>(dynamicMember member: KeyPath<SimulatedHost, Value>) -> Value { base[keyPath: member] }
    subscript<Value>(dynamicMember member: ReferenceWritableKeyPath<SimulatedHost, Value>) -> Value {
        get { base[keyPath: member] }
        set { base[keyPath: member] = newValue }
    }

    var pageFaultAddress: UInt64 { vmcb[.cr2] }
    var debugStatus: UInt64 {
        get { vmcb[.dr6] }
        set { vmcb[.dr6] = newValue }
    }

    func readPageFaultAddress() -> UInt64 { vmcb[.cr2] }
    func loadPageFaultAddress(_ address: UInt64) { vmcb[.cr2] = address }
    func readDebugStatus() -> UInt64 { vmcb[.dr6] }
    func loadDebugStatus(_ value: UInt64) { vmcb[.dr6] = value }
    func read(_ register: ModelSpecificRegister) -> UInt64 { vmcb.switchedRegister(register) ?? base.read(register) }
    func write(_ register: ModelSpecificRegister, _ value: UInt64) {
        if !vmcb.setSwitchedRegister(register, to: value) { base.write(register, value) }
    }

    func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult { base.cpuid(leaf, subleaf) }
    func timeStamp() -> UInt64 { base.timeStamp() }
    func sleep(until moment: UInt64) { base.sleep(until: moment) }
    var isCalledAway: Bool {
        get { base.isCalledAway }
        set { base.isCalledAway = newValue }
    }
    var isToldToStop: Bool { base.isToldToStop }
    func setTimer(ticks: UInt64) { base.setTimer(ticks: ticks) }
    func receive() -> UInt8? { base.receive() }
    func transmit(_ byte: UInt8) { base.transmit(byte) }
    func loadExtendedControl(_ value: UInt64) { base.loadExtendedControl(value) }
    func readExtendedControl() -> UInt64 { base.readExtendedControl() }
    func readVector(_ register: UInt8, isWide: Bool) -> VectorValue { base.readVector(register, isWide: isWide) }
    func writeVector(_ register: UInt8, _ value: VectorValue, _ write: VectorWrite) { base.writeVector(register, value, write) }
    func protectionKeyRights() -> UInt32 { base.protectionKeyRights() }
    func saveExtendedState(_ components: UInt64, to area: UnsafeMutableRawPointer) {
        base.saveExtendedState(components, to: area)
    }
    func loadExtendedState(_ components: UInt64, from area: UnsafeRawPointer) { base.loadExtendedState(components, from: area) }
    func resetExtendedState(_ components: UInt64) { base.resetExtendedState(components) }
    func readDebugAddress(_ number: Int) -> UInt64 { base.readDebugAddress(number) }
    func loadDebugAddress(_ number: Int, _ value: UInt64) { base.loadDebugAddress(number, value) }
    func finishNonMaskableInterrupt() { base.finishNonMaskableInterrupt() }
    func finishInterrupt(_ vector: UInt8) { base.finishInterrupt(vector) }
}
