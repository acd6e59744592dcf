import Memory
import StudyTools
import Text
import VMX
import X86

extension Kind {
    /// Takes one number, which must be the last word, and explains it.
    private static func one(
        _ arguments: inout Arguments, _ session: Session, bits: Int = 64, _ explain: (UInt64, (Line) -> Void) -> Void
    ) throws -> Int32 {
        let value = try arguments.number("the value", bits: bits)
        try arguments.finish()
        explain(value) { session.print(String($0)) }
        return 0
    }

    static let exitReason: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        try one(&arguments, session, bits: 32) {
            ExitReasonExplanation(ExitReason(rawValue: UInt32($0))).report(to: $1)
        }
    }

    static let qualification: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let reason = ExitReason(rawValue: UInt32(try arguments.number("the exit reason", bits: 32)))
        return try one(&arguments, session) { QualificationExplanation($0, of: reason).report(to: $1) }
    }

    static let interruption: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        try one(&arguments, session, bits: 32) {
            InterruptionExplanation(InterruptionInformation(rawValue: UInt32($0))).report(to: $1)
        }
    }

    static let accessRights: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        try one(&arguments, session, bits: 32) {
            AccessRightsExplanation(SegmentAccessRights(rawValue: UInt32($0))).report(to: $1)
        }
    }

    static let control: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let field = try arguments.next("the control field")
        switch field {
        case "pin": return try flags(PinControls.self, &arguments, session)
        case "primary": return try flags(PrimaryControls.self, &arguments, session)
        case "secondary": return try flags(SecondaryControls.self, &arguments, session)
        case "tertiary": return try flags(TertiaryControls.self, &arguments, session)
        case "exit": return try flags(ExitControls.self, &arguments, session)
        case "secondary-exit": return try flags(SecondaryExitControls.self, &arguments, session)
        case "entry": return try flags(EntryControls.self, &arguments, session)
        default:
            throw arguments.wrong(
                "there is no control field \"\(field)\": use pin, primary, secondary, tertiary, exit, secondary-exit or entry")
        }
    }

    private static func flags<Flags: ExplainedFlags>(
        _ kind: Flags.Type, _ arguments: inout Arguments, _ session: Session
    ) throws -> Int32 {
        try one(&arguments, session, bits: Flags.RawValue.bitWidth) {
            FlagExplanation(Flags(rawValue: Flags.RawValue(truncatingIfNeeded: $0))).report(to: $1)
        }
    }

    static let nestedEntry: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let value = try arguments.number("the value")
        var level: UInt64 = 1
        if !arguments.isEmpty {
            level = try arguments.number("the level")
            guard (1...5).contains(level) else { throw arguments.wrong("the level \(level) must be from 1 to 5") }
        }
        try arguments.finish()
        NestedPageEntryExplanation(EPTEntry(rawValue: value), level: Int(level)).report {
            session.print(String($0))
        }
        return 0
    }

    static let nestedPointer: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        try one(&arguments, session) { NestedPagePointerExplanation(EPTPointer(rawValue: $0)).report(to: $1) }
    }

    static let instructionError: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        try one(&arguments, session, bits: 32) { InstructionErrorExplanation(InstructionError(UInt32($0))).report(to: $1) }
    }

    static let cr0: @Sendable (inout Arguments, Session) throws -> Int32 = { try flags(ControlRegister0.self, &$0, $1) }
    static let cr4: @Sendable (inout Arguments, Session) throws -> Int32 = { try flags(ControlRegister4.self, &$0, $1) }
    static let efer: @Sendable (inout Arguments, Session) throws -> Int32 = { try flags(ExtendedFeatureEnable.self, &$0, $1) }
    static let rflags: @Sendable (inout Arguments, Session) throws -> Int32 = { try flags(RFlags.self, &$0, $1) }
    static let interruptibility: @Sendable (inout Arguments, Session) throws -> Int32 = {
        try flags(InterruptibilityState.self, &$0, $1)
    }

    static let msr: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let register = ModelSpecificRegister(UInt32(try arguments.number("the register's number", bits: 32)))
        let explanation = MSRExplanation(register)
        guard explanation.isKnown else {
            throw UsageError("msr: Martlet does not know MSR 0x\(String(register.number, radix: 16)); the manual's volume 4 may")
        }
        if arguments.isEmpty {
            explanation.report { session.print(String($0)) }
            return 0
        }
        return try one(&arguments, session) { explanation.report($0, to: $1) }
    }

    static let vmcs: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        try DumpCommand.run(&arguments, session)
    }
}
