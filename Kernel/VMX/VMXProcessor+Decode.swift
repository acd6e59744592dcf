import Memory
import Virtualization
import X86

extension VMXProcessor {
    /// From the exit reason and what goes with it to the neutral `Exit` (SDM volume 3, appendix C).
    ///
    /// The switch is on all 32 bits: a failed entry (bit 31) can never look like an exit.
    @inline(__always)
    public func decodeExit() -> Exit {
        switch vmcs[.exitReason].rawValue {
        case 0: decodeException()
        case 1: .externalInterrupt(vector: acknowledgedVector)
        case 2: .tripleFault
        case 3: .initSignal
        case 4: .startupIPI(vector: UInt8(truncatingIfNeeded: vmcs[.exitQualification]))
        case 5, 6: .systemManagementInterrupt
        case 7: .interruptWindow
        case 8: .nonMaskableInterruptWindow
        case 9: .taskSwitch(TaskSwitchQualification(rawValue: vmcs[.exitQualification]).taskSwitch)
        case 10: .cpuid
        case 12: .halt
        case 13: .invalidateCaches(writesBack: false)
        case 14: .invalidatePage(GuestVirtualAddress(vmcs[.exitQualification]))
        case 15: .readPerformanceCounter
        case 16: .readTimeStamp(withAuxiliary: false)
        case 18: .hypercall
        case 11, 17, 60, 63, 64, 65, 67, 68, 69, 70, 72, 73, 76, 77: .unofferedInstruction
        case 19...27, 50, 53, 59: .virtualizationInstruction
        case 28: .controlRegister(ControlRegisterQualification(rawValue: vmcs[.exitQualification]).access)
        case 29: .debugRegister(DebugRegisterQualification(rawValue: vmcs[.exitQualification]).access)
        case 30: .io(IOQualification(rawValue: vmcs[.exitQualification]).access)
        case 31: .readMSR
        case 32: .writeMSR
        case 36: .wait
        case 37: .monitorTrap
        case 39: .monitor
        case 40: .pause
        case 43: .virtualAPIC(.priorityBelowThreshold)
        case 44: .virtualAPIC(APICAccessQualification(rawValue: vmcs[.exitQualification]).exit)
        case 45: .virtualAPIC(.endOfInterrupt(vector: UInt8(truncatingIfNeeded: vmcs[.exitQualification])))
        case 46, 47: .descriptorTable
        case 48:
            .nestedPageFault(
                EPTViolationQualification(rawValue: vmcs[.exitQualification]).fault(at: vmcs[.guestPhysicalAddress]))
        case 49: .nestedPageMisconfiguration(vmcs[.guestPhysicalAddress])
        case 51: .readTimeStamp(withAuxiliary: true)
        case 52: .timerExpired
        case 54: .invalidateCaches(writesBack: true)
        case 55: .setExtendedControlRegister
        case 56: .virtualAPIC(.write(offset: UInt16(truncatingIfNeeded: vmcs[.exitQualification]) & 0xFFF))
        case 57: .random(seed: false)
        case 58: .invalidateByPCID
        case 61: .random(seed: true)
        case 62: .modificationLogFull
        case let reason: .unexpected(reason: reason)
        }
    }

    @inline(__always)
    private func decodeException() -> Exit {
        let information = vmcs[.exitInterruptionInformation]
        if information.kind == .nonMaskableInterrupt { return .nonMaskableInterrupt }
        return .exception(
            .init(
                vector: ExceptionVector(information.vector),
                errorCode: information.deliversErrorCode ? vmcs[.exitInterruptionErrorCode] : nil,
                qualification: vmcs[.exitQualification], kind: information.kind.event))
    }

    private var acknowledgedVector: UInt8? {
        @inline(__always) get {
            let information = vmcs[.exitInterruptionInformation]
            return information.isValid ? information.vector : nil
        }
    }

    /// SDM volume 3, table "Format of the VM-Exit Instruction-Information Field as Used for INS and OUTS". The processors that
    /// do not have the field are the oldest with VMX; for them the operand is that of an instruction without prefixes.
    @_optimize(speed)
    public func stringIOOperand() -> StringIOOperand {
        guard reportsStringIODetails else { return .init(segment: .ds, addressSize: mode.defaultAddressSize) }
        let information = vmcs[.exitInstructionInformation]
        return .init(
            segment: SegmentRegister(rawValue: UInt8(truncatingIfNeeded: information >> 15 & 7)) ?? .ds,
            addressSize: addressSize(information))
    }

    /// Bits 9:7, where the instruction has a memory operand.
    func addressSize(_ information: UInt32) -> Int {
        switch information >> 7 & 7 {
        case 0: 2
        case 1: 4
        default: 8
        }
    }
}
