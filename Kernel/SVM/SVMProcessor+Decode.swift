import Memory
import Virtualization
import X86

extension SVMProcessor {
    /// From EXITCODE and what goes with it to the neutral `Exit`.
    @inline(__always)
    public func decodeExit() -> Exit {
        let exit = decodeWhatCame()
        return context.pointee.nonMaskable.isAwaited && takesNonMaskableFirst ? .nonMaskableInterruptWindow : exit
    }

    @inline(__always)
    private func decodeWhatCame() -> Exit {
        guard let code = exitCode else { return .unexpected(reason: exitReasonNumber & 0x7FFF_FFFF) }
        return switch code {
        case .cpuid: .cpuid
        case .vmmcall: .hypercall
        case .ioio: .io(IOIOInformation(rawValue: vmcb[.exitInfo1]).access)
        case .msr: vmcb[.exitInfo1] & 1 == 0 ? .readMSR : .writeMSR
        case .nestedPageFault: decodeNestedPageFault()
        case .hlt, .idleHLT: .halt
        case .virtualInterrupt: .interruptWindow
        case .interrupt: .externalInterrupt(vector: nil)
        case .nonMaskableInterrupt: .nonMaskableInterrupt
        case .iret: .nonMaskableInterruptWindow
        case .exceptionDE, .exceptionDB, .exceptionBP, .exceptionOF, .exceptionBR, .exceptionUD, .exceptionNM, .exceptionDF,
            .exceptionTS, .exceptionNP, .exceptionSS, .exceptionGP, .exceptionPF, .exceptionMF, .exceptionAC, .exceptionMC,
            .exceptionXF, .exceptionCP, .exceptionHV, .exceptionVC, .exceptionSX, .icebp:
            decodeException(code)
        case .systemManagementInterrupt: .systemManagementInterrupt
        case .initSignal: .initSignal
        case .shutdown: .tripleFault
        case .taskSwitch: .taskSwitch(decodeTaskSwitch())
        case .cr3Read: decodeControlRegister(3, isWrite: false)
        case .cr4Read: decodeControlRegister(4, isWrite: false)
        case .cr8Read: decodeControlRegister(8, isWrite: false)
        case .cr0Write, .cr0SelectiveWrite: decodeControlRegister(0, isWrite: true)
        case .cr3Write: decodeControlRegister(3, isWrite: true)
        case .cr4Write: decodeControlRegister(4, isWrite: true)
        case .cr8Write: decodeControlRegister(8, isWrite: true)
        case .dr0Read, .dr1Read, .dr2Read, .dr3Read, .dr4Read, .dr5Read, .dr6Read, .dr7Read, .dr8Read, .dr9Read, .dr10Read,
            .dr11Read, .dr12Read, .dr13Read, .dr14Read, .dr15Read, .dr0Write, .dr1Write, .dr2Write, .dr3Write, .dr4Write,
            .dr5Write, .dr6Write, .dr7Write, .dr8Write, .dr9Write, .dr10Write, .dr11Write, .dr12Write, .dr13Write, .dr14Write,
            .dr15Write:
            decodeDebugRegister(code)
        case .idtrRead, .gdtrRead, .ldtrRead, .trRead, .idtrWrite, .gdtrWrite, .ldtrWrite, .trWrite: .descriptorTable
        case .rdtsc: .readTimeStamp(withAuxiliary: false)
        case .rdtscp: .readTimeStamp(withAuxiliary: true)
        case .rdpmc: .readPerformanceCounter
        case .pause: .pause
        case .invd: .invalidateCaches(writesBack: false)
        case .wbinvd: .invalidateCaches(writesBack: true)
        case .invlpg: decodePageInvalidation()
        case .invpcid: .invalidateByPCID
        case .monitor: .monitor
        case .mwait, .mwaitConditional: .wait
        case .xsetbv: .setExtendedControlRegister
        case .vmrun, .vmload, .vmsave, .stgi, .clgi, .skinit, .invlpga: .virtualizationInstruction
        case .rsm, .rdpru, .invlpgb, .invlpgbIllegal, .mcommit, .tlbsync: .unofferedInstruction
        case .cr0Read, .cr1Read, .cr2Read, .cr5Read, .cr6Read, .cr7Read, .cr9Read, .cr10Read, .cr11Read, .cr12Read, .cr13Read,
            .cr14Read, .cr15Read, .cr1Write, .cr2Write, .cr5Write, .cr6Write, .cr7Write, .cr9Write, .cr10Write, .cr11Write,
            .cr12Write, .cr13Write, .cr14Write, .cr15Write, .exception2, .exception9, .exception15, .exception20, .exception22,
            .exception23, .exception24, .exception25, .exception26, .exception27, .exception31, .pushf, .popf,
            .softwareInterrupt, .ferrFreeze, .eferWriteTrap, .cr0WriteTrap, .cr1WriteTrap, .cr2WriteTrap, .cr3WriteTrap,
            .cr4WriteTrap, .cr5WriteTrap, .cr6WriteTrap, .cr7WriteTrap, .cr8WriteTrap, .cr9WriteTrap, .cr10WriteTrap,
            .cr11WriteTrap, .cr12WriteTrap, .cr13WriteTrap, .cr14WriteTrap, .cr15WriteTrap, .busLock, .avicIncompleteIPI,
            .avicNoAcceleration, .vmgexit:
            .unexpected(reason: exitReasonNumber)
        // VMRUN failed.
        case .invalid, .busy, .idleRequired, .invalidPMC: .failedEntry(reason: exitReasonNumber)
        case .reservedForHost: .unexpected(reason: exitReasonNumber)
        }
    }

