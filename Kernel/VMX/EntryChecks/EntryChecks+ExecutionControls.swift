import Memory
import X86

extension EntryChecks {
    func checkExecutionControls(_ report: Report) {
        checkControlBits(report)
        checkBitmaps(report)
        checkVirtualAPIC(report)
        checkNonMaskableInterrupts(report)
        checkPostedInterrupts(report)
        checkNestedPaging(report)
        checkFunctionsAndScaling(report)
    }

    private func check(
        _ holds: Bool, _ field: VMCSField<some VMCSValue, Writable>, _ rule: StaticString, _ report: Report
    ) {
        require(holds, field, .executionControls, rule, report)
    }

    private func checkControlBits(_ report: Report) {
        let pin = snapshot[.pinControls]
        let primary = snapshot[.primaryControls]
        check(pin.contains(capabilities.pin.required), .pinControls, "the bits that the processor requires must be 1", report)
        check(capabilities.pin.allowed.contains(pin), .pinControls, "bits that the processor does not offer must be 0", report)
        check(
            primary.contains(capabilities.primary.required), .primaryControls,
            "the bits that the processor requires must be 1", report)
        check(
            capabilities.primary.allowed.contains(primary), .primaryControls,
            "bits that the processor does not offer must be 0", report)
        check(
            !primary.contains(.activateSecondaryControls) || secondary.contains(capabilities.secondary.required),
            .secondaryControls, "the bits that the processor requires must be 1", report)
        check(
            capabilities.secondary.allowed.contains(secondary), .secondaryControls,
            "bits that the processor does not offer must be 0", report)
        check(
            snapshot[.cr3TargetCount] <= capabilities.miscellaneous.cr3TargetCount, .cr3TargetCount,
            "must not exceed the number of CR3-target values that the processor has", report)
    }

    private func checkBitmaps(_ report: Report) {
        let primary = snapshot[.primaryControls]
        let usesPorts = primary.contains(.useIOBitmaps)
        let rule: StaticString = "must be the physical address of a page"
        check(!usesPorts || isPage(snapshot[.ioBitmapA]), .ioBitmapA, rule, report)
        check(!usesPorts || isPage(snapshot[.ioBitmapB]), .ioBitmapB, rule, report)
        check(!primary.contains(.useMSRBitmaps) || isPage(snapshot[.msrBitmaps]), .msrBitmaps, rule, report)
        let shadows = secondary.contains(.vmcsShadowing)
        check(!shadows || isPage(snapshot[.vmreadBitmap]), .vmreadBitmap, rule, report)
        check(!shadows || isPage(snapshot[.vmwriteBitmap]), .vmwriteBitmap, rule, report)
    }

    private func checkVirtualAPIC(_ report: Report) {
        let rule: StaticString = "must be the physical address of a page"
        let shadowsPriority = snapshot[.primaryControls].contains(.useTPRShadow)
        let delivers = secondary.contains(.virtualInterruptDelivery)
        let virtualizesAccesses = secondary.contains(.virtualizeAPICAccesses)
        check(!shadowsPriority || isPage(snapshot[.virtualAPICAddress]), .virtualAPICAddress, rule, report)
        if shadowsPriority && !delivers {
            let threshold = snapshot[.tprThreshold]
            check(threshold & ~15 == 0, .tprThreshold, "bits 31:4 must be 0 without virtual-interrupt delivery", report)
            if !virtualizesAccesses, let priority = circumstances.virtualTaskPriority {
                check(
                    threshold & 15 <= UInt32(priority >> 4), .tprThreshold,
                    "must not exceed bits 7:4 of the task priority in the virtual-APIC page", report)
            }
        }
        check(
            shadowsPriority || !secondary.contains(.virtualizeX2APICMode), .secondaryControls,
            "\"virtualize x2APIC mode\" needs \"use TPR shadow\"", report)
        check(
            shadowsPriority || !secondary.contains(.apicRegisterVirtualization), .secondaryControls,
            "\"APIC-register virtualization\" needs \"use TPR shadow\"", report)
        check(
            shadowsPriority || !delivers, .secondaryControls,
            "\"virtual-interrupt delivery\" needs \"use TPR shadow\"", report)
        check(!virtualizesAccesses || isPage(snapshot[.apicAccessAddress]), .apicAccessAddress, rule, report)
        check(
            !secondary.contains(.virtualizeX2APICMode) || !virtualizesAccesses, .secondaryControls,
            "\"virtualize x2APIC mode\" and \"virtualize APIC accesses\" must not both be 1", report)
        check(
            !delivers || snapshot[.pinControls].contains(.externalInterruptExiting), .secondaryControls,
            "\"virtual-interrupt delivery\" needs \"external-interrupt exiting\"", report)
    }

    private func checkNonMaskableInterrupts(_ report: Report) {
        let pin = snapshot[.pinControls]
        check(
            pin.contains(.nmiExiting) || !pin.contains(.virtualNMIs), .pinControls, "\"virtual NMIs\" needs \"NMI exiting\"",
            report)
        check(
            pin.contains(.virtualNMIs) || !snapshot[.primaryControls].contains(.nmiWindowExiting), .primaryControls,
            "\"NMI-window exiting\" needs \"virtual NMIs\"", report)
    }

