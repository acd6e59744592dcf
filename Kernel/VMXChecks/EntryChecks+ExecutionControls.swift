import Memory
import VMX
import X86

extension EntryChecks {
    func checkExecutionControls() {
        checkControlBits()
        checkBitmaps()
        checkVirtualAPIC()
        checkNonMaskableInterrupts()
        checkPostedInterrupts()
        checkNestedPaging()
        checkFunctionsAndScaling()
    }

    private func checkControlBits() {
        let pin = snapshot[.pinControls]
        let primary = snapshot[.primaryControls]
        require(pin.contains(capabilities.pin.required), .executionRequiredBits, .pinControls)
        require(capabilities.pin.allowed.contains(pin), .executionOfferedBits, .pinControls)
        require(primary.contains(capabilities.primary.required), .executionRequiredBits, .primaryControls)
        require(capabilities.primary.allowed.contains(primary), .executionOfferedBits, .primaryControls)
        require(
            !primary.contains(.activateSecondaryControls) || secondary.contains(capabilities.secondary.required),
            .executionRequiredBits, .secondaryControls)
        require(capabilities.secondary.allowed.contains(secondary), .executionOfferedBits, .secondaryControls)
        require(snapshot[.cr3TargetCount] <= capabilities.miscellaneous.cr3TargetCount, .cr3TargetCount, .cr3TargetCount)
    }

    private func checkBitmaps() {
        let primary = snapshot[.primaryControls]
        let usesPorts = primary.contains(.useIOBitmaps)
        require(!usesPorts || isPage(snapshot[.ioBitmapA]), .executionPage, .ioBitmapA)
        require(!usesPorts || isPage(snapshot[.ioBitmapB]), .executionPage, .ioBitmapB)
        require(!primary.contains(.useMSRBitmaps) || isPage(snapshot[.msrBitmaps]), .executionPage, .msrBitmaps)
        let shadows = secondary.contains(.vmcsShadowing)
        require(!shadows || isPage(snapshot[.vmreadBitmap]), .executionPage, .vmreadBitmap)
        require(!shadows || isPage(snapshot[.vmwriteBitmap]), .executionPage, .vmwriteBitmap)
    }

    private func checkVirtualAPIC() {
        let shadowsPriority = snapshot[.primaryControls].contains(.useTPRShadow)
        let delivers = secondary.contains(.virtualInterruptDelivery)
        let virtualizesAccesses = secondary.contains(.virtualizeAPICAccesses)
        require(!shadowsPriority || isPage(snapshot[.virtualAPICAddress]), .executionPage, .virtualAPICAddress)
        if shadowsPriority && !delivers {
            let threshold = snapshot[.tprThreshold]
            require(threshold & ~15 == 0, .tprThresholdHighBits, .tprThreshold)
            if !virtualizesAccesses, let priority = circumstances.virtualTaskPriority {
                require(threshold & 15 <= UInt32(priority >> 4), .tprThresholdAbovePriority, .tprThreshold)
            }
        }
        require(shadowsPriority || !secondary.contains(.virtualizeX2APICMode), .x2APICModeNeedsTPRShadow, .secondaryControls)
        require(
            shadowsPriority || !secondary.contains(.apicRegisterVirtualization), .apicRegistersNeedTPRShadow,
            .secondaryControls)
        require(shadowsPriority || !delivers, .interruptDeliveryNeedsTPRShadow, .secondaryControls)
        require(!virtualizesAccesses || isPage(snapshot[.apicAccessAddress]), .executionPage, .apicAccessAddress)
        require(
            !secondary.contains(.virtualizeX2APICMode) || !virtualizesAccesses, .x2APICModeOrAPICAccesses, .secondaryControls)
        require(
            !delivers || snapshot[.pinControls].contains(.externalInterruptExiting), .interruptDeliveryNeedsInterruptExiting,
            .secondaryControls)
    }

    private func checkNonMaskableInterrupts() {
        let pin = snapshot[.pinControls]
        require(pin.contains(.nmiExiting) || !pin.contains(.virtualNMIs), .virtualNMIsNeedNMIExiting, .pinControls)
        require(
            pin.contains(.virtualNMIs) || !snapshot[.primaryControls].contains(.nmiWindowExiting), .nmiWindowNeedsVirtualNMIs,
            .primaryControls)
    }

