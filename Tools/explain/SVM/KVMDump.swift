import SVM

/// A VMCB as KVM prints it, with kvm_amd.dump_invalid_vmcb=1: `name: value`, in base 16 or in base 10 by the name.
enum KVMDump {
    static let start = "VMCB Control Area:"

    static func read(_ lines: [String]) -> [DumpedVMCB] {
        var dumps: [DumpedVMCB] = []
        for line in lines {
            if line.contains(start) {
                dumps.append(DumpedVMCB(.kvm))
            } else if !dumps.isEmpty {
                read(line, into: &dumps[dumps.count - 1])
            }
        }
        return dumps
    }

    private static func read(_ line: String, into dump: inout DumpedVMCB) {
        if readSegment(line, into: &dump) || readIntercepts(line, into: &dump) { return }
        for (name, field) in hexadecimal { if let value = value(of: name, in: line, radix: 16) { dump.set(field, value) } }
        for (name, field) in decimal { if let value = value(of: name, in: line, radix: 10) { dump.set(field, value) } }
        for (name, field, shift) in parts {
            if let value = value(of: name, in: line, radix: 16) { dump.setPart(of: field, shift: shift, value) }
        }
        // Older kernels print the lower half of it.
        if let code = value(of: "exit_code", in: line, radix: 16) {
            dump.set(.exitCode, code == 0xFFFF_FFFF ? .max : code)
        }
    }

    /// The number behind `name:`, where the name is a word of its own.
    private static func value(of name: String, in line: String, radix: Int) -> UInt64? {
        var rest = line[...]
        while let range = rest.firstRange(of: name + ":") {
            let isWord = range.lowerBound == line.startIndex || " \t]>".contains(line[line.index(before: range.lowerBound)])
            if isWord {
                let word = line[range.upperBound...].drop { $0 == " " }.prefix { $0.isHexDigit || $0 == "-" }
                // Signed numbers in base 10 stand for their bits.
                return UInt64(word, radix: radix) ?? Int64(word, radix: radix).map(UInt64.init(bitPattern:))
            }
            rest = rest[range.upperBound...]
        }
        return nil
    }

    /// `cs:   s: 0010 a: 0a9b l: ffffffff b: 0000000000000000`.
    private static func readSegment(_ line: String, into dump: inout DumpedVMCB) -> Bool {
        let form = /(?:^|\s)([a-z]+):\s+s: ([0-9a-f]+) a: ([0-9a-f]+) l: ([0-9a-f]+) b: ([0-9a-f]+)/
        guard let match = line.firstMatch(of: form) else { return false }
        DumpedSegment(String(match.1)).map {
            $0.set([match.2, match.3, match.4, match.5].map { UInt64($0, radix: 16) ?? 0 }, in: &dump)
        }
        return true
    }

    /// `intercepts: bd4c8027 0000624f`, which are the vectors 3 and 4; newer kernels may print more.
    private static func readIntercepts(_ line: String, into dump: inout DumpedVMCB) -> Bool {
        guard let match = line.firstMatch(of: /intercepts:\s+([0-9a-f ]+)/) else { return false }
        let fields: [VMCBFieldName] = [.interceptVector3, .interceptVector4, .interceptVector5]
        for (field, word) in zip(fields, match.1.split(separator: " ")) { dump.set(field, UInt64(word, radix: 16) ?? 0) }
        return true
    }

    private static let parts: [(String, VMCBFieldName, UInt64)] = [
        ("cr_read", .interceptVector0, 0), ("cr_write", .interceptVector0, 16), ("dr_read", .interceptVector1, 0),
        ("dr_write", .interceptVector1, 16), ("int_ctl", .virtualInterrupts, 0), ("int_vector", .virtualInterrupts, 32),
        ("exit_int_info", .exitIntInfo, 0), ("exit_int_info_err", .exitIntInfo, 32), ("event_inj", .eventInjection, 0),
        ("event_inj_err", .eventInjection, 32),
    ]

    private static let decimal: [(String, VMCBFieldName)] = [
        ("pause filter count", .pauseFilterCount), ("pause filter threshold", .pauseFilterThreshold), ("asid", .guestASID),
        ("tlb_ctl", .tlbControl), ("erap_ctl", .returnAddressPredictor), ("nested_ctl", .nestedControl),
        ("misc_ctl", .nestedControl), ("virt_ext", .virtualizationControl), ("misc_ctl2", .virtualizationControl), ("cpl", .cpl),
    ]

    private static let hexadecimal: [(String, VMCBFieldName)] = [
        ("exceptions", .interceptVector2), ("iopm_base_pa", .ioPermissionMap), ("msrpm_base_pa", .msrPermissionMap),
        ("tsc_offset", .timeStampCounterOffset), ("int_state", .interruptShadow), ("exit_info1", .exitInfo1),
        ("exit_info2", .exitInfo2), ("nested_cr3", .nestedCR3), ("avic_vapic_bar", .avicBase), ("ghcb", .ghcb),
        ("next_rip", .nextRIP), ("avic_backing_page", .avicBackingPage), ("avic_logical_id", .avicLogicalTable),
        ("avic_physical_id", .avicPhysicalTable), ("vmsa_pa", .encryptedStatePage), ("allowed_sev_features", .allowedSEVFeatures),
        ("guest_sev_features", .guestSEVFeatures), ("efer", .efer), ("cr0", .cr0), ("cr2", .cr2), ("cr3", .cr3), ("cr4", .cr4),
        ("dr6", .dr6), ("dr7", .dr7), ("rip", .rip), ("rflags", .rflags), ("rsp", .rsp), ("rax", .rax), ("s_cet", .supervisorCET),
        ("ssp", .shadowStackPointer), ("isst_addr", .interruptShadowStackTable), ("star", .star), ("lstar", .longSTAR),
        ("cstar", .compatibilitySTAR), ("sfmask", .systemCallMask), ("kernel_gs_base", .kernelGSBase),
        ("sysenter_cs", .sysenterCS), ("sysenter_esp", .sysenterESP), ("sysenter_eip", .sysenterEIP), ("gpat", .guestPAT),
        ("dbgctl", .debugControl), ("br_from", .lastBranchFrom), ("br_to", .lastBranchTo), ("excp_from", .lastExceptionFrom),
        ("excp_to", .lastExceptionTo),
    ]
}

/// The fields of a segment.
struct DumpedSegment {
    let selector: VMCBFieldName?
    let attributes: VMCBFieldName?
    let limit: VMCBFieldName
    let base: VMCBFieldName

    /// nil for a name that no segment has.
    init?(_ name: String) {
        let order = ["es", "cs", "ss", "ds", "fs", "gs", "gdtr", "ldtr", "idtr", "tr"]
        guard let place = order.firstIndex(of: name.lowercased()) else { return nil }
        let start = 0x400 + 16 * UInt16(place)
        let fields = (0..<VMCBFieldName.count).compactMap { VMCBFieldName(at: $0) }
        func field(at offset: UInt16) -> VMCBFieldName? { fields.first { $0.offset == offset } }
        guard let limit = field(at: start + 4), let base = field(at: start + 8) else { return nil }
        selector = field(at: start)
        attributes = field(at: start + 2)
        self.limit = limit
        self.base = base
    }

    /// - Parameter values: selector, attributes, limit, base.
    func set(_ values: [UInt64], in dump: inout DumpedVMCB) {
        if let selector { dump.set(selector, values[0]) }
        if let attributes { dump.set(attributes, values[1]) }
        dump.set(limit, values[2])
        dump.set(base, values[3])
    }
}
