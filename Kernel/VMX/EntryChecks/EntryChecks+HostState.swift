import Memory
import X86

extension EntryChecks {
    func checkHostRegisters(_ report: Report) {
        func check(_ holds: Bool, _ field: VMCSField<some VMCSValue, Writable>, _ rule: StaticString) {
            require(holds, field, .hostRegisters, rule, report)
        }
        let cr0 = snapshot[.hostCR0]
        let cr4 = snapshot[.hostCR4]
        check(capabilities.cr0.accepts(cr0), .hostCR0, "must have the bits that VMX operation fixes")
        check(capabilities.cr4.accepts(cr4), .hostCR4, "must have the bits that VMX operation fixes")
        check(
            !cr4.contains(.controlFlowEnforcement) || cr0.contains(.writeProtect), .hostCR4, "CR4.CET needs CR0.WP")
        check(isPageTableBase(snapshot[.hostCR3]), .hostCR3, "bits beyond the physical-address width must be 0")
        check(isCanonical(snapshot[.hostSysenterESP]), .hostSysenterESP, "must be canonical")
        check(isCanonical(snapshot[.hostSysenterEIP]), .hostSysenterEIP, "must be canonical")
        let controls = snapshot[.exitControls]
        if controls.contains(.loadPerformanceControl) {
            check(
                snapshot[.hostPerformanceControl] & ~circumstances.performanceControl == 0, .hostPerformanceControl,
                "reserved bits must be 0")
        }
        if controls.contains(.loadPAT) {
            check(isPageAttributeTable(snapshot[.hostPAT]), .hostPAT, "each byte must be 0, 1, 4, 5, 6 or 7")
        }
        if controls.contains(.loadEFER) {
            let features: ExtendedFeatureEnable = snapshot[.hostEFER]
            let isLong = controls.contains(.hostAddressSpaceSize)
            check(circumstances.extendedFeatures.contains(features), .hostEFER, "reserved bits must be 0")
            check(
                features.contains(.longModeActive) == isLong, .hostEFER, "LMA must equal \"host address-space size\"")
            check(
                features.contains(.longModeEnable) == isLong, .hostEFER, "LME must equal \"host address-space size\"")
        }
        if controls.contains(.loadCETState) {
            let table = snapshot[.hostInterruptShadowStackTable] as UInt64
            check(isSupervisorCET(snapshot[.hostSupervisorCET]), .hostSupervisorCET, "bits 9:6 must be 0, and bits 11:10 not both 1")
            check(isCanonical(snapshot[.hostSupervisorCET]), .hostSupervisorCET, "must be canonical")
            check(snapshot[.hostShadowStackPointer] & 3 == 0, .hostShadowStackPointer, "bits 1:0 must be 0")
            check(isCanonical(snapshot[.hostShadowStackPointer]), .hostShadowStackPointer, "must be canonical")
            check(isCanonical(table), .hostInterruptShadowStackTable, "must be canonical")
        }
        if controls.contains(.loadPKRS) {
            check(snapshot[.hostPKRS] >> 32 == 0, .hostPKRS, "bits 63:32 must be 0")
        }
    }

    func checkHostSegments(_ report: Report) {
        func check(_ holds: Bool, _ field: VMCSField<some VMCSValue, Writable>, _ rule: StaticString) {
            require(holds, field, .hostSegments, rule, report)
        }
        func checkSelector(_ field: VMCSField<SegmentSelector, Writable>, _ selector: SegmentSelector) {
            check(
                selector.requestedPrivilegeLevel == 0 && !selector.usesLocalTable, field,
                "privilege level (bits 1:0) and table indicator (bit 2) must be 0")
        }
        checkSelector(.hostESSelector, snapshot[.hostESSelector])
        checkSelector(.hostCSSelector, snapshot[.hostCSSelector])
        checkSelector(.hostSSSelector, snapshot[.hostSSSelector])
        checkSelector(.hostDSSelector, snapshot[.hostDSSelector])
        checkSelector(.hostFSSelector, snapshot[.hostFSSelector])
        checkSelector(.hostGSSelector, snapshot[.hostGSSelector])
        checkSelector(.hostTRSelector, snapshot[.hostTRSelector])
        check(snapshot[.hostCSSelector].rawValue != 0, .hostCSSelector, "must not be 0")
        check(snapshot[.hostTRSelector].rawValue != 0, .hostTRSelector, "must not be 0")
        check(
            snapshot[.exitControls].contains(.hostAddressSpaceSize) || snapshot[.hostSSSelector].rawValue != 0,
            .hostSSSelector, "must not be 0 without \"host address-space size\"")
        check(isCanonical(snapshot[.hostFSBase]), .hostFSBase, "must be canonical")
        check(isCanonical(snapshot[.hostGSBase]), .hostGSBase, "must be canonical")
        check(isCanonical(snapshot[.hostGDTRBase]), .hostGDTRBase, "must be canonical")
        check(isCanonical(snapshot[.hostIDTRBase]), .hostIDTRBase, "must be canonical")
        check(isCanonical(snapshot[.hostTRBase]), .hostTRBase, "must be canonical")
    }

    func checkAddressSpaceSize(_ report: Report) {
        func check(_ holds: Bool, _ field: VMCSField<some VMCSValue, Writable>, _ rule: StaticString) {
            require(holds, field, .addressSpaceSize, rule, report)
        }
        let cr4 = snapshot[.hostCR4]
        let pointer: UInt64 = snapshot[.hostRIP]
        if snapshot[.exitControls].contains(.hostAddressSpaceSize) {
            check(cr4.contains(.physicalAddressExtension), .hostCR4, "PAE must be 1 with \"host address-space size\"")
            check(isCanonical(pointer), .hostRIP, "must be canonical")
        } else {
            check(false, .exitControls, "\"host address-space size\" must be 1 when entering from IA-32e mode")
            check(!entersIA32e, .entryControls, "\"IA-32e mode guest\" needs \"host address-space size\"")
            check(
                !cr4.contains(.processContextIdentifiers), .hostCR4, "PCIDE must be 0 without \"host address-space size\"")
            check(pointer >> 32 == 0, .hostRIP, "bits 63:32 must be 0 without \"host address-space size\"")
        }
    }
}
