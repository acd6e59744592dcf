import X86

extension VMCSFieldEncoding {
    /// Whether the processor has this field, of those in the list: VMREAD and VMWRITE of another fail (SDM volume 3,
    /// appendix B "Field Encoding in VMCS", whose notes tie fields to controls that the processor may set).
    public func exists(_ capabilities: VMXCapabilities) -> Bool {
        switch area {
        case .control: width == .bits64 ? addressFieldExists(capabilities) : controlFieldExists(capabilities)
        case .exitInformation: exitInformationExists(capabilities)
        case .guestState: guestFieldExists(capabilities)
        case .hostState: hostFieldExists(capabilities)
        }
    }

    private func `is`<Value, Access>(_ field: VMCSField<Value, Access>) -> Bool { rawValue == field.encoding.rawValue }

    private func addressFieldExists(_ capabilities: VMXCapabilities) -> Bool {
        let primary = capabilities.primary.allowed
        let secondary = capabilities.secondary.allowed
        if self.is(.msrBitmaps) { return primary.contains(.useMSRBitmaps) }
        if self.is(.executiveVMCSPointer) { return capabilities.basic.hasDualMonitorTreatment }
        if self.is(.pageModificationLogAddress) { return secondary.contains(.enablePML) }
        if self.is(.virtualAPICAddress) { return primary.contains(.useTPRShadow) }
        if self.is(.apicAccessAddress) { return secondary.contains(.virtualizeAPICAccesses) }
        if self.is(.postedInterruptDescriptorAddress) { return capabilities.pin.allowed.contains(.processPostedInterrupts) }
        if self.is(.vmFunctionControls) { return secondary.contains(.enableVMFunctions) }
        if self.is(.extendedPageTablePointer) { return secondary.contains(.enableEPT) }
        // The four bitmaps have neighbouring encodings.
        if rawValue >= VMCSField.eoiExitBitmap0.encoding.rawValue, rawValue <= VMCSField.eoiExitBitmap3.encoding.rawValue {
            return secondary.contains(.virtualInterruptDelivery)
        }
        if self.is(.eptpListAddress) { return capabilities.vmFunctions & VMXCapabilities.eptpSwitching != 0 }
        if self.is(.vmreadBitmap) || self.is(.vmwriteBitmap) { return secondary.contains(.vmcsShadowing) }
        if self.is(.virtualizationExceptionAddress) { return secondary.contains(.eptViolationException) }
        if self.is(.xssExitingBitmap) { return secondary.contains(.enableXSAVES) }
        if self.is(.enclsExitingBitmap) { return secondary.contains(.enableENCLSExiting) }
        if self.is(.subPagePermissionTable) { return secondary.contains(.subPageWritePermissions) }
        if self.is(.timeStampCounterMultiplier) { return secondary.contains(.useTSCScaling) }
        if self.is(.tertiaryControls) { return primary.contains(.activateTertiaryControls) }
        if self.is(.enclvExitingBitmap) { return secondary.contains(.enableENCLVExiting) }
        if self.is(.pconfigExitingBitmap) { return secondary.contains(.enablePCONFIG) }
        if self.is(.secondaryExitControls) { return capabilities.exit.allowed.contains(.activateSecondaryControls) }
        return true
    }

    private func controlFieldExists(_ capabilities: VMXCapabilities) -> Bool {
        let primary = capabilities.primary.allowed
        let secondary = capabilities.secondary.allowed
        if self.is(.virtualProcessorIdentifier) { return secondary.contains(.enableVPID) }
        if self.is(.postedInterruptNotificationVector) { return capabilities.pin.allowed.contains(.processPostedInterrupts) }
        if self.is(.eptpIndex) { return secondary.contains(.eptViolationException) }
        if self.is(.tprThreshold) { return primary.contains(.useTPRShadow) }
        if self.is(.secondaryControls) { return primary.contains(.activateSecondaryControls) }
        if self.is(.pauseLoopGap) || self.is(.pauseLoopWindow) { return secondary.contains(.pauseLoopExiting) }
        if self.is(.cr3TargetValue0) { return capabilities.miscellaneous.cr3TargetCount > 0 }
        if self.is(.cr3TargetValue1) { return capabilities.miscellaneous.cr3TargetCount > 1 }
        if self.is(.cr3TargetValue2) { return capabilities.miscellaneous.cr3TargetCount > 2 }
        if self.is(.cr3TargetValue3) { return capabilities.miscellaneous.cr3TargetCount > 3 }
        return true
    }

    private func exitInformationExists(_ capabilities: VMXCapabilities) -> Bool {
        if self.is(.guestPhysicalAddress) { return capabilities.secondary.allowed.contains(.enableEPT) }
        // These serve exits due to system-management interrupts only.
        if self.is(.ioRCX) || self.is(.ioRSI) || self.is(.ioRDI) || self.is(.ioRIP) {
            return capabilities.basic.hasDualMonitorTreatment
        }
        return true
    }

    private func guestFieldExists(_ capabilities: VMXCapabilities) -> Bool {
        let entry = capabilities.entry.allowed
        let exit = capabilities.exit.allowed
        let secondary = capabilities.secondary.allowed
        if self.is(.guestInterruptStatus) { return secondary.contains(.virtualInterruptDelivery) }
        if self.is(.pageModificationLogIndex) { return secondary.contains(.enablePML) }
        if self.is(.guestPAT) { return entry.contains(.loadPAT) || exit.contains(.savePAT) }
        if self.is(.guestEFER) { return entry.contains(.loadEFER) || exit.contains(.saveEFER) }
        if self.is(.guestPerformanceControl) { return entry.contains(.loadPerformanceControl) }
        if self.is(.guestPDPTE0) || self.is(.guestPDPTE1) || self.is(.guestPDPTE2) || self.is(.guestPDPTE3) {
            return secondary.contains(.enableEPT)
        }
        if self.is(.guestBoundConfiguration) {
            return entry.contains(.loadBoundConfiguration) || exit.contains(.clearBoundConfiguration)
        }
        if self.is(.guestTraceControl) { return entry.contains(.loadTraceControl) || exit.contains(.clearTraceControl) }
        if self.is(.guestLastBranchControl) {
            return entry.contains(.loadLastBranchControl) || exit.contains(.clearLastBranchControl)
        }
        if self.is(.guestPKRS) { return entry.contains(.loadPKRS) }
        if self.is(.guestSMBASE) { return capabilities.basic.hasDualMonitorTreatment }
        if self.is(.preemptionTimer) { return capabilities.pin.allowed.contains(.activatePreemptionTimer) }
        if self.is(.guestSupervisorCET) || self.is(.guestShadowStackPointer) || self.is(.guestInterruptShadowStackTable) {
            return entry.contains(.loadCETState)
        }
        return true
    }

    private func hostFieldExists(_ capabilities: VMXCapabilities) -> Bool {
        let exit = capabilities.exit.allowed
        if self.is(.hostPAT) { return exit.contains(.loadPAT) }
        if self.is(.hostEFER) { return exit.contains(.loadEFER) }
        if self.is(.hostPerformanceControl) { return exit.contains(.loadPerformanceControl) }
        if self.is(.hostPKRS) { return exit.contains(.loadPKRS) }
        if self.is(.hostSupervisorCET) || self.is(.hostShadowStackPointer) || self.is(.hostInterruptShadowStackTable) {
            return exit.contains(.loadCETState)
        }
        return true
    }
}

extension VMXBasic {
    /// Bit 49: system-management interrupts can have a monitor of their own, and the VMCS the fields for it.
    public var hasDualMonitorTreatment: Bool { rawValue & 1 << 49 != 0 }
}
