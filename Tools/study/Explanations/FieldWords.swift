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

    /// Whether it is this field.
    func `is`<Value, Access>(_ other: VMCSField<Value, Access>) -> Bool { field == other.encoding }

    /// The meaning in parentheses behind the value, or nothing.
    var line: Line {
        if isAccessRights { return rights }
        if isInterruption { return interruption }
        if self.is(.exitReason) {
            let reason = ExitReason(rawValue: UInt32(truncatingIfNeeded: value))
            return reason.isEntryFailure ? " (VM-entry failure, \(reason))" : " (\(reason))"
        }
        if self.is(.instructionError), value != 0 {
            return " (\(InstructionError(UInt32(truncatingIfNeeded: value)).words))"
        }
        if self.is(.guestActivityState) { return activity }
        if self.is(.extendedPageTablePointer) {
            let pointer = EPTPointer(rawValue: value)
            return " (root \(hex: pointer.root.rawValue), \(count: pointer.levelCount, "level"))"
        }
        if self.is(.linkPointer), value == .max { return " (none)" }
        return ""
    }

    var isAccessRights: Bool {
        field.rawValue >= VMCSField<SegmentAccessRights, Writable>.guestESAccessRights.encoding.rawValue
            && field.rawValue <= VMCSField<SegmentAccessRights, Writable>.guestTRAccessRights.encoding.rawValue
    }

    var isInterruption: Bool {
        self.is(.entryInterruptionInformation) || self.is(.exitInterruptionInformation) || self.is(.vectoringInformation)
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
            ? " (\(explanation.kind), \(explanation.vector), with an error code)"
            : " (\(explanation.kind), \(explanation.vector))"
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
        var visitor = SetFlagNames()
        if value != 0 { visitFlags(&visitor, to: print) }
    }

    /// Gives the value to a visitor, typed, if the field's bits are flags.
    func visitFlags(_ visitor: inout some FlagVisitor, to print: (Line) -> Void) {
        if self.is(.pinControls) { return visitor.visit(PinControls(vmcsValue: value), to: print) }
        if self.is(.primaryControls) { return visitor.visit(PrimaryControls(vmcsValue: value), to: print) }
        if self.is(.secondaryControls) { return visitor.visit(SecondaryControls(vmcsValue: value), to: print) }
        if self.is(.tertiaryControls) { return visitor.visit(TertiaryControls(rawValue: value), to: print) }
        if self.is(.exitControls) { return visitor.visit(ExitControls(vmcsValue: value), to: print) }
        if self.is(.secondaryExitControls) { return visitor.visit(SecondaryExitControls(rawValue: value), to: print) }
        if self.is(.entryControls) { return visitor.visit(EntryControls(vmcsValue: value), to: print) }
        if self.is(.guestCR0) || self.is(.hostCR0) || self.is(.cr0ReadShadow) || self.is(.cr0GuestHostMask) {
            return visitor.visit(ControlRegister0(rawValue: value), to: print)
        }
        if self.is(.guestCR4) || self.is(.hostCR4) || self.is(.cr4ReadShadow) || self.is(.cr4GuestHostMask) {
            return visitor.visit(ControlRegister4(rawValue: value), to: print)
        }
        if self.is(.guestEFER) || self.is(.hostEFER) { return visitor.visit(ExtendedFeatureEnable(rawValue: value), to: print) }
        if self.is(.guestRFLAGS) { return visitor.visit(RFlags(rawValue: value), to: print) }
        if self.is(.guestInterruptibility) { return visitor.visit(InterruptibilityState(vmcsValue: value), to: print) }
        if self.is(.guestPendingDebugExceptions) { return visitor.visit(PendingDebugExceptions(rawValue: value), to: print) }
    }
}

/// Does something with a field's flags, whichever they are.
protocol FlagVisitor {
    mutating func visit<Flags: ExplainedFlags>(_ flags: Flags, to print: (Line) -> Void)
}

/// Lists the set flags by name.
private struct SetFlagNames: FlagVisitor {
    /// Bits without a name are left out: in the masks of CR0 and CR4 all are set.
    mutating func visit<Flags: ExplainedFlags>(_ flags: Flags, to print: (Line) -> Void) {
        var list = WordList("    ", indentation: 4)
        for bit in 0..<Flags.RawValue.bitWidth where flags.contains(Flags(bit: bit)) {
            if let name = Flags.name(ofBit: bit) { list.add(Line(name), to: print) }
        }
        list.finish(to: print)
    }
}
