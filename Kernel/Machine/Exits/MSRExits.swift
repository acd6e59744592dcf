import Devices
import Memory
import Virtualization
import X86

extension VirtualCPU {
    /// The register that RDMSR or WRMSR names.
    @inline(__always)
    var namedMSR: ModelSpecificRegister {
        mutating get { ModelSpecificRegister(UInt32(truncatingIfNeeded: registers.rcx)) }
    }

    // RDMSR and WRMSR of registers that the MSR bitmaps do not pass.

    /// Reads of registers that are plain values.
    /// - Returns: nil if it is none of those.
    @inline(__always)
    mutating func readMSR(_ register: ModelSpecificRegister) -> Outcome? {
        guard let value = register == .apicBase ? apic.base.rawValue : msrPlaces.read(register, &msrs) else { return nil }
        return answer(value)
    }

    @inline(__always)
    mutating func writeMSR(_ register: ModelSpecificRegister) -> Outcome? {
        msrPlaces.write(register, writtenMSR, &msrs) ? .step : nil
    }

    /// Reads of those that VM entries load from a list, which no guest accesses without an exit; others do not exist.
    mutating func readKeptMSR() -> Outcome {
        switch namedMSR {
        case .extendedFeatureEnable where features.keepsExtendedFeatures: answer(processor.extendedFeatures.rawValue)
        case .pat where features.keepsPageAttributes: answer(processor.pageAttributeTable)
        default: refuseMSR()
        }
    }

    mutating func writeKeptMSR() -> Outcome {
        namedMSR == .pat && features.keepsPageAttributes && writePageAttributes(writtenMSR) ? .step : refuseMSR()
    }

    /// Accesses to those that the virtual processor or its local APIC holds.
    @inline(__always)
    mutating func readProcessorMSR() -> Outcome {
        let register = namedMSR
        let clock = clock
        return switch register {
        case .timeStampDeadline where features.hasTimeStampDeadline: answer(apic.readDeadline(at: clock.now))
        case .debugControl: answer(processor.debugControl)
        case _ where register.isInX2APICRange: answer(apic.readMSR(register.number, at: clock.now))
        default: refuseMSR()
        }
    }

    @inline(__always)
    mutating func writeProcessorMSR() -> Outcome {
        let value = writtenMSR
        let isTaken: Bool
        switch namedMSR {
        case .apicBase: isTaken = writeAPICBase(value)
        case .extendedFeatureEnable: isTaken = writeExtendedFeatures(ExtendedFeatureEnable(rawValue: value))
        case .timeStampCounter: isTaken = moveTimeStamp(by: value &- (host.timeStamp() &+ processor.timeStampOffset))
        case .timeStampAdjust: isTaken = features.hasTimeStampAdjust && moveTimeStamp(by: value &- msrs.timeStampAdjust)
        case .debugControl: isTaken = writeDebugControl(value)
        default: isTaken = false
        }
        return isTaken ? .step : refuseMSR()
    }

    /// Whether WRMSR of the end-of-interrupt register is valid and has no consequences.
    @inline(__always)
    var endsInterruptQuietly: Bool {
        mutating get { (registers.rax | registers.rdx) & 0xFFFF_FFFF == 0 && apic.endsQuietly }
    }

    @inline(__always)
    mutating func endInterrupt() -> Outcome {
        _ = apic.endInterrupt()
        return .step
    }

    /// WRMSR of IA32_TSC_DEADLINE.
    @inline(__always)
    mutating func writeDeadline() -> Outcome {
        guard features.hasTimeStampDeadline else { return refuseMSR() }
        setDeadline(writtenMSR)
        return .step
    }

    /// Whether WRMSR of such a register requests an interrupt here, and does nothing else.
    @inline(__always)
    mutating func requestsHere(isForSelf: Bool) -> Bool { apic.requestsHere(writtenMSR, isForSelf: isForSelf) }

    @inline(__always)
    mutating func requestHere(isForSelf: Bool) -> Outcome {
        offer(apic.requestHere(writtenMSR, isForSelf: isForSelf))
        return .step
    }

    /// WRMSR of a register of x2APIC mode that sends interrupts.
    @inline(__always)
    mutating func writeInterruptCommand() -> Outcome {
        let isForSelf = namedMSR == .selfInterrupt
        guard let effect = apic.writeCommandMSR(writtenMSR, isForSelf: isForSelf) else { return refuseMSR() }
        bringAbout(effect)
        return .step
    }

    /// WRMSR of any other register of x2APIC mode.
    @inline(__always)
    mutating func writeLocalAPIC() -> Outcome {
        let clock = clock
        guard let effect = apic.writeMSR(namedMSR.number, writtenMSR, at: clock.now) else { return refuseMSR() }
        bringAbout(effect)
        return .step
    }

    /// EDX:EAX.
    private var writtenMSR: UInt64 {
        @inline(__always) mutating get { registers.rdx << 32 | registers.rax & 0xFFFF_FFFF }
    }

    @inline(__always)
    private mutating func answer(_ value: UInt64?) -> Outcome {
        guard let value else { return refuseMSR() }
        registers.rax = value & 0xFFFF_FFFF
        registers.rdx = value >> 32
        return .step
    }

    // Registers whose value the virtual processor holds. Each returns false for #GP.

    /// SDM volume 3, "Programming the PAT".
    private mutating func writePageAttributes(_ value: UInt64) -> Bool {
        guard PageAttributeTable(rawValue: value).isValid else { return false }
        processor.pageAttributeTable = value
        return true
    }

    /// Last-branch records and single-stepping on branches; the guest cannot read the records themselves.
    @inline(never)
    private mutating func writeDebugControl(_ value: UInt64) -> Bool {
        guard value & ~DebugControl.ofGuests == 0 else { return false }
        processor.debugControl = value
        return true
    }

    /// A write of either register moves the other (SDM volume 3, "Time-Stamp Counter Adjustment"), and brings a local APIC
    /// deadline nearer or puts it off.
    @inline(never)
    private mutating func moveTimeStamp(by ticks: UInt64) -> Bool {
        let deadline = apic.readDeadline(at: clock.now)
        processor.timeStampOffset &+= ticks
        msrs.timeStampAdjust &+= ticks
        if deadline != 0 { setDeadline(deadline) }
        return true
    }

    @inline(__always)
    private mutating func refuseMSR() -> Outcome {
        refusedMSRs &+= 1
        return .inject(.generalProtection)
    }

    /// SDM volume 3, "Extended Feature Enable Register": LMA is the processor's, LME is fixed while paging is on.
    @inline(never)
    @_optimize(speed)
    mutating func writeExtendedFeatures(_ value: ExtendedFeatureEnable) -> Bool {
        var allowed = ExtendedFeatureEnable.none
        if features.hasSystemCall { allowed = allowed | .systemCall }
        if features.hasLongMode { allowed = allowed | .longModeEnable | .longModeActive }
        if features.hasExecuteDisable { allowed = allowed | .executeDisable }
        guard value.subtracting(allowed).isEmpty else { return false }
        let current = processor.extendedFeatures
        let changed = value ^ current
        if changed.contains(.longModeEnable), processor.cr0.contains(.paging) { return false }
        processor.extendedFeatures = value.setting(.longModeActive, to: current.contains(.longModeActive))
        if changed.contains(.executeDisable) {
            processor.flushTranslations()
            followPaging()
        }
        return true
    }
}
