import EntryProof
import Memory
import Support
import VMX
import X86

private let canonical = "must be canonical"
private let fixed = "must have the bits that VMX operation fixes"
private let hole: UInt64 = 1 << 62

/// Rules about the guest's registers, but for its segments.
let guestRegisterBreaks: [EntryBreak] = [
    .init(.long64, .guestCR0, fixed) { $0.snapshot[.guestCR0].rawValue &= ~0x20 },
    .init(.long64User, .guestCR0, fixed, with: [finding(.guestCR0, "PG must be 1 with \"IA-32e mode guest\"")]) {
        $0.snapshot[.guestCR0] = $0.snapshot[.guestCR0].subtracting(.paging)
    },
    .init(.long64, .guestCR0, fixed) { $0.snapshot[.guestCR0].rawValue |= 1 << 32 },
    .init(.real, .guestCR0, "PG needs PE") { $0.snapshot[.guestCR0] = $0.snapshot[.guestCR0] | .paging },
    .init(.long64, .guestCR4, fixed) { $0.snapshot[.guestCR4].rawValue |= 1 << 11 },
    .init(.long64, .guestCR4, "CR4.CET needs CR0.WP") {
        $0.snapshot[.guestCR4] = $0.snapshot[.guestCR4] | .controlFlowEnforcement
        $0.snapshot[.guestCR0] = $0.snapshot[.guestCR0].subtracting(.writeProtect)
    },
    .init(.long64, .guestCR0, "PG must be 1 with \"IA-32e mode guest\"") {
        $0.snapshot[.guestCR0] = $0.snapshot[.guestCR0].subtracting(.paging)
    },
    .init(.long64, .guestCR4, "PAE must be 1 with \"IA-32e mode guest\"") {
        $0.snapshot[.guestCR4] = $0.snapshot[.guestCR4].subtracting(.physicalAddressExtension)
    },
    .init(.real, .guestCR4, "PCIDE must be 0 without \"IA-32e mode guest\"") {
        $0.snapshot[.guestCR4] = $0.snapshot[.guestCR4] | .processContextIdentifiers
    },
    .init(.long64, .guestCR3, "bits beyond the physical-address width must be 0") { $0.snapshot[.guestCR3] = 1 << 39 },
    .init(.long64, .guestDebugControl, "reserved bits must be 0") { $0.snapshot[.guestDebugControl] = 1 << 4 },
    .init(.long64, .guestDR7, "bits 63:32 must be 0") { $0.snapshot[.guestDR7] = 1 << 32 | 0x400 },
    .init(.long64, .guestSysenterESP, canonical) { $0.snapshot[.guestSysenterESP] = hole },
    .init(.long64, .guestSysenterEIP, canonical) { $0.snapshot[.guestSysenterEIP] = hole },
    .init(.features, .guestPerformanceControl, "reserved bits must be 0") {
        $0.snapshot[.guestPerformanceControl] = 1 << 35
    },
    .init(.long64, .guestPAT, "each byte must be 0, 1, 4, 5, 6 or 7") { $0.snapshot[.guestPAT] = 3 << 8 },
    .init(.features, .guestBoundConfiguration, "bits 11:2 must be 0") { $0.snapshot[.guestBoundConfiguration] = 4 },
    .init(.features, .guestBoundConfiguration, "bits 63:12 must be a canonical address") {
        $0.snapshot[.guestBoundConfiguration] = hole
    },
    .init(.features, .guestLastBranchControl, "reserved bits must be 0") { $0.snapshot[.guestLastBranchControl] = 0x10 },
    .init(.features, .guestPKRS, "bits 63:32 must be 0") { $0.snapshot[.guestPKRS] = 1 << 63 },
    .init(.long64, .guestEFER, "reserved bits must be 0") { $0.snapshot[.guestEFER].rawValue |= 2 },
    .init(.long64, .guestEFER, "LMA must equal \"IA-32e mode guest\"") { $0.snapshot[.guestEFER] = .executeDisable },
    .init(.long64, .guestEFER, "LMA must equal LME while CR0.PG is 1") {
        $0.snapshot[.guestEFER] = $0.snapshot[.guestEFER].subtracting(.longModeEnable)
    },
    .init(.features, .guestSupervisorCET, "bits 9:6 must be 0, and bits 11:10 not both 1") {
        $0.snapshot[.guestSupervisorCET] = 0x40
    },
    .init(.features, .guestSupervisorCET, canonical) { $0.snapshot[.guestSupervisorCET] = hole },
    .init(.features, .guestInterruptShadowStackTable, canonical) { $0.snapshot[.guestInterruptShadowStackTable] = hole },
    .init(.long64, .guestGDTRBase, canonical) { $0.snapshot[.guestGDTRBase] = hole },
    .init(.long64, .guestIDTRBase, canonical) { $0.snapshot[.guestIDTRBase] = hole },
    .init(.long64, .guestGDTRLimit, "bits 31:16 must be 0") { $0.snapshot[.guestGDTRLimit] = 0x1_0000 },
    .init(.long64, .guestIDTRLimit, "bits 31:16 must be 0") { $0.snapshot[.guestIDTRLimit] = 0x1_0000 },
    .init(.real, .guestRIP, "bits 63:32 must be 0 outside 64-bit mode") { $0.snapshot[.guestRIP] = 1 << 32 },
    .init(.long64, .guestRIP, "bits beyond the linear-address width must be identical, in 64-bit mode") {
        $0.snapshot[.guestRIP] = 1 << 48
    },
    .init(.features, .guestShadowStackPointer, "bits 1:0 must be 0") { $0.snapshot[.guestShadowStackPointer] = 1 },
    .init(
        .features, .guestShadowStackPointer, "bits beyond the linear-address width must be identical"
    ) { $0.snapshot[.guestShadowStackPointer] = hole },
    .init(.long64, .guestRFLAGS, "bits 63:22, 15, 5 and 3 must be 0") { $0.snapshot[.guestRFLAGS].rawValue |= 8 },
    .init(.long64, .guestRFLAGS, "bit 1 must be 1") { $0.snapshot[.guestRFLAGS] = .none },
    .init(.virtual8086, .guestRFLAGS, "VM must be 0 with \"IA-32e mode guest\"") {
        $0.snapshot[.entryControls] = $0.snapshot[.entryControls] | .ia32eModeGuest
        $0.snapshot[.guestEFER] = .longModeEnable | .longModeActive
        $0.snapshot[.guestCR4] = $0.snapshot[.guestCR4] | .physicalAddressExtension
    },
    .init(.virtual8086, .guestRFLAGS, "VM must be 0 when CR0.PE is 0") {
        $0.add(.unrestrictedGuest)
        $0.snapshot[.guestCR0] = $0.snapshot[.guestCR0].subtracting(.protectionEnable | .paging)
    },
    .init(.interrupt, .guestRFLAGS, "IF must be 1 to inject an external interrupt") { $0.snapshot[.guestRFLAGS] = .alwaysSet },
]

