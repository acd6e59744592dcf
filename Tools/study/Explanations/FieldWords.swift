import Memory
import Text
import VMX
import X86

/// What a VMCS field's value means, in few words.
struct FieldWords {
    let field: VMCSFieldEncoding
    let kind: VMCSValueKind
    let value: UInt64

    init(_ field: VMCSFieldEncoding, _ value: UInt64) {
        self.field = field
        kind = VMCSFieldDescription.position(of: field).map { VMCSFieldDescription.field(at: $0).kind } ?? .number
        self.value = value
    }

    /// Whether it is this field.
    func `is`<Value, Access>(_ other: VMCSField<Value, Access>) -> Bool { field == other.encoding }

    /// The meaning in parentheses after the value, or nothing.
    var line: Line {
        switch kind {
        case .accessRights: return rights
        case .interruptionInformation: return interruption
        case .exitReason:
            let reason = ExitReason(rawValue: UInt32(truncatingIfNeeded: value))
            return reason.isEntryFailure ? " (VM-entry failure, \(reason))" : " (\(reason))"
        case .activity: return activity
        case .extendedPageTablePointer:
            let pointer = EPTPointer(rawValue: value)
            return " (root \(hex: pointer.root.rawValue), \(count: pointer.levelCount, "level"))"
        default: break
        }
        if self.is(.instructionError), value != 0 {
            return " (\(InstructionError(UInt32(truncatingIfNeeded: value)).words))"
        }
        if self.is(.linkPointer), value == .max { return " (none)" }
        return ""
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
        switch kind {
        case .pinControls: visitor.visit(PinControls(vmcsValue: value), to: print)
        case .primaryControls: visitor.visit(PrimaryControls(vmcsValue: value), to: print)
        case .secondaryControls: visitor.visit(SecondaryControls(vmcsValue: value), to: print)
        case .tertiaryControls: visitor.visit(TertiaryControls(vmcsValue: value), to: print)
        case .exitControls: visitor.visit(ExitControls(vmcsValue: value), to: print)
        case .secondaryExitControls: visitor.visit(SecondaryExitControls(vmcsValue: value), to: print)
        case .vmFunctions: visitor.visit(VMFunctions(vmcsValue: value), to: print)
        case .entryControls: visitor.visit(EntryControls(vmcsValue: value), to: print)
        case .controlRegister0: visitor.visit(ControlRegister0(vmcsValue: value), to: print)
        case .controlRegister4: visitor.visit(ControlRegister4(vmcsValue: value), to: print)
        case .extendedFeatures: visitor.visit(ExtendedFeatureEnable(vmcsValue: value), to: print)
        case .flags: visitor.visit(RFlags(vmcsValue: value), to: print)
        case .interruptibility: visitor.visit(InterruptibilityState(vmcsValue: value), to: print)
        case .pendingDebugExceptions: visitor.visit(PendingDebugExceptions(vmcsValue: value), to: print)
        case .number, .accessRights, .interruptionInformation, .exitReason, .activity, .extendedPageTablePointer: break
        }
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