    private func checkPostedInterrupts(_ report: Report) {
        guard snapshot[.pinControls].contains(.processPostedInterrupts) else { return }
        check(
            secondary.contains(.virtualInterruptDelivery), .pinControls,
            "\"process posted interrupts\" needs \"virtual-interrupt delivery\"", report)
        check(
            snapshot[.exitControls].contains(.acknowledgeInterrupt), .pinControls,
            "\"process posted interrupts\" needs \"acknowledge interrupt on exit\"", report)
        check(
            snapshot[.postedInterruptNotificationVector] <= 255, .postedInterruptNotificationVector,
            "must be a vector from 0 to 255", report)
        check(
            isStructure(snapshot[.postedInterruptDescriptorAddress], alignment: 64), .postedInterruptDescriptorAddress,
            "must be a physical address and a multiple of 64", report)
    }

    private func checkNestedPaging(_ report: Report) {
        let usesEPT = secondary.contains(.enableEPT)
        check(
            !secondary.contains(.enableVPID) || snapshot[.virtualProcessorIdentifier] != 0, .virtualProcessorIdentifier,
            "must not be 0, which is the host's tag", report)
        if usesEPT { checkExtendedPageTablePointer(report) }
        check(
            usesEPT || !secondary.contains(.enablePML), .secondaryControls, "\"enable PML\" needs \"enable EPT\"", report)
        check(
            !secondary.contains(.enablePML) || isPage(snapshot[.pageModificationLogAddress]), .pageModificationLogAddress,
            "must be the physical address of a page", report)
        check(
            usesEPT || !secondary.contains(.unrestrictedGuest), .secondaryControls,
            "\"unrestricted guest\" needs \"enable EPT\"", report)
        check(
            usesEPT || !secondary.contains(.modeBasedExecuteControl), .secondaryControls,
            "\"mode-based execute control for EPT\" needs \"enable EPT\"", report)
        check(
            usesEPT || !secondary.contains(.subPageWritePermissions), .secondaryControls,
            "\"sub-page write permissions for EPT\" needs \"enable EPT\"", report)
        check(
            !secondary.contains(.subPageWritePermissions) || isPage(snapshot[.subPagePermissionTable]),
            .subPagePermissionTable, "must be the physical address of a page", report)
        checkTraceThroughEPT(usesEPT, report)
        check(
            !secondary.contains(.eptViolationException) || isPage(snapshot[.virtualizationExceptionAddress]),
            .virtualizationExceptionAddress, "must be the physical address of a page", report)
    }

    private func checkTraceThroughEPT(_ usesEPT: Bool, _ report: Report) {
        guard secondary.contains(.ptUsesGuestPhysicalAddresses) else { return }
        check(usesEPT, .secondaryControls, "\"Intel PT uses guest physical addresses\" needs \"enable EPT\"", report)
        check(
            snapshot[.entryControls].contains(.loadTraceControl), .secondaryControls,
            "\"Intel PT uses guest physical addresses\" needs \"load IA32_RTIT_CTL\"", report)
        check(
            snapshot[.exitControls].contains(.clearTraceControl), .secondaryControls,
            "\"Intel PT uses guest physical addresses\" needs \"clear IA32_RTIT_CTL\"", report)
    }

    private func checkExtendedPageTablePointer(_ report: Report) {
        let pointer: ExtendedPageTablePointer = snapshot[.extendedPageTablePointer]
        let offered = capabilities.eptAndVPID
        let isMemoryTypeOffered =
            switch pointer.memoryType {
            case .uncacheable: offered.uncacheableTables
            case .writeBack: offered.writeBackTables
            default: false
            }
        check(
            isMemoryTypeOffered, .extendedPageTablePointer, "bits 2:0 must be a memory type that the processor offers", report)
        check(
            pointer.levelCount == 4 && offered.walkLength4 || pointer.levelCount == 5 && offered.walkLength5,
            .extendedPageTablePointer, "bits 5:3 must be a page-walk length that the processor offers, less 1", report)
        check(
            !pointer.usesAccessedAndDirty || offered.accessedAndDirty, .extendedPageTablePointer,
            "bit 6 must be 0 where the processor has no accessed and dirty flags for EPT", report)
        check(
            !pointer.enforcesShadowStacks || offered.supervisorShadowStacks, .extendedPageTablePointer,
            "bit 7 must be 0 where the processor has no supervisor shadow-stack control for EPT", report)
        check(
            pointer.rawValue & 0xF00 == 0 && isPhysical(pointer.rawValue), .extendedPageTablePointer,
            "bits 11:8 and those beyond the physical-address width must be 0", report)
    }

    private func checkFunctionsAndScaling(_ report: Report) {
        if secondary.contains(.enableVMFunctions) {
            let functions: UInt64 = snapshot[.vmFunctionControls]
            check(
                functions & ~capabilities.vmFunctions == 0, .vmFunctionControls,
                "bits that the processor does not offer must be 0", report)
            let switches = functions & Self.eptpSwitching != 0
            check(
                !switches || secondary.contains(.enableEPT), .vmFunctionControls,
                "\"EPTP switching\" needs \"enable EPT\"", report)
            check(
                !switches || isPage(snapshot[.eptpListAddress]), .eptpListAddress, "must be the physical address of a page",
                report)
        }
        check(
            !secondary.contains(.useTSCScaling) || snapshot[.timeStampCounterMultiplier] != 0, .timeStampCounterMultiplier,
            "must not be 0", report)
    }
}

extension EPTAndVPIDCapabilities {
    /// Bit 23: EPTP bit 7 enforces the access rights of supervisor shadow-stack pages.
    var supervisorShadowStacks: Bool { rawValue & 1 << 23 != 0 }
}
