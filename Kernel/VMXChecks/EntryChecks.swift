import VMX

/// Every check that VM entry makes on the fields of the VMCS, so that a failed entry can be explained (SDM volume 3,
/// "Checks on VMX Controls and Host-State Area" and "Checking and Loading Guest State").
///
/// All broken rules are found, not only the first, since the processor may check in any order. It is assumed that the
/// processor is in 64-bit mode and outside system-management mode, as Martlet always is.
///
/// Outside these checks, because fields do not decide them: events blocked by MOV SS (error 26); the launch state (errors
/// 4 and 5); what the MSR-load areas hold (exit reason 34, or an abort); Intel Processor Trace being active; the reserved
/// bits of the tertiary controls, the secondary VM-exit controls and IA32_RTIT_CTL, whose capability registers Martlet
/// does not read. `EntryCircumstances` says what is known about memory.
public struct EntryChecks {
    let snapshot: SnapshotView
    let capabilities: VMXCapabilities
    let circumstances: EntryCircumstances
    private let findings: UnsafeMutablePointer<EntryFindings>

    /// The checks of a VMCS on a processor.
    @inline(never)
    public static func run(
        _ snapshot: VMCSSnapshot, _ capabilities: VMXCapabilities, _ circumstances: EntryCircumstances
    ) -> EntryFindings {
        var findings = EntryFindings()
        withUnsafePointer(to: snapshot) { snapshot in
            withUnsafeMutablePointer(to: &findings) { findings in
                EntryChecks(
                    snapshot: SnapshotView(pointer: snapshot), capabilities: capabilities, circumstances: circumstances,
                    findings: findings
                ).run()
            }
        }
        return findings
    }

    private func run() {
        checkExecutionControls()
        checkExitControls()
        checkEntryControls()
        checkHostRegisters()
        checkHostSegments()
        checkAddressSpaceSize()
        checkGuestRegisters()
        checkGuestSegments()
        checkGuestDescriptorTables()
        checkGuestInstructionPointer()
        checkGuestNonRegisterState()
        checkGuestPageDirectoryPointers()
    }

    /// Checks a rule; the field is the first to look at when it is broken.
    @inline(__always)
    func require<Value, Access>(_ holds: Bool, _ rule: EntryRule, _ field: VMCSField<Value, Access>) {
        ask(holds, rule, field.encoding)
    }

    @inline(never)
    private func ask(_ holds: Bool, _ rule: EntryRule, _ field: VMCSFieldEncoding) {
        findings.pointee.ask()
        if !holds { findings.pointee.add(Violation(rule: rule, field: field, value: snapshot[field])) }
    }
}

/// A snapshot read in place: checks that copied it for each field they read would run out of stack.
struct SnapshotView {
    let pointer: UnsafePointer<VMCSSnapshot>

    subscript<Value: VMCSValue, Access>(field: VMCSField<Value, Access>) -> Value {
        @inline(__always) get { Value(vmcsValue: VMCSSnapshot.value(of: field.encoding, in: pointer)) }
    }

    subscript(field: VMCSFieldEncoding) -> UInt64 { VMCSSnapshot.value(of: field, in: pointer) }
}