    private func checkPostedInterrupts() {
        guard snapshot[.pinControls].contains(.processPostedInterrupts) else { return }
        require(secondary.contains(.virtualInterruptDelivery), .postedInterruptsNeedDelivery, .pinControls)
        require(snapshot[.exitControls].contains(.acknowledgeInterrupt), .postedInterruptsNeedAcknowledgement, .pinControls)
        require(snapshot[.postedInterruptNotificationVector] <= 255, .postedInterruptVector, .postedInterruptNotificationVector)
        require(
            isStructure(snapshot[.postedInterruptDescriptorAddress], alignment: 64), .postedInterruptDescriptor,
            .postedInterruptDescriptorAddress)
    }

    private func checkNestedPaging() {
        let usesEPT = secondary.contains(.enableEPT)
        require(
            !secondary.contains(.enableVPID) || snapshot[.virtualProcessorIdentifier] != 0, .vpidNotZero,
            .virtualProcessorIdentifier)
        if usesEPT { checkExtendedPageTablePointer() }
        require(usesEPT || !secondary.contains(.enablePML), .pmlNeedsEPT, .secondaryControls)
        require(
            !secondary.contains(.enablePML) || isPage(snapshot[.pageModificationLogAddress]), .executionPage,
            .pageModificationLogAddress)
        require(usesEPT || !secondary.contains(.unrestrictedGuest), .unrestrictedGuestNeedsEPT, .secondaryControls)
        require(usesEPT || !secondary.contains(.modeBasedExecuteControl), .modeBasedExecuteNeedsEPT, .secondaryControls)
        require(usesEPT || !secondary.contains(.subPageWritePermissions), .subPagePermissionsNeedEPT, .secondaryControls)
        require(
            !secondary.contains(.subPageWritePermissions) || isPage(snapshot[.subPagePermissionTable]), .executionPage,
            .subPagePermissionTable)
        checkTraceThroughEPT(usesEPT)
        require(
            !secondary.contains(.eptViolationException) || isPage(snapshot[.virtualizationExceptionAddress]), .executionPage,
            .virtualizationExceptionAddress)
    }

    private func checkTraceThroughEPT(_ usesEPT: Bool) {
        guard secondary.contains(.ptUsesGuestPhysicalAddresses) else { return }
        require(usesEPT, .traceThroughEPTNeedsEPT, .secondaryControls)
        require(snapshot[.entryControls].contains(.loadTraceControl), .traceThroughEPTNeedsLoad, .secondaryControls)
        require(snapshot[.exitControls].contains(.clearTraceControl), .traceThroughEPTNeedsClear, .secondaryControls)
    }

    private func checkExtendedPageTablePointer() {
        let pointer: EPTPointer = snapshot[.extendedPageTablePointer]
        let offered = capabilities.eptAndVPID
        let isMemoryTypeOffered =
            switch pointer.memoryType {
            case .uncacheable: offered.uncacheableTables
            case .writeBack: offered.writeBackTables
            default: false
            }
        require(isMemoryTypeOffered, .eptpMemoryType, .extendedPageTablePointer)
        require(
            pointer.levelCount == 4 && offered.walkLength4 || pointer.levelCount == 5 && offered.walkLength5, .eptpWalkLength,
            .extendedPageTablePointer)
        require(!pointer.usesAccessedAndDirty || offered.accessedAndDirty, .eptpAccessedAndDirty, .extendedPageTablePointer)
        require(!pointer.enforcesShadowStacks || offered.supervisorShadowStacks, .eptpShadowStacks, .extendedPageTablePointer)
        require(pointer.rawValue & 0xF00 == 0 && isPhysical(pointer.rawValue), .eptpReservedBits, .extendedPageTablePointer)
    }

    private func checkFunctionsAndScaling() {
        if secondary.contains(.enableVMFunctions) {
            let functions = snapshot[.vmFunctionControls]
            require(capabilities.vmFunctions.contains(functions), .executionOfferedBits, .vmFunctionControls)
            let switches = functions.contains(.eptpSwitching)
            require(!switches || secondary.contains(.enableEPT), .eptpSwitchingNeedsEPT, .vmFunctionControls)
            require(!switches || isPage(snapshot[.eptpListAddress]), .executionPage, .eptpListAddress)
        }
        require(
            !secondary.contains(.useTSCScaling) || snapshot[.timeStampCounterMultiplier] != 0, .tscMultiplierNotZero,
            .timeStampCounterMultiplier)
    }
}
