import Memory
import VMX
import X86

extension EntryChecks {
    func checkExitControls() {
        let controls = snapshot[.exitControls]
        require(controls.contains(capabilities.exit.required), .exitRequiredBits, .exitControls)
        require(capabilities.exit.allowed.contains(controls), .exitOfferedBits, .exitControls)
        require(
            snapshot[.pinControls].contains(.activatePreemptionTimer) || !controls.contains(.savePreemptionTimer),
            .savedTimerNeedsTimer, .exitControls)
        require(
            isMSRArea(snapshot[.exitMSRStoreAddress], count: snapshot[.exitMSRStoreCount]), .exitRegisterArea,
            .exitMSRStoreAddress)
        require(
            isMSRArea(snapshot[.exitMSRLoadAddress], count: snapshot[.exitMSRLoadCount]), .exitRegisterArea,
            .exitMSRLoadAddress)
    }
}