/// Rules about the guest's segments.
let guestSegmentBreaks: [EntryBreak] =
    [
        .init(.long64, .guestTRSelector, "the table indicator (bit 2) must be 0") {
            $0.snapshot[.guestTRSelector] = .init(rawValue: 0x1C)
        },
        .init(.pageDirectoryPointers, .guestLDTRSelector, "the table indicator (bit 2) must be 0") {
            $0.snapshot[.guestLDTRSelector] = .init(rawValue: 0x2C)
        },
        .init(.long64User, .guestSSSelector, "the privilege level (bits 1:0) must equal that of CS") {
            $0.snapshot[.guestCSSelector] = .init(rawValue: 0x18)
        },
        .init(.long64, .guestFSBase, canonical) { $0.snapshot[.guestFSBase] = hole },
        .init(.long64, .guestGSBase, canonical) { $0.snapshot[.guestGSBase] = hole },
        .init(.long64, .guestTRBase, canonical) { $0.snapshot[.guestTRBase] = hole },
        .init(.pageDirectoryPointers, .guestLDTRBase, canonical) { $0.snapshot[.guestLDTRBase] = hole },
        .init(.pageDirectoryPointers, .guestCSAccessRights, "the type must be 9, 11, 13 or 15") {
            $0.snapshot[.guestCSAccessRights].rawValue &= ~1
        },
        .init(.long64, .guestCSAccessRights, "the type must be 3, 9, 11, 13 or 15") {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA091)
        },
        .init(.long64, .guestCSAccessRights, "type 3 needs DPL 0") {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA0F3)
        },
        .init(.long64, .guestCSAccessRights, "types 9 and 11 need DPL equal to SS.DPL") {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA0F9)
        },
        .init(.long64, .guestCSAccessRights, "types 13 and 15 need DPL up to SS.DPL") {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA0BD)
        },
        .init(.long64, .guestCSAccessRights, "D (bit 14) must be 0 for 64-bit code (L)") {
            $0.snapshot[.guestCSAccessRights].rawValue |= 0x4000
        },
        .init(.long64, .guestSSAccessRights, "the type must be 3 or 7") {
            $0.snapshot[.guestSSAccessRights] = .init(rawValue: 0xC091)
        },
        .init(.long64User, .guestSSAccessRights, "DPL must equal the selector's privilege level") {
            $0.snapshot[.guestSSAccessRights] = .init(rawValue: 0xC0D3)
        },
        .init(.long64, .guestSSAccessRights, "DPL must be 0 when the type of CS is 3") {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0xA093)
            $0.snapshot[.guestSSAccessRights] = .init(rawValue: 0xC0B3)
        },
        .init(.real, .guestSSAccessRights, "DPL must be 0 when CR0.PE is 0") {
            $0.snapshot[.guestCSAccessRights] = .init(rawValue: 0x9F)
            $0.snapshot[.guestSSAccessRights] = .init(rawValue: 0xF3)
        },
        .init(.long64, .guestTRAccessRights, "must be usable (bit 16)") {
            $0.snapshot[.guestTRAccessRights].rawValue |= 1 << 16
        },
        .init(.long64, .guestTRAccessRights, "the type must be 11, a busy 64-bit task") {
            $0.snapshot[.guestTRAccessRights] = .init(rawValue: 0x83)
        },
        .init(.pageDirectoryPointers, .guestTRAccessRights, "the type must be 3 or 11, a busy task") {
            $0.snapshot[.guestTRAccessRights] = .init(rawValue: 0x89)
        },
        .init(.pageDirectoryPointers, .guestLDTRAccessRights, "the type must be 2, a local descriptor table") {
            $0.snapshot[.guestLDTRAccessRights] = .init(rawValue: 0x8B)
        },
        .init(.long64, .guestTRAccessRights, "S (bit 4) must be 0") { $0.snapshot[.guestTRAccessRights].rawValue |= 0x10 },
        .init(.pageDirectoryPointers, .guestLDTRAccessRights, "S (bit 4) must be 0") {
            $0.snapshot[.guestLDTRAccessRights].rawValue |= 0x10
        },
    ] + (UInt32(0)..<8).flatMap(breaksOfEvery) + [UInt32(0), 3, 4, 5].flatMap(dataBreaks)
    + (UInt32(0)..<6).flatMap(virtual8086Breaks)

