import Text
import VMX
import X86

extension MSRExplanation {
    /// Tells of a VMX capability register.
    /// - Returns: whether it is one.
    func reportCapability(_ value: UInt64, to print: (Line) -> Void) -> Bool {
        switch register {
        case .vmxBasic: reportBasic(value, to: print)
        case .vmxPinControls, .vmxTruePinControls:
            reportControls(ControlCapability<PinControls>(value, from: register), to: print)
        case .vmxPrimaryControls, .vmxTruePrimaryControls:
            reportControls(ControlCapability<PrimaryControls>(value, from: register), to: print)
        case .vmxExitControls, .vmxTrueExitControls:
            reportControls(ControlCapability<ExitControls>(value, from: register), to: print)
        case .vmxEntryControls, .vmxTrueEntryControls:
            reportControls(ControlCapability<EntryControls>(value, from: register), to: print)
        case .vmxSecondaryControls: reportControls(ControlCapability<SecondaryControls>(value, from: register), to: print)
        case .vmxMiscellaneous: reportMiscellaneous(value, to: print)
        case .vmxCR0Fixed0: reportFixed(ControlRegister0(rawValue: value), "must be 1: ", to: print)
        case .vmxCR0Fixed1: reportFixed(ControlRegister0(rawValue: ~value & 0xFFFF_FFFF), "must be 0: ", to: print)
        case .vmxCR4Fixed0: reportFixed(ControlRegister4(rawValue: value), "must be 1: ", to: print)
        case .vmxCR4Fixed1: reportFixed(ControlRegister4(rawValue: value), "may be 1: ", to: print)
        case .vmxEPTAndVPID: reportEPTAndVPID(value, to: print)
        case .vmxTertiaryControls: reportAllowed(TertiaryControls(rawValue: value), to: print)
        case .vmxSecondaryExitControls: reportAllowed(SecondaryExitControls(rawValue: value), to: print)
        default: return false
        }
        return true
    }

    private func reportBasic(_ value: UInt64, to print: (Line) -> Void) {
        var table = BitTable(value)
        table.row(30, 0, "the revision, with which VMXON region and VMCS begin", to: print)
        table.row(44, 32, "the bytes of a VMCS and of the VMXON region", to: print)
        table.flag(
            48, "the VMCS and what it points to must lie below 4 GiB", else: "the VMCS may lie anywhere in physical memory",
            to: print)
        table.flag(
            49, "the dual-monitor treatment of SMIs is offered", else: "no dual-monitor treatment of SMIs", to: print)
        var type = MemoryTypeWords.line(table.bits(53, 50))
        type.write(", for the processor's accesses to the VMCS")
        table.row(53, 50, type, to: print)
        table.flag(
            54, "INS and OUTS exits report their operand", else: "INS and OUTS exits do not report their operand", to: print)
        table.flag(
            55, "the \"true\" control registers (48DH to 490H) exist", else: "no \"true\" control registers", to: print)
        table.flag(56, "exceptions may be injected with or without an error code", to: print)
        table.flag(58, "nested exceptions are reported: flexible return and event delivery", to: print)
        table.finish(to: print)
    }

    private func reportControls<Controls: ExplainedFlags>(_ capability: ControlCapability<Controls>, to print: (Line) -> Void)
    where Controls.RawValue == UInt32 {
        print("  \(Controls.title)")
        reportNames("  must be 1: ", capability.required, to: print)
        reportNames("  may be 1: ", capability.allowed.subtracting(capability.required), to: print)
        reportNames("  must be 0: ", Self.named(Controls.self).subtracting(capability.allowed), to: print)
    }

    private func reportAllowed<Controls: ExplainedFlags>(_ controls: Controls, to print: (Line) -> Void) {
        print("  \(Controls.title)")
        reportNames("  may be 1: ", controls, to: print)
        reportNames("  must be 0: ", Self.named(Controls.self).subtracting(controls), to: print)
    }

    private func reportFixed(_ flags: some ExplainedFlags, _ heading: StaticString, to print: (Line) -> Void) {
        reportNames("  \(heading)", flags, to: print)
    }

    /// Every bit that has a name.
    private static func named<Flags: FlagSet>(_ kind: Flags.Type) -> Flags {
        var all = Flags.none
        for bit in 0..<Flags.RawValue.bitWidth where Flags.name(ofBit: bit) != nil { all = all | Flags(bit: bit) }
        return all
    }

