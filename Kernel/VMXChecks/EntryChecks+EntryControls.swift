import Memory
import VMX
import X86

extension EntryChecks {
    func checkEntryControls() {
        let controls = snapshot[.entryControls]
        require(controls.contains(capabilities.entry.required), .entryRequiredBits, .entryControls)
        require(capabilities.entry.allowed.contains(controls), .entryOfferedBits, .entryControls)
        require(!controls.contains(.entryToSMM), .entryToSMM, .entryControls)
        require(!controls.contains(.deactivateDualMonitor), .dualMonitorTreatment, .entryControls)
        require(
            isMSRArea(snapshot[.entryMSRLoadAddress], count: snapshot[.entryMSRLoadCount]), .entryRegisterArea,
            .entryMSRLoadAddress)
        if injection.isValid { checkInjection() }
    }

    private func checkInjection() {
        let event = injection
        require(event.rawValue & 0x7FFF_F000 == 0, .injectionReservedBits, .entryInterruptionInformation)
        require(event.kind != .reserved, .injectionReservedType, .entryInterruptionInformation)
        switch event.kind {
        case .nonMaskableInterrupt: require(event.vector == 2, .injectedNMIVector, .entryInterruptionInformation)
        case .hardwareException: require(event.vector <= 31, .injectedExceptionVector, .entryInterruptionInformation)
        case .other:
            require(
                capabilities.primary.allowed.contains(.monitorTrapFlag), .injectedTrapFlagOffered,
                .entryInterruptionInformation)
            require(event.vector == 0, .injectedTrapFlagVector, .entryInterruptionInformation)
        default: break
        }
        checkErrorCode(event)
        if event.kind == .softwareInterrupt || event.kind == .privilegedSoftwareException || event.kind == .softwareException {
            let length = snapshot[.entryInstructionLength]
            require(length <= 15, .injectionLength, .entryInstructionLength)
            require(
                length != 0 || capabilities.miscellaneous.allowsZeroLengthInjection, .injectionLengthNotZero,
                .entryInstructionLength)
        }
    }

    private func checkErrorCode(_ event: InterruptionInformation) {
        let isException = event.kind == .hardwareException
        let isProtected = snapshot[.guestCR0].contains(.protectionEnable)
        if event.deliversErrorCode {
            require(isException, .errorCodeNeedsException, .entryInterruptionInformation)
            require(!isException || isProtected, .errorCodeNeedsProtection, .entryInterruptionInformation)
            require(snapshot[.entryExceptionErrorCode] >> 16 == 0, .errorCodeHighBits, .entryExceptionErrorCode)
        }
        // Newer processors leave the choice.
        guard isException, isProtected, !capabilities.basic.errorCodeIsOptional else { return }
        require(
            event.deliversErrorCode == Self.pushesErrorCode(event.vector), .errorCodeByVector, .entryInterruptionInformation)
    }

    /// Without #CP: processors that have it leave the choice.
    private static func pushesErrorCode(_ vector: UInt8) -> Bool {
        switch vector {
        case 8, 10, 11, 12, 13, 14, 17: true
        default: false
        }
    }
}