/// Rules that hold for every usable segment, by its number.
private func breaksOfEvery(_ index: UInt32) -> [EntryBreak] {
    let rights = VMCSField<SegmentAccessRights, Writable>.accessRights(index)
    let limit = VMCSField<UInt32, Writable>.limit(index)
    let base = VMCSField<UInt64, Writable>.base(index)
    var breaks: [EntryBreak] = [
        .init(.pageDirectoryPointers, rights, "P (bit 7) must be 1") { $0.snapshot[rights].rawValue &= ~0x80 },
        .init(.pageDirectoryPointers, rights, "bits 11:8 and 31:17 must be 0") { $0.snapshot[rights].rawValue |= 0x400 },
        .init(.pageDirectoryPointers, rights, "bits 11:8 and 31:17 must be 0") { $0.snapshot[rights].rawValue |= 1 << 17 },
        .init(.pageDirectoryPointers, rights, "G (bit 15) must be 0 for a limit whose bits 11:0 are not all 1") {
            $0.snapshot[limit] = 0xFFFF_FFFE
            $0.snapshot[rights].rawValue |= 0x8000
        },
        .init(.pageDirectoryPointers, rights, "G (bit 15) must be 1 for a limit that has any of bits 31:20") {
            $0.snapshot[limit] = 0x10_0FFF
            $0.snapshot[rights].rawValue &= ~0x8000
        },
    ]
    if index < 6 {
        breaks.append(
            .init(.pageDirectoryPointers, rights, "S (bit 4) must be 1") { $0.snapshot[rights].rawValue &= ~0x10 })
    }
    if index < 4 {
        breaks.append(.init(.pageDirectoryPointers, base, "bits 63:32 must be 0") { $0.snapshot[base] = 1 << 32 })
    }
    return breaks
}

