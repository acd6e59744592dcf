import Memory
import X86

extension EntryChecks {
    func checkEntryControls(_ report: Report) {
        let controls = snapshot[.entryControls]
        require(
            controls.contains(capabilities.entry.required), .entryControls, .entryControls,
            "the bits that the processor requires must be 1", report)
        require(
            capabilities.entry.allowed.contains(controls), .entryControls, .entryControls,
            "bits that the processor does not offer must be 0", report)
        require(
            !controls.contains(.entryToSMM), .entryControls, .entryControls,
            "\"entry to SMM\" must be 0 outside system-management mode", report)
        require(
            !controls.contains(.deactivateDualMonitor), .entryControls, .entryControls,
            "\"deactivate dual-monitor treatment\" must be 0 outside system-management mode", report)
        require(
            isMSRArea(snapshot[.entryMSRLoadAddress], count: snapshot[.entryMSRLoadCount]), .entryMSRLoadAddress,
            .entryControls, "must be a multiple of 16 and the area within the physical addresses", report)
        if injection.isValid { checkInjection(report) }
    }

    private func check(_ holds: Bool, _ rule: StaticString, _ report: Report) {
        require(holds, .entryInterruptionInformation, .entryControls, rule, report)
    }

    private func checkInjection(_ report: Report) {
        let event = injection
        check(event.rawValue & 0x7FFF_F000 == 0, "bits 30:12 must be 0", report)
        check(event.kind != .reserved, "type 1 is reserved", report)
        switch event.kind {
        case .nonMaskableInterrupt: check(event.vector == 2, "an NMI needs vector 2", report)
        case .hardwareException: check(event.vector <= 31, "a hardware exception needs a vector up to 31", report)
        case .other:
            check(
                capabilities.primary.allowed.contains(.monitorTrapFlag),
                "type 7 needs a processor with the monitor trap flag", report)
            check(event.vector == 0, "type 7 needs vector 0, a pending monitor-trap-flag exit", report)
        default: break
        }
        checkErrorCode(event, report)
        if event.kind == .softwareInterrupt || event.kind == .privilegedSoftwareException || event.kind == .softwareException {
            let length = snapshot[.entryInstructionLength]
            require(
                length <= 15, .entryInstructionLength, .entryControls, "a software event needs a length up to 15", report)
            require(
                length != 0 || capabilities.miscellaneous.allowsZeroLengthInjection, .entryInstructionLength, .entryControls,
                "must not be 0 where the processor does not allow it", report)
        }
    }

    private func checkErrorCode(_ event: InterruptionInformation, _ report: Report) {
        let isException = event.kind == .hardwareException
        let isProtected = snapshot[.guestCR0].contains(.protectionEnable)
        if event.deliversErrorCode {
            check(isException, "only a hardware exception delivers an error code (bit 11)", report)
            check(!isException || isProtected, "no error code (bit 11) is delivered in real mode", report)
            require(
                snapshot[.entryExceptionErrorCode] >> 16 == 0, .entryExceptionErrorCode, .entryControls,
                "bits 31:16 must be 0", report)
        }
        // Newer processors leave the choice.
        guard isException, isProtected, !capabilities.basic.errorCodeIsOptional else { return }
        check(
            event.deliversErrorCode == Self.pushesErrorCode(event.vector),
            "bit 11 must be 1 for #DF, #TS, #NP, #SS, #GP, #PF and #AC, and 0 for others", report)
    }

    /// Without #CP: processors that have it leave the choice.
    private static func pushesErrorCode(_ vector: UInt8) -> Bool {
        switch vector {
        case 8, 10, 11, 12, 13, 14, 17: true
        default: false
        }
    }
}
