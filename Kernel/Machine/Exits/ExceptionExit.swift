import Devices
import Virtualization
import X86

extension VirtualCPU {
    /// An exception that exits only to be seen: the guest gets it as the processor would have delivered it.
    @inline(never)
    public mutating func reflect(_ exception: ExceptionExit) -> Outcome {
        noteOperand(UInt64(exception.errorCode ?? 0))
        switch exception.vector {
        case .machineCheck: return .end(.unsupported(.machineCheck))
        case .pageFault where processor.usesShadowTables: return resolvePageFault(exception)
        case .pageFault: host.loadPageFaultAddress(exception.qualification)
        case .debug where !exception.kind.isSoftware:
            // DR6, DR7.GD, and LBR and BTF of IA32_DEBUGCTL are left to the hypervisor (SDM volume 3, "Architectural
            // State Before a VM Exit").
            host.loadDebugStatus(host.readDebugStatus() & ~DebugStatus.breakpoints | exception.qualification)
            processor.debugRegister7 = processor.debugRegister7.without(.generalDetect)
            processor.debugControl = processor.debugControl & ~DebugControl.ofGuests
        default: break
        }
        let event = Event(
            kind: exception.kind, vector: exception.vector.number, errorCode: exception.errorCode,
            instructionLength: exception.kind.isSoftware ? processor.instructionLength : 0)
        if processor.emulatesRealMode, exception.vector == .generalProtection || exception.vector == .stackFault {
            return executeInRealMode(event)
        }
        return raise(event, during: processor.interruptedEvent)
    }

    /// An exception that may come during another's delivery.
    mutating func raise(_ second: Event, during first: Event?) -> Outcome {
        guard let first, first.kind == .exception else { return .inject(second) }
        switch ExceptionVector.combine(ExceptionVector(first.vector), then: ExceptionVector(second.vector)) {
        case .serial: return .inject(second)
        case .doubleFault: return .inject(.exception(.doubleFault, errorCode: 0))
        case .shutdown: return .end(.tripleFault)
        }
    }
}