/// Rules of DS, ES, FS and GS.
private func dataBreaks(_ index: UInt32) -> [EntryBreak] {
    let rights = VMCSField<SegmentAccessRights, Writable>.accessRights(index)
    return [
        .init(.pageDirectoryPointers, rights, "the type must be accessed (bit 0)") { $0.snapshot[rights].rawValue &= ~1 },
        .init(.pageDirectoryPointers, rights, "a code segment's type must be readable (bit 1)") {
            $0.snapshot[rights].rawValue = $0.snapshot[rights].rawValue & ~15 | 9
        },
        .init(.pageDirectoryPointers, rights, "DPL must not be below the selector's privilege level") {
            $0.snapshot[rights].rawValue &= ~0x60
        },
    ]
}

private func virtual8086Breaks(_ index: UInt32) -> [EntryBreak] {
    let rights = VMCSField<SegmentAccessRights, Writable>.accessRights(index)
    let limit = VMCSField<UInt32, Writable>.limit(index)
    let base = VMCSField<UInt64, Writable>.base(index)
    return [
        .init(.virtual8086, base, "must be the selector times 16 in virtual-8086 mode") { $0.snapshot[base] = 0x1231 },
        .init(.virtual8086, limit, "must be 0xffff in virtual-8086 mode") { $0.snapshot[limit] = 0xFFFE },
        .init(.virtual8086, rights, "must be 0xf3 in virtual-8086 mode") { $0.snapshot[rights].rawValue ^= 8 },
    ]
}

private func finding<Value>(_ field: VMCSField<Value, Writable>, _ rule: String) -> EntryBreak.Finding {
    .init(field: field.encoding.rawValue, rule: rule)
}

private let linkRule = "must point to a shadow VMCS with \"VMCS shadowing\", and to an ordinary one without"
private let entryRule = "a present entry's bits 2:1, 8:5 and those beyond the physical-address width must be 0"

