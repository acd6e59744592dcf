import Text
import Instructions
import Machine
import Memory
import VMX
import X86

/// The kernel's view of physical memory: every address is mapped to itself.
struct IdentityMemory: PhysicalMemory {
    @inline(__always)
    private func pointer(_ address: HostPhysicalAddress) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: UInt(address.rawValue))!
    }

    @inline(__always)
    func readUInt64(at address: HostPhysicalAddress) -> UInt64 { pointer(address).load(as: UInt64.self) }
    @inline(__always)
    func writeUInt64(_ value: UInt64, at address: HostPhysicalAddress) {
        pointer(address).storeBytes(of: value, as: UInt64.self)
    }
    /// The loader's structures need not be aligned.
    @inline(__always)
    func readUInt32(at address: HostPhysicalAddress) -> UInt32 { pointer(address).loadUnaligned(as: UInt32.self) }
    @inline(__always)
    func writeUInt32(_ value: UInt32, at address: HostPhysicalAddress) {
        pointer(address).storeBytes(of: value, as: UInt32.self)
    }
    func compareExchange(at address: HostPhysicalAddress, expected: UInt64, desired: UInt64) -> Bool {
        compare_exchange(address.rawValue, expected, desired)
    }
}

/// The processor's own identification, registers, time and ports.
struct HardwareHost: HostServices, MemoryTypeRegisterReader {
    /// The agent for which a sleeping guest is woken.
    var agent: AgentSession?
    /// A byte on it ends the guest.
    var stopLine: SerialLine?

    func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult {
        let result = execute_cpuid(leaf, subleaf)
        return CPUIDResult(eax: result.eax, ebx: result.ebx, ecx: result.ecx, edx: result.edx)
    }
    func read(_ register: ModelSpecificRegister) -> UInt64 { read_msr(register.number) }
    func write(_ register: ModelSpecificRegister, _ value: UInt64) { write_msr(register.number, value) }
    func read(_ register: MemoryTypeRegister) -> UInt64 {
        switch register {
        case .capability: read(.memoryTypeCapability)
        case .defaultType: read(.memoryTypeDefault)
        case .fixed(let index): read(.memoryTypeFixed(UInt32(index)))
        case .base(let index): read(.memoryTypeBase(UInt32(index)))
        case .mask(let index): read(.memoryTypeMask(UInt32(index)))
        }
    }

    @inline(__always)
    func timeStamp() -> UInt64 { read_tsc() }
    func sleep(until moment: UInt64) {
        let look = min(agent?.nextLook(after: read_tsc()) ?? .max, Screen.look())
        Processor.current.pointee.interruptController.sleep(until: min(moment, look))
    }
    func look() { _ = Screen.look() }
    var isCalledAway: Bool { agent?.hasInput ?? false }
    @inline(__always)
    var isToldToStop: Bool {
        guard let stopLine else { return false }
        return stopLine.hasInput
    }
    func setTimer(ticks: UInt64) { Processor.current.pointee.interruptController.arm(at: read_tsc() &+ ticks) }
    func receive() -> UInt8? { Console.withLock { $0.input.take() } }
    func transmit(_ byte: UInt8) { Console.transmit(byte) }
    func loadExtendedControl(_ value: UInt64) { write_xcr0(value) }
    func protectionKeyRights() -> UInt32 { read_pkru() }
    func readExtendedControl() -> UInt64 { read_xcr0() }
    func readVector(_ register: UInt8, isWide: Bool) -> VectorValue {
        var value = VectorValue()
        if isWide {
            martlet_read_wide_vector(UInt32(register), &value)
        } else {
            martlet_read_vector(UInt32(register), &value)
        }
        return value
    }
    func writeVector(_ register: UInt8, _ value: VectorValue, _ write: VectorWrite) {
        var value = value
        switch write {
        case .lowest16: martlet_write_vector(UInt32(register), &value)
        case .all16: martlet_write_vector_clearing(UInt32(register), &value)
        case .all32: martlet_write_wide_vector(UInt32(register), &value)
        }
    }
    func saveExtendedState(_ components: UInt64, to area: UnsafeMutableRawPointer) {
        guard components != 0 else { return save_fxsave_state(area) }
        let control = read_xcr0()
        write_xcr0(components)
        save_extended_state(area)
        write_xcr0(control)
    }
    func loadExtendedState(_ components: UInt64, from area: UnsafeRawPointer) {
        guard components != 0 else { return load_fxsave_state(area) }
        let control = read_xcr0()
        write_xcr0(components)
        load_extended_state(area)
        write_xcr0(control)
    }
    func resetExtendedState(_ components: UInt64) {
        loadExtendedState(components, from: UnsafeRawPointer(bitPattern: UInt(address_of_initial_extended_state()))!)
    }
    func readPageFaultAddress() -> UInt64 { read_cr2() }
    func loadPageFaultAddress(_ address: UInt64) { write_cr2(address) }
    func readDebugStatus() -> UInt64 { read_dr6() }
    func loadDebugStatus(_ value: UInt64) { write_dr6(value) }
    func readDebugAddress(_ number: Int) -> UInt64 {
        switch number {
        case 0: read_dr0()
        case 1: read_dr1()
        case 2: read_dr2()
        default: read_dr3()
        }
    }
    func loadDebugAddress(_ number: Int, _ value: UInt64) {
        switch number {
        case 0: write_dr0(value)
        case 1: write_dr1(value)
        case 2: write_dr2(value)
        default: write_dr3(value)
        }
    }
    func finishNonMaskableInterrupt() { unblock_nmi() }
    func finishInterrupt(_ vector: UInt8) { InterruptControllers.finish(vector) }
}

/// VMREAD and VMWRITE of the current VMCS.
struct HardwareVMCS: VMCSAccess {
    @inline(__always)
    func read(_ field: VMCSFieldEncoding) -> UInt64 {
        if field.isUniversal { return execute_universal_vmread(UInt64(field.rawValue)) }
        let result = execute_vmread(UInt64(field.rawValue))
        if result.failed { HardwareVMCS.fail(field) }
        return result.value
    }

    @inline(__always)
    func write(_ field: VMCSFieldEncoding, _ value: UInt64) {
        if field.isUniversal { return execute_universal_vmwrite(UInt64(field.rawValue), value) }
        if execute_vmwrite(UInt64(field.rawValue), value) { HardwareVMCS.fail(field) }
    }

    func readPhysical(at address: HostPhysicalAddress) -> UInt64 { IdentityMemory().readUInt64(at: address) }
    func writePhysical(_ value: UInt64, at address: HostPhysicalAddress) { IdentityMemory().writeUInt64(value, at: address) }

    func invalidateNestedTranslations() {
        if execute_invept(2, 0) { Panic.stop("INVEPT failed") }
    }

    @inline(never)
    private static func fail(_ field: VMCSFieldEncoding) -> Never {
        Panic.stop("VMREAD or VMWRITE failed: the processor has no VMCS field \(hex: field.rawValue)")
    }
}
