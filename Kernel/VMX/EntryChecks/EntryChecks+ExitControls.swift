import Memory
import X86

extension EntryChecks {
    func checkExitControls(_ report: Report) {
        let controls = snapshot[.exitControls]
        require(
            controls.contains(capabilities.exit.required), .exitControls, .exitControls,
            "the bits that the processor requires must be 1", report)
        require(
            capabilities.exit.allowed.contains(controls), .exitControls, .exitControls,
            "bits that the processor does not offer must be 0", report)
        require(
            snapshot[.pinControls].contains(.activatePreemptionTimer) || !controls.contains(.savePreemptionTimer),
            .exitControls, .exitControls,
            "\"save VMX-preemption timer value\" needs \"activate VMX-preemption timer\"", report)
        require(
            isMSRArea(snapshot[.exitMSRStoreAddress], count: snapshot[.exitMSRStoreCount]), .exitMSRStoreAddress,
            .exitControls, "must be a multiple of 16 and the area within the physical addresses", report)
        require(
            isMSRArea(snapshot[.exitMSRLoadAddress], count: snapshot[.exitMSRLoadCount]), .exitMSRLoadAddress, .exitControls,
            "must be a multiple of 16 and the area within the physical addresses", report)
    }
}
