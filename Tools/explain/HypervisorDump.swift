import Memory
import VMX
import X86

/// A VMCS as KVM and Xen print it. Both have the same ancestor: three parts, pairs of names and values in base 16, several a line,
/// with whatever the log puts before each line.
enum HypervisorDump {
    static let start = "*** Guest State ***"

    private enum Part { case guest, host, control }

    static func read(_ lines: [String]) -> [DumpedVMCS] {
        var dumps: [DumpedVMCS] = []
        var part = Part.guest
        for line in unfolded(lines) {
            if line.contains(start) {
                dumps.append(DumpedVMCS(.kvm))
                part = .guest
            } else if line.contains("*** Host State ***") {
                part = .host
            } else if line.contains("*** Control State ***") {
                part = .control
            } else if !dumps.isEmpty {
                let isXen = isXen(line, part)
                if isXen, dumps[dumps.count - 1].format == .kvm {
                    var dump = DumpedVMCS(.xen)
                    for (field, value) in dumps[dumps.count - 1].values { dump.set(field, value) }
                    dumps[dumps.count - 1] = dump
                }
                read(line, part, into: &dumps[dumps.count - 1])
            }
        }
        return dumps.filter { !$0.values.isEmpty }
    }

    /// The heading of Xen's table of segments, which KVM does not have.
    private static func isXen(_ line: String, _ part: Part) -> Bool {
        part == .guest && line.contains("sel") && line.contains("attr") && line.contains("limit") && !line.contains("=")
    }

    /// Lines that a mail program broke, put together: those of Xen all begin with its name.
    static func unfolded(_ lines: [String]) -> [String] {
        guard lines.contains(where: { $0.contains("(XEN)") }) else { return lines }
        var whole: [String] = []
        for line in lines {
            if line.contains("(XEN)") || whole.isEmpty { whole.append(line) } else { whole[whole.count - 1] += " " + line }
        }
        return whole
    }

    private static func read(_ line: String, _ part: Part, into dump: inout DumpedVMCS) {
        switch part {
        case .guest:
            if readSegment(line, into: &dump) || readControlRegister(line, into: &dump) || readEFER(line, into: &dump) {
                return
            }
            if readSysenter(line, .guestSysenterESP, .guestSysenterCS, .guestSysenterEIP, into: &dump) { return }
            take(guest, line, into: &dump)
        case .host:
            if readSysenter(line, .hostSysenterESP, .hostSysenterCS, .hostSysenterEIP, into: &dump) { return }
            take(host, line, into: &dump)
        case .control:
            if line.contains("VMEntry:") {
                take(entry, line, into: &dump)
            } else if line.contains("VMExit:") {
                take(exit, line, into: &dump)
            } else if line.contains("IDTVectoring:") {
                take(vectoring, line, into: &dump)
            } else {
                readInterruptStatus(line, into: &dump)
                take(control, line, into: &dump)
            }
        }
    }

    // MARK: Pairs of name and value

    private static func take(_ names: [(String, VMCSFieldEncoding)], _ line: String, into dump: inout DumpedVMCS) {
        for (name, field) in names { if let value = value(of: name, in: line) { dump.set(field, value) } }
    }

    /// The number behind `name =`, where the name is a word of its own.
    static func value(of name: String, in line: String) -> UInt64? {
        var rest = line[...]
        while let range = rest.firstRange(of: name) {
            let isWord = range.lowerBound == line.startIndex || " \t,:".contains(line[line.index(before: range.lowerBound)])
            let after = line[range.upperBound...].drop { $0 == " " }
            if isWord, after.first == "=" {
                var digits = after.dropFirst().drop { $0 == " " }
                if digits.hasPrefix("0x") { digits = digits.dropFirst(2) }
                return UInt64(digits.prefix(while: \.isHexDigit), radix: 16)
            }
            rest = rest[range.upperBound...]
        }
        return nil
    }

    private static let guest: [(String, VMCSFieldEncoding)] = [
        ("CR3", VMCSField.guestCR3.encoding),
        ("PDPTR0", VMCSField.guestPDPTE0.encoding), ("PDPTR1", VMCSField.guestPDPTE1.encoding),
        ("PDPTR2", VMCSField.guestPDPTE2.encoding), ("PDPTR3", VMCSField.guestPDPTE3.encoding),
        ("PDPTE0", VMCSField.guestPDPTE0.encoding), ("PDPTE1", VMCSField.guestPDPTE1.encoding),
        ("PDPTE2", VMCSField.guestPDPTE2.encoding), ("PDPTE3", VMCSField.guestPDPTE3.encoding),
        ("RSP", VMCSField.guestRSP.encoding), ("RIP", VMCSField.guestRIP.encoding), ("RFLAGS", VMCSField.guestRFLAGS.encoding),
        ("DR7", VMCSField.guestDR7.encoding), ("PAT", VMCSField.guestPAT.encoding),
        ("PreemptionTimer", VMCSField.preemptionTimer.encoding), ("SM Base", VMCSField.guestSMBASE.encoding),
        ("DebugCtl", VMCSField.guestDebugControl.encoding),
        ("DebugExceptions", VMCSField.guestPendingDebugExceptions.encoding),
        ("PerfGlobCtl", VMCSField.guestPerformanceControl.encoding), ("BndCfgS", VMCSField.guestBoundConfiguration.encoding),
        ("Interruptibility", VMCSField.guestInterruptibility.encoding),
        ("ActivityState", VMCSField.guestActivityState.encoding), ("InterruptStatus", VMCSField.guestInterruptStatus.encoding),
        ("S_CET", VMCSField.guestSupervisorCET.encoding), ("SSP", VMCSField.guestShadowStackPointer.encoding),
        ("SSP TABLE", VMCSField.guestInterruptShadowStackTable.encoding),
    ]

