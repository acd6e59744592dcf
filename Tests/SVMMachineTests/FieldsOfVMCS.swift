import Virtualization
import X86

@testable import Machine
@testable import SVM

/// What a VMCS would hold, by its fields' numbers, found where SVM has the same: as far as the tests of the machine look there.
struct FieldsOfVMCS {
    let machine: TestMachine

    private var vmcb: VMCB { machine.svm.vmcb }

    subscript(encoding: UInt32) -> UInt64 {
        get {
            switch encoding {
            case 0x2010: vmcb[.timeStampCounterOffset]
            case 0x2802: machine.processor.debugControl
            case 0x2806: machine.processor.extendedFeatures.rawValue
            case 0x280A, 0x280C, 0x280E, 0x2810: machine.processor.pageDirectoryPointers()[Int(encoding - 0x280A) / 2]
            case 0x4002: windows
            case 0x4016: UInt64(machine.processor.entryEvent)
            case 0x4004: UInt64(vmcb[.interceptVector2].rawValue)
            case 0x4826: 0
            case 0x4012: machine.processor.extendedFeatures.contains(.longModeActive) ? 1 << 9 : 0
            case 0x4824: blocking
            case 0x482E: machine.host.timerSettings.last ?? 0
            case 0x6006: machine.processor.cr4.rawValue
            case 0x6802: machine.processor.cr3
            case 0x6804: vmcb[.cr4].rawValue
            case 0x6826: vmcb[.sysenterEIP]
            case 0x6806, 0x6808, 0x680A, 0x680C, 0x680E, 0x6810: machine.processor.segment(segment(encoding)).base
            case 0x681A: vmcb[.dr7]
            case 0x681C: vmcb[.rsp]
            case 0x681E: machine.rip
            case 0x6820: machine.rflags
            case 0x6822: pendingTraps
            default: 0xBAD_F00D
            }
        }
        nonmutating set {
            switch encoding {
            case 0x2010: vmcb[.timeStampCounterOffset] = newValue
            case 0x2802: machine.processor.debugControl = newValue
            case 0x482E: break
            case 0x4016: vmcb[.eventInjection] = .init(rawValue: newValue)
            case 0x4824:
                vmcb[.interruptShadow] = vmcb[.interruptShadow].setting(.init(bit: 0), to: newValue & 3 != 0)
                machine.processor.blockNonMaskableInterrupts(newValue & 8 != 0)
            case 0x6802: machine.processor.cr3 = newValue
            case 0x6806, 0x6808, 0x680A, 0x680C, 0x680E, 0x6810:
                var changed = machine.processor.segment(segment(encoding))
                changed.base = newValue
                machine.processor.setSegment(segment(encoding), changed)
            case 0x681A: vmcb[.dr7] = newValue
            case 0x681C: vmcb[.rsp] = newValue
            case 0x681E: machine.rip = newValue
            case 0x6820: machine.rflags = newValue
            case 0x6822: setPendingTraps(newValue)
            case 0x6826: vmcb[.sysenterEIP] = newValue
            default: preconditionFailure("a field that SVM has not")
            }
        }
    }

    private func segment(_ encoding: UInt32) -> SegmentRegister {
        SegmentRegister(rawValue: UInt8((encoding - 0x6806) / 2)) ?? .es
    }

    /// Interrupt-window and NMI-window exiting, and the monitor trap flag.
    private var windows: UInt64 {
        (vmcb.isIntercepted(.virtualInterrupt) ? 1 << 2 : 0) | (machine.context.pointee.nonMaskable.isAwaited ? 1 << 22 : 0)
            | (machine.context.pointee.step.isOn ? 1 << 27 : 0)
    }

    /// Blocking by STI and MOV SS is one; by NMI.
    private var blocking: UInt64 {
        (vmcb[.interruptShadow].contains(.init(bit: 0)) ? 1 : 0) | (machine.context.pointee.nonMaskable.isBlocked ? 8 : 0)
    }

    /// The pending debug exceptions: bit 12 says that breakpoints are among them.
    private var pendingTraps: UInt64 {
        guard machine.processor.isDebugTrapPending, machine.context.pointee.statusBeforeTrap != nil else { return 0 }
        let traps = vmcb[.dr6] & 0x400F
        return traps | (traps & 0xF != 0 ? 1 << 12 : 0)
    }

    private func setPendingTraps(_ traps: UInt64) {
        vmcb[.eventInjection] = .init(rawValue: 0)
        if traps & 0xF != 0 { machine.processor.addBreakpointTraps(traps) }
    }

    var physical: [UInt64: UInt64] { machine.svm.physical }
    var nestedInvalidations: Int { machine.flushCount }

    /// How often fields were read: no test may find one that SVM has not.
    var reads: [UInt32: Int] { [:] }

    /// All of the guest's state that an instruction may change, RFLAGS left out.
    var contents: [UInt32: UInt64] {
        var contents: [UInt32: UInt64] = [:]
        for place in 0..<VMCBFieldName.count {
            guard let field = VMCBFieldName(at: place), field.isState, field != .rflags else { continue }
            contents[UInt32(field.offset) | 1 << 31] = vmcb.bits(of: field)
        }
        return contents
    }
}
