import Devices
import Virtualization
import X86

extension VirtualCPU {
    /// RDMSR of a register that the MSR bitmaps do not pass.
    @inline(never)
    mutating func readMSR() -> Outcome {
        let register = ModelSpecificRegister(UInt32(truncatingIfNeeded: registers.rcx))
        guard let value = msrs.read(register) ?? msrs.readRare(register) ?? readProcessorMSR(register) else {
            return refuseMSR()
        }
        loadMSR(value)
        return .step
    }

    /// RDMSR of a register that Martlet keeps; the quick way.
    @inline(__always)
    mutating func readEmulatedMSR() -> Bool {
        let register = ModelSpecificRegister(UInt32(truncatingIfNeeded: registers.rcx))
        guard let value = register == .apicBase ? apic.base.rawValue : msrs.read(register) else { return false }
        loadMSR(value)
        processor.stepPastInstruction()
        return true
    }

    @inline(__always)
    private mutating func loadMSR(_ value: UInt64) {
        registers.rax = value & 0xFFFF_FFFF
        registers.rdx = value >> 32
    }

    /// WRMSR of a register that the MSR bitmaps do not pass.
    @inline(never)
    mutating func writeMSR() -> Outcome {
        let register = ModelSpecificRegister(UInt32(truncatingIfNeeded: registers.rcx))
        let value = writtenMSR
        if msrs.write(register, value) || msrs.writeRare(register, value) { return .step }
        return writeProcessorMSR(register, value)
    }

    /// WRMSR of a register that Martlet keeps; the quick way.
    @inline(__always)
    mutating func writeEmulatedMSR() -> Bool {
        guard msrs.write(ModelSpecificRegister(UInt32(truncatingIfNeeded: registers.rcx)), writtenMSR) else { return false }
        processor.stepPastInstruction()
        return true
    }

    /// EDX:EAX.
    private var writtenMSR: UInt64 {
        @inline(__always) mutating get { registers.rdx << 32 | registers.rax & 0xFFFF_FFFF }
    }

    // Registers whose value the virtual processor holds.

    private mutating func readProcessorMSR(_ register: ModelSpecificRegister) -> UInt64? {
        register == .debugControl ? processor.debugControl : readLocalAPIC(register)
    }

    @inline(never)
    private mutating func writeProcessorMSR(_ register: ModelSpecificRegister, _ value: UInt64) -> Outcome {
        switch register {
        case .extendedFeatureEnable:
            guard writeExtendedFeatures(ExtendedFeatureEnable(rawValue: value)) else { return refuseMSR() }
        case .timeStampCounter: moveTimeStamp(by: value &- (host.timeStamp() &+ processor.timeStampOffset))
        case .timeStampAdjust: moveTimeStamp(by: value &- msrs.timeStampAdjust)
        case .debugControl:
            // Last-branch records and single steps by branches; the records themselves are not the guest's to read.
            guard value & ~0b11 == 0 else { return refuseMSR() }
            processor.debugControl = value
        case _ where register.isOfLocalAPIC: return writeLocalAPIC(register, value) ? .step : refuseMSR()
        default: return refuseMSR()
        }
        return .step
    }

    /// A write of either register moves the other (SDM volume 3, "Time-Stamp Counter Adjustment"), and a deadline of the local
    /// APIC's comes sooner or later.
    private mutating func moveTimeStamp(by ticks: UInt64) {
        let deadline = apic.readDeadline(at: clock.now)
        processor.timeStampOffset &+= ticks
        msrs.timeStampAdjust &+= ticks
        if deadline != 0 { writeDeadline(deadline) }
    }

    @inline(never)
    private mutating func refuseMSR() -> Outcome {
        refusedMSRs &+= 1
        return .inject(.generalProtection)
    }

    /// SDM volume 3, 2.2.1 "Extended Feature Enable Register": LMA is the processor's, LME is fixed while paging is on.
    mutating func writeExtendedFeatures(_ value: ExtendedFeatureEnable) -> Bool {
        var allowed: ExtendedFeatureEnable = .systemCall | .longModeEnable | .longModeActive
        if features.hasExecuteDisable { allowed = allowed | .executeDisable }
        guard value.subtracting(allowed).isEmpty else { return false }
        let current = processor.extendedFeatures
        let changed = value ^ current
        if changed.contains(.longModeEnable), processor.cr0.contains(.paging) { return false }
        processor.extendedFeatures = value.setting(.longModeActive, to: current.contains(.longModeActive))
        if changed.contains(.executeDisable) { processor.flushTranslations() }
        return true
    }
}
