import SVM
import StudyTools
import Text

/// The quadword of virtual interrupts in words.
struct VirtualInterruptExplanation {
    let control: VirtualInterruptControl

    func report(to print: (Line) -> Void) {
        print(
            "virtual interrupt control \(hex: control.rawValue) (APM volume 2, \"Injecting Virtual (INTR) Interrupts\", \"NMI Virtualization\")"
        )
        var table = BitTable(control.rawValue)
        table.row(3, 0, "V_TPR: the guest's task priority, as CR8 has it", to: print)
        table.flag(8, "V_IRQ: a virtual interrupt is pending", else: "V_IRQ: no virtual interrupt is pending", to: print)
        table.flag(9, "VGIF: the guest's global interrupt flag is 1", to: print)
        table.flag(11, "V_NMI: a virtual NMI is pending", to: print)
        table.flag(12, "V_NMI_MASK: virtual NMIs are masked", to: print)
        table.row(19, 16, "V_INTR_PRIO: the priority of the virtual interrupt", to: print)
        table.flag(20, "V_IGN_TPR: the virtual interrupt ignores V_TPR", to: print)
        table.flag(
            24, "V_INTR_MASKING: RFLAGS.IF and CR8 of the guest mask virtual interrupts alone",
            else: "V_INTR_MASKING: RFLAGS.IF of the guest masks physical interrupts, too", to: print)
        table.flag(25, "the guest has a global interrupt flag of its own", to: print)
        table.flag(26, "V_NMI_ENABLE: virtual NMIs", to: print)
        table.flag(30, "x2AVIC: the guest's local APIC is in x2APIC mode", to: print)
        table.flag(31, "AVIC: the processor works the guest's local APIC", to: print)
        table.row(39, 32, "V_INTR_VECTOR: vector \(hex: control.vector)", to: print)
        table.finish(to: print)
    }
}

extension TLBControl {
    /// What VMRUN flushes.
    var words: StaticString {
        switch self {
        case .flushNothing: "nothing is flushed"
        case .flushAll: "all translations are flushed, of all ASIDs"
        case .flushGuest: "this guest's translations are flushed"
        case .flushGuestNonGlobal: "this guest's translations are flushed but for global ones"
        default: "reserved"
        }
    }
}