/// Rules about the guest's non-register state, and its page-directory pointers.
let guestStateBreaks: [EntryBreak] = [
    .init(.long64, .guestActivityState, "must be a state that the processor offers") {
        $0.snapshot[.guestActivityState] = .init(rawValue: 4)
    },
    .init(
        .long64, .guestActivityState, "must be a state that the processor offers",
        on: .skylakeX.replacing([0x485: 0x7004_C160])
    ) { $0.snapshot[.guestActivityState] = .shutdown },
    .init(.long64User, .guestActivityState, "HLT needs SS.DPL 0") { $0.snapshot[.guestActivityState] = .halted },
    .init(.blocking, .guestActivityState, "must be active (0) with blocking by STI or by MOV SS") {
        $0.snapshot[.guestActivityState] = .halted
    },
    .init(
        .softwareInterrupt, .guestActivityState,
        "HLT allows the injection of interrupts, NMIs, #DB, #MC and a pending MTF exit only"
    ) { $0.snapshot[.guestActivityState] = .halted },
    .init(.interrupt, .guestActivityState, "shutdown allows the injection of NMIs and #MC only") {
        $0.snapshot[.guestActivityState] = .shutdown
    },
    .init(.nonMaskableInterrupt, .guestActivityState, "wait-for-SIPI allows no injection") {
        $0.snapshot[.guestActivityState] = .waitForStartupIPI
    },
    .init(.long64, .guestInterruptibility, "bits 31:5 must be 0") {
        $0.snapshot[.guestInterruptibility] = .init(rawValue: 1 << 5)
    },
    .init(.blocking, .guestInterruptibility, "blocking by STI and by MOV SS must not both be 1") {
        $0.snapshot[.guestInterruptibility] = .blockingBySTI | .blockingByMovSS
    },
    .init(.blocking, .guestInterruptibility, "blocking by STI must be 0 when RFLAGS.IF is 0") {
        $0.snapshot[.guestRFLAGS] = .alwaysSet | .trap
    },
    .init(
        .interrupt, .guestInterruptibility, "blocking by STI and by MOV SS must be 0 to inject an external interrupt"
    ) { $0.snapshot[.guestInterruptibility] = .blockingByMovSS },
    .init(.long64, .guestInterruptibility, "blocking by SMI must be 0 outside system-management mode") {
        $0.snapshot[.guestInterruptibility] = .blockingBySMI
    },
    .init(.long64, .guestInterruptibility, "enclave interruption and blocking by MOV SS must not both be 1") {
        $0.snapshot[.guestInterruptibility] = .enclaveInterruption | .blockingByMovSS
    },
    .init(.long64, .guestInterruptibility, "enclave interruption needs a processor with SGX") {
        $0.circumstances.hasEnclaves = false
        $0.snapshot[.guestInterruptibility] = .enclaveInterruption
    },
    .init(.nonMaskableInterrupt, .guestInterruptibility, "blocking by MOV SS must be 0 to inject an NMI") {
        $0.snapshot[.guestInterruptibility] = .blockingByMovSS
    },
    .init(.nonMaskableInterrupt, .guestInterruptibility, "blocking by STI must be 0 to inject an NMI") {
        $0.snapshot[.guestInterruptibility] = .blockingBySTI
    },
    .init(
        .nonMaskableInterrupt, .guestInterruptibility,
        "blocking by NMI must be 0 to inject an NMI with \"virtual NMIs\""
    ) { $0.snapshot[.guestInterruptibility] = .blockingByNMI },
    .init(.long64, .guestPendingDebugExceptions, "bits 63:17, 15, 13 and 11:4 must be 0") {
        $0.snapshot[.guestPendingDebugExceptions] = .init(rawValue: 1 << 63)
    },
    .init(
        .blocking, .guestPendingDebugExceptions,
        "BS must be 1 when RFLAGS.TF is 1, BTF is 0 and the guest is halted or blocked by STI or MOV SS"
    ) { $0.snapshot[.guestPendingDebugExceptions] = .none },
    .init(
        .halted, .guestPendingDebugExceptions,
        "BS must be 0 when RFLAGS.TF is 0 or BTF is 1 and the guest is halted or blocked by STI or MOV SS"
    ) { $0.snapshot[.guestPendingDebugExceptions] = .singleStep },
    .init(
        .blocking, .guestPendingDebugExceptions,
        "BS must be 0 when RFLAGS.TF is 0 or BTF is 1 and the guest is halted or blocked by STI or MOV SS"
    ) { $0.snapshot[.guestDebugControl] = 2 },
    .init(.long64, .guestPendingDebugExceptions, "RTM (bit 16) needs a processor with RTM") {
        $0.circumstances.hasTransactions = false
        $0.snapshot[.guestPendingDebugExceptions] = .transactional | .enabledBreakpoint
    },
    .init(.long64, .guestPendingDebugExceptions, "RTM (bit 16) needs bit 12 and no other") {
        $0.snapshot[.guestPendingDebugExceptions] = .transactional
    },
    .init(.long64, .guestPendingDebugExceptions, "RTM (bit 16) must be 0 with blocking by MOV SS") {
        $0.snapshot[.guestPendingDebugExceptions] = .transactional | .enabledBreakpoint
        $0.snapshot[.guestInterruptibility] = .blockingByMovSS
    },
    .init(.long64, .linkPointer, "must be the physical address of a page, or all ones") {
        $0.snapshot[.linkPointer] = .init(0x20_9800)
    },
    .init(.long64, .linkPointer, "must point to a VMCS of this processor's revision") {
        $0.snapshot[.linkPointer] = EntryFixture.pages.shadowVMCS
        $0.circumstances.linkTarget = 2
    },
    .init(.long64, .linkPointer, linkRule) {
        $0.snapshot[.linkPointer] = EntryFixture.pages.shadowVMCS
        $0.circumstances.linkTarget = 1 << 31 | 1
    },
    .init(.features, .linkPointer, linkRule) { $0.circumstances.linkTarget = 1 },
    .init(.long64, .linkPointer, "must not be the current VMCS") { $0.snapshot[.linkPointer] = .init(0x20_A000) },
    .init(.pageDirectoryPointers, .guestPDPTE0, entryRule) { $0.snapshot[.guestPDPTE0] |= 2 },
    .init(.pageDirectoryPointers, .guestPDPTE1, entryRule) { $0.snapshot[.guestPDPTE1] |= 1 << 39 },
    .init(.pageDirectoryPointers, .guestPDPTE2, entryRule) { $0.snapshot[.guestPDPTE2] = 0x21 },
    .init(.pageDirectoryPointers, .guestPDPTE3, entryRule) { $0.snapshot[.guestPDPTE3] = 0x101 },
    .init(.pageDirectoryPointers, .guestCR3, entryRule) {
        $0.remove(.enableEPT)
        $0.circumstances.pageDirectoryPointers = [0, 0x20_0001, 5, 0]
    },
]
