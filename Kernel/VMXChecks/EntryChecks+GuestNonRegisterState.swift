import Memory
import VMX
import X86

extension EntryChecks {
    func checkGuestNonRegisterState() {
        checkActivityState()
        checkInterruptibility()
        checkBlockedNonMaskableInterrupts()
        checkPendingDebugExceptions()
        checkLinkPointer()
    }

    private var isBlockedForOneInstruction: Bool {
        snapshot[.guestInterruptibility].intersects(.blockingBySTI | .blockingByMovSS)
    }

    private func checkActivityState() {
        let state = snapshot[.guestActivityState]
        let offered = capabilities.miscellaneous
        let isOffered =
            switch state {
            case .active: true
            case .halted: offered.supportsHaltState
            case .shutdown: offered.supportsShutdownState
            case .waitForStartupIPI: offered.supportsWaitForStartupState
            default: false
            }
        require(isOffered, .activityState, .guestActivityState)
        require(state != .halted || snapshot[.guestSSAccessRights].privilegeLevel == 0, .haltedLevel, .guestActivityState)
        require(state == .active || !isBlockedForOneInstruction, .activeWhileBlocked, .guestActivityState)
        if injection.isValid { checkInjection(into: state) }
    }

    private func checkInjection(into state: ActivityState) {
        let event = injection
        let isMachineCheck = event.kind == .hardwareException && event.vector == 18
        let isDebug = event.kind == .hardwareException && event.vector == 1
        switch state {
        case .halted:
            require(
                event.kind == .externalInterrupt || event.kind == .nonMaskableInterrupt || isDebug || isMachineCheck
                    || event.kind == .other && event.vector == 0, .haltedInjection, .guestActivityState)
        case .shutdown:
            require(event.kind == .nonMaskableInterrupt || isMachineCheck, .shutdownInjection, .guestActivityState)
        case .waitForStartupIPI:
            require(false, .waitForSIPIInjection, .guestActivityState)
        default: break
        }
    }

    private func checkInterruptibility() {
        let state = snapshot[.guestInterruptibility]
        require(state.rawValue >> 5 == 0, .interruptibilityReservedBits, .guestInterruptibility)
        require(!state.contains(.blockingBySTI | .blockingByMovSS), .blockingBySTIAndMovSS, .guestInterruptibility)
        require(
            !state.contains(.blockingBySTI) || snapshot[.guestRFLAGS].contains(.interruptEnable),
            .blockingBySTINeedsInterruptFlag, .guestInterruptibility)
        require(!injects(.externalInterrupt) || !isBlockedForOneInstruction, .injectedInterruptBlocked, .guestInterruptibility)
        require(!state.contains(.blockingBySMI), .blockingBySMI, .guestInterruptibility)
        require(
            !state.contains(.enclaveInterruption) || !state.contains(.blockingByMovSS), .enclaveAndMovSS,
            .guestInterruptibility)
        require(!state.contains(.enclaveInterruption) || circumstances.hasEnclaves, .enclaveNeedsSGX, .guestInterruptibility)
    }

    private func checkBlockedNonMaskableInterrupts() {
        let state = snapshot[.guestInterruptibility]
        let injects = injects(.nonMaskableInterrupt)
        require(!injects || !state.contains(.blockingByMovSS), .injectedNMIBlockedByMovSS, .guestInterruptibility)
        require(!injects || !state.contains(.blockingBySTI), .injectedNMIBlockedBySTI, .guestInterruptibility)
        require(
            !injects || !snapshot[.pinControls].contains(.virtualNMIs) || !state.contains(.blockingByNMI),
            .injectedNMIBlockedByNMI, .guestInterruptibility)
    }

    private func checkPendingDebugExceptions() {
        let pending = snapshot[.guestPendingDebugExceptions]
        require(pending.rawValue & 0xFFFF_FFFF_FFFE_AFF0 == 0, .pendingReservedBits, .guestPendingDebugExceptions)
        if isBlockedForOneInstruction || snapshot[.guestActivityState] == .halted {
            let branchSteps = snapshot[.guestDebugControl] & DebugControl.branchSteps != 0
            let steps = snapshot[.guestRFLAGS].contains(.trap) && !branchSteps
            require(pending.contains(.singleStep) || !steps, .pendingStepMissing, .guestPendingDebugExceptions)
            require(!pending.contains(.singleStep) || steps, .pendingStepWithoutCause, .guestPendingDebugExceptions)
        }
        guard pending.contains(.transactional) else { return }
        require(circumstances.hasTransactions, .transactionNeedsRTM, .guestPendingDebugExceptions)
        require(
            pending.rawValue & 0xEFFF == 0 && pending.contains(.enabledBreakpoint), .transactionBits,
            .guestPendingDebugExceptions)
        require(
            !snapshot[.guestInterruptibility].contains(.blockingByMovSS), .transactionAndMovSS, .guestPendingDebugExceptions)
    }

    private func checkLinkPointer() {
        let pointer: HostPhysicalAddress = snapshot[.linkPointer]
        guard pointer.rawValue != UInt64.max else { return }
        require(isPage(pointer), .linkPointerPage, .linkPointer)
        if let target = circumstances.linkTarget, isPage(pointer) {
            require(target & 0x7FFF_FFFF == capabilities.basic.revisionIdentifier, .linkedRevision, .linkPointer)
            require((target >> 31 != 0) == secondary.contains(.vmcsShadowing), .linkedShadow, .linkPointer)
        }
        if let current = circumstances.currentVMCS {
            require(pointer != current, .linkedCurrent, .linkPointer)
        }
    }
}
