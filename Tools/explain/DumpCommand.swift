import StudyTools
import Text
import VMX
import VMXChecks

/// `martlet explain vmcs FILE`.
enum DumpCommand {
    static func run(_ arguments: inout Arguments, _ session: Session) throws -> Int32 {
        let path = try arguments.next("the file")
        let processor = try processor(&arguments, session)
        let dumps = DumpedVMCS.read(try text(path, session))
        guard !dumps.isEmpty else {
            throw UsageError(
                "vmcs: there is no VMCS dump in \(path): KVM's and Xen's begin with \"\(HypervisorDump.start)\" "
                    + "(KVM prints it with kvm_intel.dump_invalid_vmcs=1, Xen with xl debug-keys v), Martlet's with [guest state]"
            )
        }
        var isBroken = false
        for (index, dump) in dumps.enumerated() {
            if index > 0 { session.print("") }
            if dumps.count > 1 { session.print("dump \(index + 1) of \(dumps.count)") }
            isBroken = report(dump, processor, session) || isBroken
        }
        return isBroken ? 1 : 0
    }

    private static func text(_ path: String, _ session: Session) throws -> String {
        do { return try session.read(path) } catch { throw UsageError("vmcs: \(path) cannot be read: \(error)") }
    }

    private static func processor(_ arguments: inout Arguments, _ session: Session) throws -> ProcessorDescription {
        var registers: [UInt32: UInt64]?
        var physical = 52
        var linear = 57
        while !arguments.isEmpty {
            let option = try arguments.next("an option")
            switch option {
            case "--capabilities":
                registers = try ProcessorDescription.parse(text(arguments.next("the capabilities' file"), session))
            case "--physical-width": physical = try width(&arguments, option, 32...52)
            case "--linear-width": linear = try width(&arguments, option, 48...57)
            default:
                throw arguments.wrong("there is no option \"\(option)\": use --capabilities, --physical-width or --linear-width")
            }
        }
        return try ProcessorDescription(registers: registers, physicalWidth: physical, linearWidth: linear)
    }

    private static func width(_ arguments: inout Arguments, _ option: String, _ range: ClosedRange<Int>) throws -> Int {
        let bits = try arguments.number("the number of bits")
        guard let width = Int(exactly: bits), range.contains(width) else {
            throw arguments.wrong("\(option) \(bits) must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return width
    }

    /// - Returns: whether a rule is broken.
    private static func report(_ dump: DumpedVMCS, _ processor: ProcessorDescription, _ session: Session) -> Bool {
        let check = DumpCheck(dump, on: processor)
        session.print("a VMCS in \(dump.format.rawValue) format, \(count: dump.values.count, "field")")
        for field in dump.conflicts {
            session.print("  damaged: \(VMCSFieldDescription.name(of: field)) occurs twice, or has too many digits")
        }
        reportExit(dump, session)
        if !processor.isKnown {
            session.print(
                "checked against a processor that offers everything in the manual; describe the real one with --capabilities FILE"
            )
        }
        list("\(count: dump.missing.count, "field") that the dump does not have:", dump.missing.map { "\($0.name)" }, session)
        if !check.undecided.isEmpty {
            session.print(
                "\(count: check.undecided.count, "check") left out, which \(dump.missing.count == 1 ? "that field decides" : "those fields decide"):"
            )
            for violation in check.undecided {
                session.print("  \(VMCSFieldDescription.name(of: violation.field)): \(violation.rule.words)")
            }
        }
        session.print(
            "not checked, since no field decides it: launch state, blocking by MOV SS, MSR-load areas, memory behind pointers")
        guard !check.broken.isEmpty else {
            session.print("every rule that could be checked holds")
            return false
        }
        session.print("\(count: check.broken.count, "rule is", "rules are") broken:")
        for violation in check.broken {
            var line = Line()
            line.write(violation)
            session.print("  \(String(line))\(violation.rule.isLeftToProcessor ? " (some processors do not check it)" : "")")
        }
        var prediction = EntryPrediction()
        for violation in check.broken { prediction.include(violation) }
        var verdict = Line()
        verdict.write(prediction.verdict)
        session.print("VM entry with it: \(String(verdict))")
        return true
    }

    /// What the dump says of its last exit.
    private static func reportExit(_ dump: DumpedVMCS, _ session: Session) {
        guard let value = dump.values[VMCSField.exitReason.encoding] else { return }
        let reason = ExitReason(rawValue: UInt32(truncatingIfNeeded: value))
        ExitReasonExplanation(reason).report { session.print(String($0)) }
        if let qualification = dump.values[VMCSField.exitQualification.encoding],
            qualification != 0 || reason.basic == .entryFailureGuestState
        {
            QualificationExplanation(qualification, of: reason).report { session.print(String($0)) }
        }
    }

    /// Words separated by commas, on lines of at most about 110 columns.
    static func list(_ heading: String, _ words: [String], _ session: Session) {
        guard !words.isEmpty else { return }
        session.print(heading)
        var line = "  "
        for (index, word) in words.enumerated() {
            let piece = word + (index == words.count - 1 ? "" : ",")
            if line.count + piece.count > 110 {
                session.print(line)
                line = "  "
            }
            line += (line == "  " ? "" : " ") + piece
        }
        session.print(line)
    }
}
