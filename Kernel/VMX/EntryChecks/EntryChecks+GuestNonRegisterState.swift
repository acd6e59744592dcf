import Memory
import X86

extension EntryChecks {
    func checkGuestNonRegisterState(_ report: Report) {
        checkActivityState(report)
        checkInterruptibility(report)
        checkBlockedNonMaskableInterrupts(report)
        checkPendingDebugExceptions(report)
        checkLinkPointer(report)
    }

    private func check(
        _ holds: Bool, _ field: VMCSField<some VMCSValue, Writable>, _ rule: StaticString, _ report: Report
    ) {
        require(holds, field, .guestNonRegisterState, rule, report)
    }

    private var isBlockedForOneInstruction: Bool {
        snapshot[.guestInterruptibility].intersects(.blockingBySTI | .blockingByMovSS)
    }

    private func checkActivityState(_ report: Report) {
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
        check(isOffered, .guestActivityState, "must be a state that the processor offers", report)
        check(
            state != .halted || snapshot[.guestSSAccessRights].privilegeLevel == 0, .guestActivityState,
            "HLT needs SS.DPL 0", report)
        check(
            state == .active || !isBlockedForOneInstruction, .guestActivityState,
            "must be active (0) with blocking by STI or by MOV SS", report)
        if injection.isValid { checkInjection(into: state, report) }
    }

    private func checkInjection(into state: ActivityState, _ report: Report) {
        let event = injection
        let isMachineCheck = event.kind == .hardwareException && event.vector == 18
        let isDebug = event.kind == .hardwareException && event.vector == 1
        switch state {
        case .halted:
            check(
                event.kind == .externalInterrupt || event.kind == .nonMaskableInterrupt || isDebug || isMachineCheck
                    || event.kind == .other && event.vector == 0, .guestActivityState,
                "HLT allows the injection of interrupts, NMIs, #DB, #MC and a pending MTF exit only", report)
        case .shutdown:
            check(
                event.kind == .nonMaskableInterrupt || isMachineCheck, .guestActivityState,
                "shutdown allows the injection of NMIs and #MC only", report)
        case .waitForStartupIPI:
            check(false, .guestActivityState, "wait-for-SIPI allows no injection", report)
        default: break
        }
    }

    private func checkInterruptibility(_ report: Report) {
        let state = snapshot[.guestInterruptibility]
        check(state.rawValue >> 5 == 0, .guestInterruptibility, "bits 31:5 must be 0", report)
        check(
            !state.contains(.blockingBySTI | .blockingByMovSS), .guestInterruptibility,
            "blocking by STI and by MOV SS must not both be 1", report)
        check(
            !state.contains(.blockingBySTI) || snapshot[.guestRFLAGS].contains(.interruptEnable), .guestInterruptibility,
            "blocking by STI must be 0 when RFLAGS.IF is 0", report)
        check(
            !injects(.externalInterrupt) || !isBlockedForOneInstruction, .guestInterruptibility,
            "blocking by STI and by MOV SS must be 0 to inject an external interrupt", report)
        check(
            !state.contains(.blockingBySMI), .guestInterruptibility,
            "blocking by SMI must be 0 outside system-management mode", report)
        check(
            !state.contains(.enclaveInterruption) || !state.contains(.blockingByMovSS), .guestInterruptibility,
            "enclave interruption and blocking by MOV SS must not both be 1", report)
        check(
            !state.contains(.enclaveInterruption) || circumstances.hasEnclaves, .guestInterruptibility,
            "enclave interruption needs a processor with SGX", report)
    }

    private func checkBlockedNonMaskableInterrupts(_ report: Report) {
        let state = snapshot[.guestInterruptibility]
        let injects = injects(.nonMaskableInterrupt)
        check(
            !injects || !state.contains(.blockingByMovSS), .guestInterruptibility,
            "blocking by MOV SS must be 0 to inject an NMI", report)
        // The one rule with an exit qualification of its own, and the one that processors may do without.
        require(
            !injects || !state.contains(.blockingBySTI), .guestInterruptibility, .guestNonRegisterState,
            "blocking by STI must be 0 to inject an NMI", failing: .invalidGuestState(qualification: 3),
            leftToProcessor: true, report)
        check(
            !injects || !snapshot[.pinControls].contains(.virtualNMIs) || !state.contains(.blockingByNMI),
            .guestInterruptibility, "blocking by NMI must be 0 to inject an NMI with \"virtual NMIs\"", report)
    }

    private func checkPendingDebugExceptions(_ report: Report) {
        let pending = snapshot[.guestPendingDebugExceptions]
        check(
            pending.rawValue & 0xFFFF_FFFF_FFFE_AFF0 == 0, .guestPendingDebugExceptions,
            "bits 63:17, 15, 13 and 11:4 must be 0", report)
        if isBlockedForOneInstruction || snapshot[.guestActivityState] == .halted {
            let branchSteps = snapshot[.guestDebugControl] & 2 != 0
            let steps = snapshot[.guestRFLAGS].contains(.trap) && !branchSteps
            check(
                pending.contains(.singleStep) || !steps, .guestPendingDebugExceptions,
                "BS must be 1 when RFLAGS.TF is 1, BTF is 0 and the guest is halted or blocked by STI or MOV SS", report)
            check(
                !pending.contains(.singleStep) || steps, .guestPendingDebugExceptions,
                "BS must be 0 when RFLAGS.TF is 0 or BTF is 1 and the guest is halted or blocked by STI or MOV SS", report)
        }
        guard pending.contains(.transactional) else { return }
        check(
            circumstances.hasTransactions, .guestPendingDebugExceptions, "RTM (bit 16) needs a processor with RTM", report)
        check(
            pending.rawValue & 0xEFFF == 0 && pending.contains(.enabledBreakpoint), .guestPendingDebugExceptions,
            "RTM (bit 16) needs bit 12 and no other", report)
        check(
            !snapshot[.guestInterruptibility].contains(.blockingByMovSS), .guestPendingDebugExceptions,
            "RTM (bit 16) must be 0 with blocking by MOV SS", report)
    }

    private func checkLinkPointer(_ report: Report) {
        let pointer: HostPhysicalAddress = snapshot[.linkPointer]
        guard pointer.rawValue != UInt64.max else { return }
        func check(_ holds: Bool, _ rule: StaticString) {
            require(
                holds, .linkPointer, .guestNonRegisterState, rule, failing: .invalidGuestState(qualification: 4), report)
        }
        check(isPage(pointer), "must be the physical address of a page, or all ones")
        if let target = circumstances.linkTarget, isPage(pointer) {
            check(
                target & 0x7FFF_FFFF == capabilities.basic.revisionIdentifier,
                "must point to a VMCS of this processor's revision")
            check(
                (target >> 31 != 0) == secondary.contains(.vmcsShadowing),
                "must point to a shadow VMCS with \"VMCS shadowing\", and to an ordinary one without")
        }
        if let current = circumstances.currentVMCS {
            check(pointer != current, "must not be the current VMCS")
        }
    }
}