    /// APM volume 2, "Nested versus Guest Page Faults, Fault Ordering".
    @inline(__always)
    private func decodeNestedPageFault() -> Exit {
        let information = NestedPageFaultInformation(rawValue: vmcb[.exitInfo1])
        let address = GuestPhysicalAddress(vmcb[.exitInfo2])
        let code = information.errorCode
        if code.isReservedBit { return .nestedPageMisconfiguration(address) }
        return .nestedPageFault(
            NestedPageFault(
                address: address, isRead: !code.isWrite && !code.isFetch, isWrite: code.isWrite, isFetch: code.isFetch,
                isMapped: code.isProtectionViolation, duringWalk: information.isDuringWalk))
    }

    /// APM volume 2, "Exception Intercepts". #UD at VMCALL, which AMD's processors do not have, is a guest's who takes Martlet
    /// for what it is on Intel's: it gets what it asks for.
    @inline(never)
    private func decodeException(_ code: SVMExitCode) -> Exit {
        if code == .icebp {
            return .exception(.init(vector: .debug, errorCode: nil, qualification: 0, kind: .privilegedSoftwareException))
        }
        if context.pointee.nonMaskable.isReturned { return .nonMaskableInterruptWindow }
        let vector = ExceptionVector(code.exceptionVector ?? 0)
        if vector == .invalidOpcode, decodeInstruction()?.kind == .callOfIntel { return .hypercall }
        var errorCode: UInt32?
        var qualification: UInt64 = 0
        var kind = Event.Kind.exception
        switch code {
        case .exceptionPF:
            errorCode = UInt32(truncatingIfNeeded: vmcb[.exitInfo1])
            qualification = vmcb[.exitInfo2]
        case .exceptionTS, .exceptionNP, .exceptionSS, .exceptionGP, .exceptionAC, .exceptionCP, .exceptionVC, .exceptionSX:
            errorCode = UInt32(truncatingIfNeeded: vmcb[.exitInfo1])
        case .exceptionDF: errorCode = 0
        // DR6 is as the exception has left it.
        case .exceptionDB: qualification = vmcb[.dr6] & DebugStatus.active
        case .exceptionBP, .exceptionOF: kind = .softwareException
        default: break
        }
        return .exception(.init(vector: vector, errorCode: errorCode, qualification: qualification, kind: kind))
    }

    /// APM volume 2, "Task Switch Intercept". An event that was being delivered came to a task gate; without one it was CALL.
    @inline(never)
    private func decodeTaskSwitch() -> TaskSwitch {
        let information = SVMTaskSwitchInformation(vmcb[.exitInfo1], vmcb[.exitInfo2])
        let source: TaskSwitch.Source
        if information.isByIRET {
            source = .iret
        } else if information.isByJump {
            source = .jump
        } else {
            source = isDeliveringEvent ? .taskGate : .call
        }
        return TaskSwitch(selector: information.selector.rawValue, source: source)
    }

    /// APM volume 2, "MOV CRx/DRx Intercepts".
    @inline(never)
    private func decodeControlRegister(_ number: UInt8, isWrite: Bool) -> Exit {
        let information = ControlRegisterInformation(rawValue: vmcb[.exitInfo1])
        if context.pointee.hasDecodeAssists, information.isMove {
            return .controlRegister(
                isWrite ? .write(register: number, from: information.general) : .read(register: number, to: information.general))
        }
        guard let instruction = decodeInstruction() else { return .unexpected(reason: exitReasonNumber) }
        let general = RegisterNumber(instruction.general)
        switch instruction.kind {
        case .writeControlRegister where isWrite: return .controlRegister(.write(register: number, from: general))
        case .readControlRegister where !isWrite: return .controlRegister(.read(register: number, to: general))
        case .clearTaskSwitched where isWrite: return .controlRegister(.clearTaskSwitched)
        case .loadMachineStatus where isWrite:
            guard let status = operandWord(instruction) else { return .unexpected(reason: exitReasonNumber) }
            return .controlRegister(.loadMachineStatus(status))
        default: return .unexpected(reason: exitReasonNumber)
        }
    }

    @inline(never)
    private func decodeDebugRegister(_ code: SVMExitCode) -> Exit {
        let number = code.rawValue - SVMExitCode.dr0Read.rawValue
        var general = RegisterNumber(UInt8(truncatingIfNeeded: vmcb[.exitInfo1]))
        if !context.pointee.hasDecodeAssists {
            guard let instruction = decodeInstruction() else { return .unexpected(reason: exitReasonNumber) }
            general = RegisterNumber(instruction.general)
        }
        return .debugRegister(.init(register: number & 15, isRead: number < 16, general: general))
    }

    /// APM volume 2, "INVLPG and INVLPGA Intercepts".
    @inline(never)
    private func decodePageInvalidation() -> Exit {
        if context.pointee.hasDecodeAssists { return .invalidatePage(GuestVirtualAddress(vmcb[.exitInfo1])) }
        guard let instruction = decodeInstruction(), let address = linearAddress(instruction) else {
            return .unexpected(reason: exitReasonNumber)
        }
        return .invalidatePage(address)
    }
}

extension IOIOInformation {
    /// The same in the words of both backends.
    @inline(__always)
    var access: IOAccess {
        IOAccess(port: port, size: size, isInput: isInput, isString: isString, isRepeated: isRepeated)
    }
}

extension DebugStatus {
    /// The bits that tell by being 1: B0 to B3, BD, BS and BT.
    static var active: UInt64 { breakpoints | 1 << 13 | singleStep | taskSwitch }
}
