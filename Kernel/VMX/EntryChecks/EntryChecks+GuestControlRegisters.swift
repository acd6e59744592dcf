import Memory
import X86

extension EntryChecks {
    func checkGuestRegisters(_ report: Report) {
        checkGuestControlRegisters(report)
        checkGuestDebugRegisters(report)
        checkGuestModelSpecificRegisters(report)
        checkGuestExtendedFeatures(report)
        checkGuestShadowStackRegisters(report)
    }

    private func check(
        _ holds: Bool, _ field: VMCSField<some VMCSValue, Writable>, _ rule: StaticString, _ report: Report
    ) {
        require(holds, field, .guestRegisters, rule, report)
    }

    private func checkGuestControlRegisters(_ report: Report) {
        let cr0 = snapshot[.guestCR0]
        let cr4 = snapshot[.guestCR4]
        check(
            capabilities.cr0.accepts(cr0, exempt: isUnrestricted ? .protectionEnable | .paging : .none), .guestCR0,
            "must have the bits that VMX operation fixes", report)
        check(!cr0.contains(.paging) || cr0.contains(.protectionEnable), .guestCR0, "PG needs PE", report)
        check(capabilities.cr4.accepts(cr4), .guestCR4, "must have the bits that VMX operation fixes", report)
        check(
            !cr4.contains(.controlFlowEnforcement) || cr0.contains(.writeProtect), .guestCR4, "CR4.CET needs CR0.WP", report)
        check(!entersIA32e || cr0.contains(.paging), .guestCR0, "PG must be 1 with \"IA-32e mode guest\"", report)
        check(
            !entersIA32e || cr4.contains(.physicalAddressExtension), .guestCR4, "PAE must be 1 with \"IA-32e mode guest\"",
            report)
        check(
            entersIA32e || !cr4.contains(.processContextIdentifiers), .guestCR4,
            "PCIDE must be 0 without \"IA-32e mode guest\"", report)
        check(
            isPageTableBase(snapshot[.guestCR3]), .guestCR3, "bits beyond the physical-address width must be 0", report)
    }

    private func checkGuestDebugRegisters(_ report: Report) {
        guard snapshot[.entryControls].contains(.loadDebugControls) else { return }
        check(
            snapshot[.guestDebugControl] & ~circumstances.debugControl == 0, .guestDebugControl, "reserved bits must be 0",
            report)
        check(snapshot[.guestDR7] >> 32 == 0, .guestDR7, "bits 63:32 must be 0", report)
    }

    private func checkGuestModelSpecificRegisters(_ report: Report) {
        let controls = snapshot[.entryControls]
        check(isCanonical(snapshot[.guestSysenterESP]), .guestSysenterESP, "must be canonical", report)
        check(isCanonical(snapshot[.guestSysenterEIP]), .guestSysenterEIP, "must be canonical", report)
        if controls.contains(.loadPerformanceControl) {
            check(
                snapshot[.guestPerformanceControl] & ~circumstances.performanceControl == 0, .guestPerformanceControl,
                "reserved bits must be 0", report)
        }
        if controls.contains(.loadPAT) {
            check(isPageAttributeTable(snapshot[.guestPAT]), .guestPAT, "each byte must be 0, 1, 4, 5, 6 or 7", report)
        }
        if controls.contains(.loadBoundConfiguration) {
            let bounds: UInt64 = snapshot[.guestBoundConfiguration]
            check(bounds & 0xFFC == 0, .guestBoundConfiguration, "bits 11:2 must be 0", report)
            check(isCanonical(bounds & ~0xFFF), .guestBoundConfiguration, "bits 63:12 must be a canonical address", report)
        }
        if controls.contains(.loadLastBranchControl) {
            // LBREn, OS, USR, CALL_STACK, and the seven kinds of branches.
            check(
                snapshot[.guestLastBranchControl] & ~0x7F_000F == 0, .guestLastBranchControl, "reserved bits must be 0",
                report)
        }
        if controls.contains(.loadPKRS) {
            check(snapshot[.guestPKRS] >> 32 == 0, .guestPKRS, "bits 63:32 must be 0", report)
        }
    }

    private func checkGuestExtendedFeatures(_ report: Report) {
        guard snapshot[.entryControls].contains(.loadEFER) else { return }
        let features: ExtendedFeatureEnable = snapshot[.guestEFER]
        let isActive = features.contains(.longModeActive)
        check(circumstances.extendedFeatures.contains(features), .guestEFER, "reserved bits must be 0", report)
        check(isActive == entersIA32e, .guestEFER, "LMA must equal \"IA-32e mode guest\"", report)
        check(
            !snapshot[.guestCR0].contains(.paging) || isActive == features.contains(.longModeEnable), .guestEFER,
            "LMA must equal LME while CR0.PG is 1", report)
    }

    private func checkGuestShadowStackRegisters(_ report: Report) {
        guard snapshot[.entryControls].contains(.loadCETState) else { return }
        check(
            isSupervisorCET(snapshot[.guestSupervisorCET]), .guestSupervisorCET,
            "bits 9:6 must be 0, and bits 11:10 not both 1", report)
        check(isCanonical(snapshot[.guestSupervisorCET]), .guestSupervisorCET, "must be canonical", report)
        check(
            isCanonical(snapshot[.guestInterruptShadowStackTable]), .guestInterruptShadowStackTable, "must be canonical",
            report)
    }
}
