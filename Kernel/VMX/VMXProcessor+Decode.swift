import Memory
import Virtualization
import X86

extension VMXProcessor {
    /// From the exit reason and what goes with it to the neutral `Exit`.
    @inline(__always)
    public func decodeExit() -> Exit {
        let reason = vmcs[.exitReason]
        return switch reason.unflagged {
        case .exceptionOrNMI: decodeException()
        case .externalInterrupt: .externalInterrupt(vector: acknowledgedVector)
        case .tripleFault: .tripleFault
        case .initSignal: .initSignal
        case .startupIPI: .startupIPI(vector: UInt8(truncatingIfNeeded: vmcs[.exitQualification]))
        case .ioSMI, .otherSMI: .systemManagementInterrupt
        case .interruptWindow: .interruptWindow
        case .nmiWindow: .nonMaskableInterruptWindow
        case .taskSwitch: .taskSwitch(TaskSwitchQualification(rawValue: vmcs[.exitQualification]).taskSwitch)
        case .cpuid: .cpuid
        case .hlt: .halt
        case .invd: .invalidateCaches(writesBack: false)
        case .invlpg: .invalidatePage(GuestVirtualAddress(vmcs[.exitQualification]))
        case .rdpmc: .readPerformanceCounter
        case .rdtsc: .readTimeStamp(withAuxiliary: false)
        case .vmcall: .hypercall
        case .getsec, .rsm, .encls, .xsaves, .xrstors, .pconfig, .umwait, .tpause, .loadiwkey, .enclv, .enqcmdPASIDFailure,
            .enqcmdsPASIDFailure, .seamcall, .tdcall:
            .unofferedInstruction
        case .vmclear, .vmlaunch, .vmptrld, .vmptrst, .vmread, .vmresume, .vmwrite, .vmxoff, .vmxon, .invept, .invvpid, .vmfunc:
            .virtualizationInstruction
        case .controlRegisterAccess: .controlRegister(ControlRegisterQualification(rawValue: vmcs[.exitQualification]).access)
        case .movDR: .debugRegister(DebugRegisterQualification(rawValue: vmcs[.exitQualification]).access)
        case .ioInstruction: .io(IOQualification(rawValue: vmcs[.exitQualification]).access)
        case .rdmsr: .readMSR
        case .wrmsr: .writeMSR
        case .mwait: .wait
        case .monitorTrapFlag: .monitorTrap
        case .monitor: .monitor
        case .pause: .pause
        case .tprBelowThreshold: .virtualAPIC(.priorityBelowThreshold)
        case .apicAccess: .virtualAPIC(APICAccessQualification(rawValue: vmcs[.exitQualification]).exit)
        case .virtualizedEOI: .virtualAPIC(.endOfInterrupt(vector: UInt8(truncatingIfNeeded: vmcs[.exitQualification])))
        case .gdtrOrIDTRAccess, .ldtrOrTRAccess: .descriptorTable
        case .eptViolation:
            .nestedPageFault(
                EPTViolationQualification(rawValue: vmcs[.exitQualification]).fault(at: vmcs[.guestPhysicalAddress]))
        case .eptMisconfiguration: .nestedPageMisconfiguration(vmcs[.guestPhysicalAddress])
        case .rdtscp: .readTimeStamp(withAuxiliary: true)
        case .preemptionTimerExpired: .timerExpired
        case .wbinvd: .invalidateCaches(writesBack: true)
        case .xsetbv: .setExtendedControlRegister
        case .apicWrite: .virtualAPIC(.write(offset: UInt16(truncatingIfNeeded: vmcs[.exitQualification]) & 0xFFF))
        case .rdrand: .random(seed: false)
        case .invpcid: .invalidateByPCID
        case .rdseed: .random(seed: true)
        case .pageModificationLogFull: .modificationLogFull
        case .entryFailureGuestState, .entryFailureMSRLoading, .entryFailureMachineCheck, .sppEvent, .busLock,
            .instructionTimeout, .rdmsrlist, .wrmsrlist, .urdmsr, .uwrmsr, .rdmsrImmediate, .wrmsrnsImmediate, .reserved35,
            .reserved38, .reserved42, .reserved71, .reserved82, .reserved83, nil:
            reason.isEntryFailure ? .failedEntry(reason: reason.rawValue) : .unexpected(reason: reason.rawValue)
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
    /// lack the field are the oldest with VMX; for them the operand is that of an instruction without prefixes.
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
