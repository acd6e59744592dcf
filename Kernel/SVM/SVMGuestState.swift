import Virtualization
import X86

/// What a VMCB and its context hold of the guest, as a plain value: the state save area as far as Martlet uses it, the event that
/// the next VMRUN injects, and what is awaited.
///
/// It is neither what the VMCB was prepared with, nor what follows from other state: the offset of the time stamp, which is
/// between the guest's time and this processor's, and the intercepts of paging. RAX is among the general registers. CR2, DR6, and
/// the MSRs that VMLOAD loads are the host services' to keep (see `VMCB.switchedRegister`).
public struct SVMGuestState: Equatable, Sendable {
    fileprivate var values: [51 of UInt64] = .init(repeating: 0)
    fileprivate var cr3: UInt64 = 0
    fileprivate var cr4 = ControlRegister4.none
    fileprivate var nonMaskable = NonMaskableState()
    fileprivate var statusBeforeTrap: UInt64?
    fileprivate var isInterruptAwaited = false

    fileprivate init() {}

    public static func == (left: Self, right: Self) -> Bool {
        let (leftValues, rightValues) = (left.values.span, right.values.span)
        for place in leftValues.indices where leftValues[place] != rightValues[place] { return false }
        return left.cr3 == right.cr3 && left.cr4 == right.cr4 && left.nonMaskable == right.nonMaskable
            && left.statusBeforeTrap == right.statusBeforeTrap && left.isInterruptAwaited == right.isInterruptAwaited
    }

    /// The fields by their places; nil behind the last.
    fileprivate static func field(_ place: Int) -> VMCBFieldName? {
        switch place {
        // Segments and descriptor tables lie together in the table of fields.
        case 0..<36: VMCBFieldName(at: Int(VMCBFieldName.esSelector.rawValue) + place)
        case 36: .cpl
        case 37: .efer
        case 38: .cr0
        case 39: .dr7
        case 40: .rflags
        case 41: .rip
        case 42: .rsp
        case 43: .sysenterCS
        case 44: .sysenterESP
        case 45: .sysenterEIP
        case 46: .guestPAT
        case 47: .debugControl
        case 48: .virtualizationControl
        case 49: .interruptShadow
        case 50: .eventInjection
        default: nil
        }
    }
}

extension SVMProcessor {
    public var guestState: SVMGuestState {
        get {
            var state = SVMGuestState()
            var place = 0
            while let field = SVMGuestState.field(place) {
                state.values[place] = vmcb.bits(of: field)
                place += 1
            }
            state.cr3 = cr3
            state.cr4 = cr4
            state.nonMaskable = context.pointee.nonMaskable
            state.statusBeforeTrap = context.pointee.statusBeforeTrap
            state.isInterruptAwaited = vmcb.isIntercepted(.virtualInterrupt)
            return state
        }
        nonmutating set {
            var place = 0
            while let field = SVMGuestState.field(place) {
                vmcb.setBits(of: field, to: newValue.values[place])
                place += 1
            }
            cr3 = newValue.cr3
            cr4 = newValue.cr4
            context.pointee.nonMaskable = newValue.nonMaskable
            vmcb.setIntercept(.iret, to: newValue.nonMaskable.isBlocked && !newValue.nonMaskable.isAtIRET)
            context.pointee.statusBeforeTrap = newValue.statusBeforeTrap
            context.pointee.isUnsettled = true
            requestInterruptWindow(newValue.isInterruptAwaited)
        }
    }
}
