import Memory
import VMX
import X86

extension EntryChecks {
    func checkGuestRegisters() {
        checkGuestControlRegisters()
        checkGuestDebugRegisters()
        checkGuestModelSpecificRegisters()
        checkGuestExtendedFeatures()
        checkGuestShadowStackRegisters()
    }

    private func checkGuestControlRegisters() {
        let cr0 = snapshot[.guestCR0]
        let cr4 = snapshot[.guestCR4]
        require(
            capabilities.cr0.accepts(cr0, exempt: isUnrestricted ? .protectionEnable | .paging : .none), .guestFixedBits,
            .guestCR0)
        require(!cr0.contains(.paging) || cr0.contains(.protectionEnable), .pagingNeedsProtection, .guestCR0)
        require(capabilities.cr4.accepts(cr4), .guestFixedBits, .guestCR4)
        require(!cr4.contains(.controlFlowEnforcement) || cr0.contains(.writeProtect), .guestCETNeedsWriteProtect, .guestCR4)
        require(!entersIA32e || cr0.contains(.paging), .longModeNeedsPaging, .guestCR0)
        require(!entersIA32e || cr4.contains(.physicalAddressExtension), .longModeNeedsPAE, .guestCR4)
        require(entersIA32e || !cr4.contains(.processContextIdentifiers), .pcidsNeedLongMode, .guestCR4)
        require(isPageTableBase(snapshot[.guestCR3]), .guestCR3Width, .guestCR3)
    }

    private func checkGuestDebugRegisters() {
        guard snapshot[.entryControls].contains(.loadDebugControls) else { return }
        require(snapshot[.guestDebugControl] & ~circumstances.debugControl == 0, .guestReservedBits, .guestDebugControl)
        require(snapshot[.guestDR7] >> 32 == 0, .guestHighBits, .guestDR7)
    }

    private func checkGuestModelSpecificRegisters() {
        let controls = snapshot[.entryControls]
        require(isCanonical(snapshot[.guestSysenterESP]), .guestRegisterCanonical, .guestSysenterESP)
        require(isCanonical(snapshot[.guestSysenterEIP]), .guestRegisterCanonical, .guestSysenterEIP)
        if controls.contains(.loadPerformanceControl) {
            require(
                snapshot[.guestPerformanceControl] & ~circumstances.performanceControl == 0, .guestReservedBits,
                .guestPerformanceControl)
        }
        if controls.contains(.loadPAT) {
            require(PageAttributeTable(rawValue: snapshot[.guestPAT]).isValid, .guestPAT, .guestPAT)
        }
        if controls.contains(.loadBoundConfiguration) {
            let bounds: UInt64 = snapshot[.guestBoundConfiguration]
            require(bounds & 0xFFC == 0, .boundConfigurationBits, .guestBoundConfiguration)
            require(isCanonical(bounds & ~0xFFF), .boundConfigurationCanonical, .guestBoundConfiguration)
        }
        if controls.contains(.loadLastBranchControl) {
            // LBREn, OS, USR, CALL_STACK, and the seven kinds of branches.
            require(snapshot[.guestLastBranchControl] & ~0x7F_000F == 0, .guestReservedBits, .guestLastBranchControl)
        }
        if controls.contains(.loadPKRS) {
            require(snapshot[.guestPKRS] >> 32 == 0, .guestHighBits, .guestPKRS)
        }
    }

    private func checkGuestExtendedFeatures() {
        guard snapshot[.entryControls].contains(.loadEFER) else { return }
        let features: ExtendedFeatureEnable = snapshot[.guestEFER]
        let isActive = features.contains(.longModeActive)
        require(circumstances.extendedFeatures.contains(features), .guestReservedBits, .guestEFER)
        require(isActive == entersIA32e, .guestLMA, .guestEFER)
        require(
            !snapshot[.guestCR0].contains(.paging) || isActive == features.contains(.longModeEnable), .guestLMEWithPaging,
            .guestEFER)
    }

    private func checkGuestShadowStackRegisters() {
        guard snapshot[.entryControls].contains(.loadCETState) else { return }
        require(isSupervisorCET(snapshot[.guestSupervisorCET]), .guestSupervisorCET, .guestSupervisorCET)
        require(isCanonical(snapshot[.guestSupervisorCET]), .guestRegisterCanonical, .guestSupervisorCET)
        require(
            isCanonical(snapshot[.guestInterruptShadowStackTable]), .guestRegisterCanonical, .guestInterruptShadowStackTable)
    }
}