    private static let host: [(String, VMCSFieldEncoding)] = [
        ("RIP", VMCSField.hostRIP.encoding), ("RSP", VMCSField.hostRSP.encoding),
        ("CS", VMCSField.hostCSSelector.encoding), ("SS", VMCSField.hostSSSelector.encoding),
        ("DS", VMCSField.hostDSSelector.encoding), ("ES", VMCSField.hostESSelector.encoding),
        ("FS", VMCSField.hostFSSelector.encoding), ("GS", VMCSField.hostGSSelector.encoding),
        ("TR", VMCSField.hostTRSelector.encoding),
        ("FSBase", VMCSField.hostFSBase.encoding), ("GSBase", VMCSField.hostGSBase.encoding),
        ("TRBase", VMCSField.hostTRBase.encoding), ("GDTBase", VMCSField.hostGDTRBase.encoding),
        ("IDTBase", VMCSField.hostIDTRBase.encoding),
        ("CR0", VMCSField.hostCR0.encoding), ("CR3", VMCSField.hostCR3.encoding), ("CR4", VMCSField.hostCR4.encoding),
        ("EFER", VMCSField.hostEFER.encoding), ("PAT", VMCSField.hostPAT.encoding),
        ("PerfGlobCtl", VMCSField.hostPerformanceControl.encoding),
        ("S_CET", VMCSField.hostSupervisorCET.encoding), ("SSP", VMCSField.hostShadowStackPointer.encoding),
        ("SSP TABLE", VMCSField.hostInterruptShadowStackTable.encoding),
    ]

    private static let control: [(String, VMCSFieldEncoding)] = [
        ("PinBased", VMCSField.pinControls.encoding), ("CPUBased", VMCSField.primaryControls.encoding),
        ("SecondaryExec", VMCSField.secondaryControls.encoding), ("TertiaryExec", VMCSField.tertiaryControls.encoding),
        ("EntryControls", VMCSField.entryControls.encoding), ("ExitControls", VMCSField.exitControls.encoding),
        ("ExceptionBitmap", VMCSField.exceptionBitmap.encoding), ("PFECmask", VMCSField.pageFaultErrorCodeMask.encoding),
        ("PFECmatch", VMCSField.pageFaultErrorCodeMatch.encoding),
        ("reason", VMCSField.exitReason.encoding), ("qualification", VMCSField.exitQualification.encoding),
        ("TSC Offset", VMCSField.timeStampCounterOffset.encoding),
        ("TSC Multiplier", VMCSField.timeStampCounterMultiplier.encoding),
        ("TPR Threshold", VMCSField.tprThreshold.encoding),
        ("APIC-access addr", VMCSField.apicAccessAddress.encoding), ("virt-APIC addr", VMCSField.virtualAPICAddress.encoding),
        ("PostedIntrVec", VMCSField.postedInterruptNotificationVector.encoding),
        ("EPT pointer", VMCSField.extendedPageTablePointer.encoding), ("EPTP index", VMCSField.eptpIndex.encoding),
        ("CR3 target0", VMCSField.cr3TargetValue0.encoding), ("target1", VMCSField.cr3TargetValue1.encoding),
        ("CR3 target2", VMCSField.cr3TargetValue2.encoding), ("target3", VMCSField.cr3TargetValue3.encoding),
        ("PLE Gap", VMCSField.pauseLoopGap.encoding), ("Window", VMCSField.pauseLoopWindow.encoding),
        ("Virtual processor ID", VMCSField.virtualProcessorIdentifier.encoding),
        ("VMfunc controls", VMCSField.vmFunctionControls.encoding),
        ("VE info address", VMCSField.virtualizationExceptionAddress.encoding),
    ]

    private static let entry: [(String, VMCSFieldEncoding)] = [
        ("intr_info", VMCSField.entryInterruptionInformation.encoding), ("errcode", VMCSField.entryExceptionErrorCode.encoding),
        ("ilen", VMCSField.entryInstructionLength.encoding),
    ]

    private static let exit: [(String, VMCSFieldEncoding)] = [
        ("intr_info", VMCSField.exitInterruptionInformation.encoding), ("errcode", VMCSField.exitInterruptionErrorCode.encoding),
        ("ilen", VMCSField.exitInstructionLength.encoding),
    ]

    private static let vectoring: [(String, VMCSFieldEncoding)] = [
        ("info", VMCSField.vectoringInformation.encoding), ("errcode", VMCSField.vectoringErrorCode.encoding),
    ]