    /// The names of the set bits; those without a name by number.
    private func reportNames<Flags: ExplainedFlags>(_ heading: Line, _ flags: Flags, to print: (Line) -> Void) {
        guard !flags.isEmpty else { return print("\(heading)none") }
        var list = WordList(heading, indentation: heading.count)
        for bit in 0..<Flags.RawValue.bitWidth where flags.contains(Flags(bit: bit)) {
            if let name = Flags.name(ofBit: bit) {
                list.add(Line(name), to: print)
            } else {
                list.add("bit \(bit) (reserved)", to: print)
            }
        }
        list.finish(to: print)
    }

    private func reportMiscellaneous(_ value: UInt64, to print: (Line) -> Void) {
        let miscellaneous = VMXMiscellaneous(rawValue: value)
        var table = BitTable(value)
        table.row(
            4, 0,
            "the preemption timer counts once in \(count: 1 << miscellaneous.preemptionTimerShift as UInt64, "time-stamp tick")",
            to: print)
        table.flag(5, "an exit stores IA32_EFER.LMA in \"IA-32e mode guest\" (unrestricted guest)", to: print)
        table.flag(6, "the activity state HLT is offered", else: "no activity state HLT", to: print)
        table.flag(7, "the activity state shutdown is offered", else: "no activity state shutdown", to: print)
        table.flag(8, "the activity state wait-for-SIPI is offered", else: "no activity state wait-for-SIPI", to: print)
        table.flag(14, "Intel Processor Trace may be used in VMX operation", to: print)
        table.flag(15, "RDMSR of IA32_SMBASE works in system-management mode", to: print)
        table.row(24, 16, "CR3-target values", to: print)
        table.row(
            27, 25, "at most \(512 * (table.bits(27, 25) + 1)) MSRs are recommended in a load or store area", to: print)
        table.flag(28, "SMIs can be blocked by IA32_SMM_MONITOR_CTL bit 2", to: print)
        table.flag(
            29, "VMWRITE can write VM-exit information", else: "VMWRITE cannot write VM-exit information", to: print)
        table.flag(30, "software events may be injected with an instruction length of 0", to: print)
        table.row(63, 32, "the revision of the MSEG header (SMM monitor)", to: print)
        table.finish(to: print)
    }

    private func reportEPTAndVPID(_ value: UInt64, to print: (Line) -> Void) {
        var table = BitTable(value)
        table.flag(0, "execute-only pages", else: "no execute-only pages", to: print)
        table.flag(6, "walks of 4 levels", else: "no walks of 4 levels", to: print)
        table.flag(7, "walks of 5 levels", else: "no walks of 5 levels", to: print)
        table.flag(8, "tables may be uncacheable", else: "tables may not be uncacheable", to: print)
        table.flag(14, "tables may be write-back", else: "tables may not be write-back", to: print)
        table.flag(16, "2-MiB pages", else: "no 2-MiB pages", to: print)
        table.flag(17, "1-GiB pages", else: "no 1-GiB pages", to: print)
        table.flag(20, "INVEPT", else: "no INVEPT", to: print)
        table.flag(21, "accessed and dirty flags", else: "no accessed and dirty flags", to: print)
        table.flag(
            22, "EPT violations report more about the linear address (bits 11:9)",
            else: "no more about the linear address in EPT violations", to: print)
        table.flag(23, "access rights of supervisor shadow-stack pages", to: print)
        table.flag(25, "INVEPT of one context", else: "no INVEPT of one context", to: print)
        table.flag(26, "INVEPT of all contexts", else: "no INVEPT of all contexts", to: print)
        table.flag(32, "INVVPID", else: "no INVVPID", to: print)
        table.flag(40, "INVVPID of one address", else: "no INVVPID of one address", to: print)
        table.flag(41, "INVVPID of one context", else: "no INVVPID of one context", to: print)
        table.flag(42, "INVVPID of all contexts", else: "no INVVPID of all contexts", to: print)
        table.flag(
            43, "INVVPID of one context except global pages", else: "no INVVPID that spares global pages", to: print)
        if table.bits(53, 48) != 0 {
            table.row(53, 48, "the largest page of hypervisor-managed translation", to: print)
        }
        table.finish(to: print)
    }
}
