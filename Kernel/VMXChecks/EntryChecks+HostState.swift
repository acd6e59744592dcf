import Memory
import VMX
import X86

extension EntryChecks {
    func checkHostRegisters() {
        let cr0 = snapshot[.hostCR0]
        let cr4 = snapshot[.hostCR4]
        require(capabilities.cr0.accepts(cr0), .hostFixedBits, .hostCR0)
        require(capabilities.cr4.accepts(cr4), .hostFixedBits, .hostCR4)
        require(!cr4.contains(.controlFlowEnforcement) || cr0.contains(.writeProtect), .hostCETNeedsWriteProtect, .hostCR4)
        require(isPageTableBase(snapshot[.hostCR3]), .hostCR3Width, .hostCR3)
        require(isCanonical(snapshot[.hostSysenterESP]), .hostRegisterCanonical, .hostSysenterESP)
        require(isCanonical(snapshot[.hostSysenterEIP]), .hostRegisterCanonical, .hostSysenterEIP)
        let controls = snapshot[.exitControls]
        if controls.contains(.loadPerformanceControl) {
            require(
                snapshot[.hostPerformanceControl] & ~circumstances.performanceControl == 0, .hostReservedBits,
                .hostPerformanceControl)
        }
        if controls.contains(.loadPAT) {
            require(PageAttributeTable(rawValue: snapshot[.hostPAT]).isValid, .hostPAT, .hostPAT)
        }
        if controls.contains(.loadEFER) {
            let features: ExtendedFeatureEnable = snapshot[.hostEFER]
            let isLong = controls.contains(.hostAddressSpaceSize)
            require(circumstances.extendedFeatures.contains(features), .hostReservedBits, .hostEFER)
            require(features.contains(.longModeActive) == isLong, .hostLMA, .hostEFER)
            require(features.contains(.longModeEnable) == isLong, .hostLME, .hostEFER)
        }
        if controls.contains(.loadCETState) {
            let table = snapshot[.hostInterruptShadowStackTable] as UInt64
            require(isSupervisorCET(snapshot[.hostSupervisorCET]), .hostSupervisorCET, .hostSupervisorCET)
            require(isCanonical(snapshot[.hostSupervisorCET]), .hostRegisterCanonical, .hostSupervisorCET)
            require(snapshot[.hostShadowStackPointer] & 3 == 0, .hostShadowStackAlignment, .hostShadowStackPointer)
            require(isCanonical(snapshot[.hostShadowStackPointer]), .hostRegisterCanonical, .hostShadowStackPointer)
            require(isCanonical(table), .hostRegisterCanonical, .hostInterruptShadowStackTable)
        }
        if controls.contains(.loadPKRS) {
            require(snapshot[.hostPKRS] >> 32 == 0, .hostPKRS, .hostPKRS)
        }
    }

    func checkHostSegments() {
        checkSelector(.hostESSelector, snapshot[.hostESSelector])
        checkSelector(.hostCSSelector, snapshot[.hostCSSelector])
        checkSelector(.hostSSSelector, snapshot[.hostSSSelector])
        checkSelector(.hostDSSelector, snapshot[.hostDSSelector])
        checkSelector(.hostFSSelector, snapshot[.hostFSSelector])
        checkSelector(.hostGSSelector, snapshot[.hostGSSelector])
        checkSelector(.hostTRSelector, snapshot[.hostTRSelector])
        require(snapshot[.hostCSSelector].rawValue != 0, .hostSelectorNotZero, .hostCSSelector)
        require(snapshot[.hostTRSelector].rawValue != 0, .hostSelectorNotZero, .hostTRSelector)
        require(
            snapshot[.exitControls].contains(.hostAddressSpaceSize) || snapshot[.hostSSSelector].rawValue != 0,
            .hostStackSelectorNotZero, .hostSSSelector)
        require(isCanonical(snapshot[.hostFSBase]), .hostBaseCanonical, .hostFSBase)
        require(isCanonical(snapshot[.hostGSBase]), .hostBaseCanonical, .hostGSBase)
        require(isCanonical(snapshot[.hostGDTRBase]), .hostBaseCanonical, .hostGDTRBase)
        require(isCanonical(snapshot[.hostIDTRBase]), .hostBaseCanonical, .hostIDTRBase)
        require(isCanonical(snapshot[.hostTRBase]), .hostBaseCanonical, .hostTRBase)
    }

    private func checkSelector(_ field: VMCSField<SegmentSelector, Writable>, _ selector: SegmentSelector) {
        require(selector.requestedPrivilegeLevel == 0 && !selector.usesLocalTable, .hostSelectorBits, field)
    }

    func checkAddressSpaceSize() {
        let cr4 = snapshot[.hostCR4]
        let pointer: UInt64 = snapshot[.hostRIP]
        if snapshot[.exitControls].contains(.hostAddressSpaceSize) {
            require(cr4.contains(.physicalAddressExtension), .hostPAE, .hostCR4)
            require(isCanonical(pointer), .hostRIPCanonical, .hostRIP)
        } else {
            require(false, .hostAddressSpaceSize, .exitControls)
            require(!entersIA32e, .ia32eModeGuestNeedsHost, .entryControls)
            require(!cr4.contains(.processContextIdentifiers), .hostPCIDs, .hostCR4)
            require(pointer >> 32 == 0, .hostRIPHighBits, .hostRIP)
        }
    }
}
