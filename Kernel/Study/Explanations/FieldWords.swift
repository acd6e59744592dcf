import Memory
import Text
import VMX
import X86

/// What a VMCS field's value means, in few words.
struct FieldWords {
    let field: VMCSFieldEncoding
    let value: UInt64

    init(_ field: VMCSFieldEncoding, _ value: UInt64) {
        self.field = field
        self.value = value
    }

    private func `is`<Value, Access>(_ other: VMCSField<Value, Access>) -> Bool { field == other.encoding }

    /// The meaning in parentheses behind the value, or nothing.
    var line: Line {
        if isAccessRights { return rights }
        if self.is(.entryInterruptionInformation) || self.is(.exitInterruptionInformation) || self.is(.vectoringInformation) {
            return interruption
        }
        if self.is(.exitReason) {
            let reason = ExitReason(rawValue: UInt32(truncatingIfNeeded: value))
            return reason.isEntryFailure ? " (VM-entry failure, \(reason))" : " (\(reason))"
        }
        if self.is(.instructionError), value != 0 {
            return " (\(InstructionError(UInt32(truncatingIfNeeded: value)).words))"
        }
        if self.is(.guestActivityState) { return activity }
        if self.is(.extendedPageTablePointer) {
            let pointer = ExtendedPageTablePointer(rawValue: value)
            return " (root \(hex: pointer.root.rawValue), \(pointer.levelCount) levels)"
        }
        if self.is(.linkPointer), value == .max { return " (none)" }
        return ""
    }

    private var isAccessRights: Bool {
        field.rawValue >= VMCSField<SegmentAccessRights, Writable>.guestESAccessRights.encoding.rawValue
            && field.rawValue <= VMCSField<SegmentAccessRights, Writable>.guestTRAccessRights.encoding.rawValue
    }

    private var rights: Line {
        let rights = SegmentAccessRights(rawValue: UInt32(truncatingIfNeeded: value))
        if rights.isUnusable { return " (unusable)" }
        var line: Line = " (\(AccessRightsExplanation(rights).typeWords), DPL \(UInt64(rights.privilegeLevel))"
        if !rights.isPresent { line.write(", not present") }
        if rights.isLong { line.write(", 64-bit") } else if rights.is32Bit { line.write(", 32-bit") }
        line.write(")")
        return line
    }

    private var interruption: Line {
        let information = InterruptionInformation(rawValue: UInt32(truncatingIfNeeded: value))
        guard information.isValid else { return " (no event)" }
        let explanation = InterruptionExplanation(information)
        return information.deliversErrorCode
            ? " (\(explanation.kind), \(explanation.vector), with an error code)" : " (\(explanation.kind), \(explanation.vector))"
    }

    private var activity: Line {
        switch ActivityState(rawValue: UInt32(truncatingIfNeeded: value)) {
        case .active: " (active)"
        case .halted: " (HLT)"
        case .shutdown: " (shutdown)"
        case .waitForStartupIPI: " (wait-for-SIPI)"
        default: " (reserved)"
        }
    }

    /// The names of the set flags, on lines of their own.
    func reportFlags(to print: (Line) -> Void) {
        if value == 0 { return }
        if self.is(.pinControls) { return list(PinControls(vmcsValue: value), to: print) }
        if self.is(.primaryControls) { return list(PrimaryControls(vmcsValue: value), to: print) }
        if self.is(.secondaryControls) { return list(SecondaryControls(vmcsValue: value), to: print) }
        if self.is(.tertiaryControls) { return list(TertiaryControls(rawValue: value), to: print) }
        if self.is(.exitControls) { return list(ExitControls(vmcsValue: value), to: print) }
        if self.is(.secondaryExitControls) { return list(SecondaryExitControls(rawValue: value), to: print) }
        if self.is(.entryControls) { return list(EntryControls(vmcsValue: value), to: print) }
        if self.is(.guestCR0) || self.is(.hostCR0) || self.is(.cr0ReadShadow) || self.is(.cr0GuestHostMask) {
            return list(ControlRegister0(rawValue: value), to: print)
        }
        if self.is(.guestCR4) || self.is(.hostCR4) || self.is(.cr4ReadShadow) || self.is(.cr4GuestHostMask) {
            return list(ControlRegister4(rawValue: value), to: print)
        }
        if self.is(.guestEFER) || self.is(.hostEFER) { return list(ExtendedFeatureEnable(rawValue: value), to: print) }
        if self.is(.guestRFLAGS) { return list(RFlags(rawValue: value), to: print) }
        if self.is(.guestInterruptibility) { return list(InterruptibilityState(vmcsValue: value), to: print) }
        if self.is(.guestPendingDebugExceptions) { return list(PendingDebugExceptions(rawValue: value), to: print) }
    }

    /// Bits without a name are left out: in the masks of CR0 and CR4 all are set.
    private func list<Flags: FlagSet>(_ flags: Flags, to print: (Line) -> Void) {
        var list = WordList("    ", indentation: 4)
        for bit in 0..<Flags.RawValue.bitWidth where flags.contains(Flags(bit: bit)) {
            if let name = Flags.name(ofBit: bit) { list.add(Line(name), to: print) }
        }
        list.finish(to: print)
    }
}
