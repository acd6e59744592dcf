import Virtualization
import X86

/// What a VMCS holds of its guest, as a plain value: the guest-state area, and the guest's part of the controls: the event
/// that the next VM entry injects, the bits of CR0 and CR4 that it sees, the windows that are awaited, and what the processor
/// was told about its local APIC.
///
/// It excludes what the VMCS was prepared with and what follows from other state: the controls that follow the local APIC's
/// mode, the preemption timer, and the time-stamp offset between the guest's time and this processor's.
public struct VMXGuestState: Equatable, Sendable {
    fileprivate var values: [67 of UInt64] = .init(repeating: 0)
    fileprivate var windows = PrimaryControls.none

    fileprivate init() {}

    public static func == (left: Self, right: Self) -> Bool {
        let (leftValues, rightValues) = (left.values.span, right.values.span)
        for place in leftValues.indices where leftValues[place] != rightValues[place] { return false }
        return left.windows == right.windows
    }

    /// Which VMCSs have a row's fields.
    fileprivate enum Presence {
        case always
        /// Those where VM entries and exits switch the guest's IA32_PAT.
        case switchedPAT
        case taskPriorityShadow
        case interruptDelivery
    }

    /// Fields with consecutive indexes.
    fileprivate struct Row {
        let area: VMCSFieldEncoding.Area
        let width: VMCSFieldEncoding.Width
        let indexes: ClosedRange<UInt32>
        let presence: Presence

        init(
            _ area: VMCSFieldEncoding.Area, _ width: VMCSFieldEncoding.Width, _ indexes: ClosedRange<UInt32>,
            _ presence: Presence = .always
        ) {
            self.area = area
            self.width = width
            self.indexes = indexes
            self.presence = presence
        }
    }

    /// The rows by their number; nil after the last.
    fileprivate static func row(_ number: Int) -> Row? {
        switch number {
        case 0: Row(.guestState, .bits16, 0...7)  // selectors
        case 1: Row(.guestState, .bits16, 8...8, .interruptDelivery)  // guest interrupt status
        case 2: Row(.guestState, .bits64, 1...1)  // IA32_DEBUGCTL
        case 3: Row(.guestState, .bits64, 2...2, .switchedPAT)  // IA32_PAT
        case 4: Row(.guestState, .bits64, 3...3)  // IA32_EFER
        case 5: Row(.guestState, .bits64, 5...8)  // PDPTEs
        case 6: Row(.guestState, .bits32, 0...19)  // limits, access rights, interruptibility, activity
        case 7: Row(.guestState, .bits32, 21...21)  // IA32_SYSENTER_CS
        // CR0, CR3, CR4, bases, DR7, RSP, RIP, RFLAGS, pending debug exceptions, IA32_SYSENTER_ESP and EIP.
        case 8: Row(.guestState, .natural, 0...19)
        case 9: Row(.control, .bits64, 14...17, .interruptDelivery)  // EOI-exit bitmaps
        case 10: Row(.control, .bits32, 11...13)  // the event to inject
        case 11: Row(.control, .bits32, 14...14, .taskPriorityShadow)  // TPR threshold
        case 12: Row(.control, .natural, 2...3)  // read shadows of CR0 and CR4
        default: nil
        }
    }
}

extension VMXProcessor {
    private static var windows: PrimaryControls { .interruptWindowExiting | .nmiWindowExiting }

    public var guestState: VMXGuestState {
        get {
            var state = VMXGuestState()
            forEachField { place, field in state.values[place] = vmcs.bits(of: field) }
            state.windows = vmcs[.primaryControls] & Self.windows
            return state
        }
        nonmutating set {
            forEachField { place, field in vmcs.setBits(of: field, to: newValue.values[place]) }
            vmcs[.primaryControls] = vmcs[.primaryControls].subtracting(Self.windows) | newValue.windows
            // The entry control follows IA32_EFER.LMA.
            extendedFeatures = vmcs[.guestEFER]
        }
    }

    /// The fields that this VMCS has, each with its place in the values.
    @inline(__always)
    private func forEachField(_ body: (Int, VMCSFieldEncoding) -> Void) {
        var (number, place) = (0, 0)
        while let row = VMXGuestState.row(number) {
            number += 1
            let isPresent = isPresent(row.presence)
            for index in row.indexes {
                if isPresent { body(place, VMCSFieldEncoding(area: row.area, width: row.width, index: index)) }
                place += 1
            }
        }
    }

    private func isPresent(_ presence: VMXGuestState.Presence) -> Bool {
        switch presence {
        case .always: true
        case .switchedPAT: vmcs[.entryControls].contains(.loadPAT)
        case .taskPriorityShadow: vmcs[.primaryControls].contains(.useTPRShadow)
        case .interruptDelivery: constants.pointee.localAPIC.assistance == .delivery
        }
    }
}
