extension ExitReason {
    /// What makes the processor exit for this reason: the control bit, or that it always does, and the manual's section
    /// (SDM volume 3, chapter 28 "VMX Non-Root Operation").
    public var cause: StaticString {
        switch basic {
        case 0: "its bit in the exception bitmap, or \"NMI exiting\" (28.2 \"Other Causes of VM Exits\")"
        case 1: "\"external-interrupt exiting\" (28.2 \"Other Causes of VM Exits\")"
        case 2, 3, 4, 5, 6: "always (28.2 \"Other Causes of VM Exits\")"
        case 7: "\"interrupt-window exiting\" (28.2 \"Other Causes of VM Exits\")"
        case 8: "\"NMI-window exiting\" (28.2 \"Other Causes of VM Exits\")"
        case 9: "always (28.4.2 \"Treatment of Task Switches\")"
        case 10, 11, 13, 18...27, 50, 53, 55:
            "always (28.1.2 \"Instructions That Cause VM Exits Unconditionally\")"
        case 12: "\"HLT exiting\" (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        case 14: "\"INVLPG exiting\" (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        case 15: "\"RDPMC exiting\" (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        case 16, 51: "\"RDTSC exiting\" (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        case 28: "a bit of the CR0 or CR4 guest/host mask, or CR3/CR8 exiting (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        case 29: "\"MOV-DR exiting\" (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        case 30: "its bit in the I/O bitmaps (26.6.4 \"I/O-Bitmap Addresses\")"
        case 31, 32: "its bit in the MSR bitmaps, or none there (26.6.9 \"MSR-Bitmap Address\")"
        case 36: "\"MWAIT exiting\" (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        case 37: "\"monitor trap flag\" (28.5.2 \"Monitor Trap Flag\")"
        case 39: "\"MONITOR exiting\" (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        case 40: "\"PAUSE exiting\" or \"PAUSE-loop exiting\" (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        case 48: "the extended page tables do not allow the access (31.3.3.2 \"EPT Violations\")"
        case 49: "an entry of the extended page tables is misconfigured (31.3.3.1 \"EPT Misconfigurations\")"
        case 52: "\"activate VMX-preemption timer\" (28.5.1 \"VMX-Preemption Timer\")"
        case 54: "\"WBINVD exiting\" (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        case 58: "\"enable INVPCID\" and \"INVLPG exiting\" (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        default: "a control that Martlet leaves off (28.1.3 \"Instructions That Cause VM Exits Conditionally\")"
        }
    }
}
