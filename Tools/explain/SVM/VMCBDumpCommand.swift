import SVM
import SVMChecks
import StudyTools
import Text

/// `martlet explain vmcb FILE`.
enum VMCBDumpCommand {
    static func run(_ arguments: inout Arguments, _ session: Session) throws -> Int32 {
        let path = try arguments.next("the file")
        let width = try physicalWidth(&arguments)
        let text: String
        do { text = try session.read(path) } catch { throw UsageError("vmcb: \(path) cannot be read: \(error)") }
        let dumps = DumpedVMCB.read(text)
        guard !dumps.isEmpty else {
            throw UsageError(
                "vmcb: there is no VMCB dump in \(path): KVM's begins with \"\(KVMDump.start)\" (it prints one with "
                    + "kvm_amd.dump_invalid_vmcb=1), Xen's with \"\(XenDump.start)\" (xl debug-keys v)")
        }
        var isBroken = false
        for (index, dump) in dumps.enumerated() {
            if index > 0 { session.print("") }
            if dumps.count > 1 { session.print("dump \(index + 1) of \(dumps.count)") }
            isBroken = report(dump, .everything(physicalAddressWidth: width), session) || isBroken
        }
        return isBroken ? 1 : 0
    }

    private static func physicalWidth(_ arguments: inout Arguments) throws -> Int {
        guard !arguments.isEmpty else { return 52 }
        let option = try arguments.next("an option")
        guard option == "--physical-width" else {
            throw arguments.wrong("there is no option \"\(option)\": --physical-width is")
        }
        let bits = try arguments.number("the number of bits")
        guard let width = Int(exactly: bits), (32...52).contains(width) else {
            throw arguments.wrong("\(option) \(bits) must be from 32 to 52")
        }
        try arguments.finish()
        return width
    }

    /// - Returns: whether a rule is broken.
    private static func report(_ dump: DumpedVMCB, _ capabilities: SVMCapabilities, _ session: Session) -> Bool {
        let check = VMCBDumpCheck(dump, on: capabilities)
        session.print("a VMCB in \(dump.format.rawValue) format, \(count: dump.values.count, "field")")
        for field in dump.conflicts { session.print("  damaged: \(field.name) stands there twice, or has too many digits") }
        if let code = dump.values[.exitCode] { reportExit(code, dump, session) }
        reportFields(dump, session)
        DumpCommand.list(
            "\(count: dump.missing.count, "field") that the dump does not have:", dump.missing.map { "\($0.name)" }, session)
        session.print("checked against a processor that offers all that the manual defines")
        if !check.undecided.isEmpty {
            session.print("\(count: check.undecided.count, "check") left out, which fields decide that the dump does not have:")
            for finding in check.undecided { session.print("  \(finding.field.name): \(finding.rule.words)") }
        }
        session.print("not checked, since no field decides it: page-directory pointers, U_CET, what SEV demands")
        guard !check.broken.isEmpty else {
            session.print("every rule that could be checked holds")
            return false
        }
        session.print("\(count: check.broken.count, "rule is", "rules are") broken:")
        for finding in check.broken { session.print("  \(words(finding))") }
        session.print("VMRUN with it: VMEXIT_INVALID")
        return true
    }

    /// What the dump says of its last exit. After a refused VMRUN the other fields tell of an earlier one, or of nothing.
    private static func reportExit(_ code: UInt64, _ dump: DumpedVMCB, _ session: Session) {
        let isRefused = SVMExitCode(code) == .invalid
        ExitCodeExplanation(
            code: code, information1: isRefused ? nil : dump.values[.exitInfo1],
            information2: isRefused ? nil : dump.values[.exitInfo2]
        ).report { session.print($0) }
    }

    /// Those that are more than a number.
    private static func reportFields(_ dump: DumpedVMCB, _ session: Session) {
        for position in 0..<VMCBFieldName.count {
            guard let field = VMCBFieldName(at: position), let value = dump.values[field],
                let words = VMCBFieldWords(field: field, value: value).words
            else { continue }
            for row in "\(field.name) = 0x\(String(value, radix: 16)) (\(words))".rows(columns: 110, indentation: 4) {
                session.print(row)
            }
        }
    }
}
