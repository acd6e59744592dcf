import SVM

/// A VMCB as Xen prints it: `name = value`, in base 16, and a table of segments.
enum XenDump {
    static let start = "Size of VMCB"

    static func read(_ lines: [String]) -> [DumpedVMCB] {
        var dumps: [DumpedVMCB] = []
        for line in HypervisorDump.unfolded(lines) {
            if line.contains(start) {
                dumps.append(DumpedVMCB(.xen))
            } else if !dumps.isEmpty {
                read(line, into: &dumps[dumps.count - 1])
            }
        }
        return dumps
    }

    private static func read(_ line: String, into dump: inout DumpedVMCB) {
        let segment = /(?:^|\s)([A-Z]+): ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)/
        if let match = line.firstMatch(of: segment), let fields = DumpedSegment(String(match.1)) {
            fields.set([match.2, match.3, match.4, match.5].map { UInt64($0, radix: 16) ?? 0 }, in: &dump)
            return
        }
        if let match = line.firstMatch(of: /event_inj ([0-9a-f]+)/) { dump.set(.eventInjection, UInt64(match.1, radix: 16) ?? 0) }
        for (name, field) in names { if let value = HypervisorDump.value(of: name, in: line) { dump.set(field, value) } }
    }

    private static let names: [(String, VMCBFieldName)] = [
        ("cr_intercepts", .interceptVector0), ("dr_intercepts", .interceptVector1), ("exception_intercepts", .interceptVector2),
        ("general1_intercepts", .interceptVector3), ("general2_intercepts", .interceptVector4),
        ("general3_intercepts", .interceptVector5), ("iopm_base_pa", .ioPermissionMap), ("msrpm_base_pa", .msrPermissionMap),
        ("tsc_offset", .timeStampCounterOffset), ("tlb_control", .tlbControl), ("vintr", .virtualInterrupts),
        ("int_stat", .interruptShadow), ("interrupt_shadow", .interruptShadow), ("exitcode", .exitCode),
        ("exit_int_info", .exitIntInfo), ("exitintinfo", .exitIntInfo), ("exitinfo1", .exitInfo1), ("exitinfo2", .exitInfo2),
        ("np_ctrl", .nestedControl), ("np_enable", .nestedControl), ("guest_asid", .guestASID),
        ("virt_ext", .virtualizationControl), ("cpl", .cpl), ("efer", .efer), ("star", .star), ("lstar", .longSTAR),
        ("CR0", .cr0), ("CR2", .cr2), ("CR3", .cr3), ("CR4", .cr4), ("RSP", .rsp), ("RIP", .rip), ("RAX", .rax),
        ("RFLAGS", .rflags), ("DR6", .dr6), ("DR7", .dr7), ("CSTAR", .compatibilitySTAR), ("SFMask", .systemCallMask),
        ("KernGSBase", .kernelGSBase), ("PAT", .guestPAT), ("H_CR3", .nestedCR3), ("CleanBits", .cleanBits),
    ]
}