    // MARK: Lines of their own form

    /// `CR0: actual=0x..., shadow=0x..., gh_mask=...`, and CR4 alike.
    private static func readControlRegister(_ line: String, into dump: inout DumpedVMCS) -> Bool {
        if line.contains("CR0: ") {
            take(
                [
                    ("actual", VMCSField.guestCR0.encoding), ("shadow", VMCSField.cr0ReadShadow.encoding),
                    ("gh_mask", VMCSField.cr0GuestHostMask.encoding),
                ], line, into: &dump)
        } else if line.contains("CR4: ") {
            take(
                [
                    ("actual", VMCSField.guestCR4.encoding), ("shadow", VMCSField.cr4ReadShadow.encoding),
                    ("gh_mask", VMCSField.cr4GuestHostMask.encoding),
                ], line, into: &dump)
        } else {
            return false
        }
        return true
    }

    /// KVM: `CS:   sel=0x0010, attr=0x0a09b, limit=0xffffffff, base=0x0`; Xen: `CS: 0010 0a09b ffffffff 0`.
    private static func readSegment(_ line: String, into dump: inout DumpedVMCS) -> Bool {
        let segment =
            /(?:^|\s)(ES|CS|SS|DS|FS|GS|LDTR|TR):\s+(?:sel=0x)?([0-9a-f]+),?\s+(?:attr=0x)?([0-9a-f]+),?\s+(?:limit=0x)?([0-9a-f]+),?\s+(?:base=0x)?([0-9a-f]+)/
        let table = /(?:^|\s)(GDTR|IDTR):\s+(?:limit=0x)?([0-9a-f]+),?\s+(?:base=0x)?([0-9a-f]+)/
        if let match = line.firstMatch(of: segment), let index = names.firstIndex(of: String(match.1)) {
            dump.set(VMCSFieldEncoding(area: .guestState, width: .bits16, index: UInt32(index)), UInt64(match.2, radix: 16) ?? 0)
            dump.set(
                VMCSFieldEncoding(area: .guestState, width: .bits32, index: 10 + UInt32(index)), UInt64(match.3, radix: 16) ?? 0)
            dump.set(VMCSFieldEncoding(area: .guestState, width: .bits32, index: UInt32(index)), UInt64(match.4, radix: 16) ?? 0)
            dump.set(
                VMCSFieldEncoding(area: .guestState, width: .natural, index: 3 + UInt32(index)), UInt64(match.5, radix: 16) ?? 0)
            return true
        }
        if let match = line.firstMatch(of: table) {
            let isGlobal = match.1 == "GDTR"
            dump.set(
                isGlobal ? VMCSField.guestGDTRLimit.encoding : VMCSField.guestIDTRLimit.encoding, UInt64(match.2, radix: 16) ?? 0)
            dump.set(
                isGlobal ? VMCSField.guestGDTRBase.encoding : VMCSField.guestIDTRBase.encoding, UInt64(match.3, radix: 16) ?? 0)
            return true
        }
        return false
    }

    /// In the order of their encodings.
    private static let names = ["ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"]

    /// `EFER = 0x...` and `EFER(VMCS) = 0x...` show the field; what an MSR area loads, or what KVM reckons, is another value.
    private static func readEFER(_ line: String, into dump: inout DumpedVMCS) -> Bool {
        guard let match = line.firstMatch(of: /EFER(\([A-Z ]+\))?\s*=\s*0x([0-9a-f]+)/) else { return false }
        let isField = (match.1 == nil || match.1 == "(VMCS)") && !line.contains("(autoload)") && !line.contains("(effective)")
        if isField { dump.set(VMCSField.guestEFER.encoding, UInt64(match.2, radix: 16) ?? 0) }
        if let value = value(of: "PAT", in: line) { dump.set(VMCSField.guestPAT.encoding, value) }
        return true
    }

    /// `Sysenter RSP=... CS:RIP=0010:...`.
    private static func readSysenter(
        _ line: String, _ stack: VMCSField<UInt64, Writable>, _ code: VMCSField<UInt32, Writable>,
        _ instruction: VMCSField<UInt64, Writable>, into dump: inout DumpedVMCS
    ) -> Bool {
        guard let match = line.firstMatch(of: /Sysenter RSP=([0-9a-f]+)\s+CS:RIP=([0-9a-f]+):([0-9a-f]+)/) else { return false }
        dump.set(stack.encoding, UInt64(match.1, radix: 16) ?? 0)
        dump.set(code.encoding, UInt64(match.2, radix: 16) ?? 0)
        dump.set(instruction.encoding, UInt64(match.3, radix: 16) ?? 0)
        return true
    }

    /// `SVI|RVI = 00|31`.
    private static func readInterruptStatus(_ line: String, into dump: inout DumpedVMCS) {
        guard let match = line.firstMatch(of: /SVI\|RVI = ([0-9a-f]+)\|([0-9a-f]+)/) else { return }
        let status = (UInt64(match.1, radix: 16) ?? 0) << 8 | (UInt64(match.2, radix: 16) ?? 0)
        dump.set(VMCSField.guestInterruptStatus.encoding, status)
    }
}
