extension ExitReason {
    /// What makes the processor exit for this reason: the control bit, or that it always does, and the title of the manual's
    /// section (SDM volume 3, mostly of the chapter "VMX Non-Root Operation").
    public var cause: StaticString {
        switch basic {
        case 0: "its bit in the exception bitmap, or \"NMI exiting\" (\"Other Causes of VM Exits\")"
        case 1: "\"external-interrupt exiting\" (\"Other Causes of VM Exits\")"
        case 2, 3, 4: "always (\"Other Causes of VM Exits\")"
        case 5, 6: "always under the dual-monitor treatment of SMIs (\"Other Causes of VM Exits\")"
        case 7: "\"interrupt-window exiting\" (\"Other Causes of VM Exits\")"
        case 8: "\"NMI-window exiting\" (\"Other Causes of VM Exits\")"
        case 9: "always (\"Treatment of Task Switches\")"
        case 10, 11, 13, 18...27, 50, 53, 55:
            "always (\"Instructions That Cause VM Exits Unconditionally\")"
        case 12: "\"HLT exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 14: "\"INVLPG exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 15: "\"RDPMC exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 16: "\"RDTSC exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 17: "always in system-management mode (\"Instructions That Cause VM Exits Conditionally\")"
        case 28:
            "a bit of the CR0 or CR4 guest/host mask, or CR3/CR8 exiting (\"Instructions That Cause VM Exits Conditionally\")"
        case 29: "\"MOV-DR exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 30: "its bit in the I/O bitmaps, or \"unconditional I/O exiting\" (\"I/O-Bitmap Addresses\")"
        case 31, 32: "its bit in the MSR bitmaps, or none there (\"MSR-Bitmap Address\")"
        case 33: "always (\"Checks on the Guest State Area\")"
        case 34: "always (\"Loading MSRs\")"
        case 36: "\"MWAIT exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 37: "\"monitor trap flag\" (\"Monitor Trap Flag\")"
        case 39: "\"MONITOR exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 40: "\"PAUSE exiting\" or \"PAUSE-loop exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 41: "always (\"Machine-Check Events During VM Entry\")"
        case 43: "\"use TPR shadow\" and the TPR threshold (\"TPR Virtualization\")"
        case 44: "\"virtualize APIC accesses\" (\"Virtualizing Memory-Mapped APIC Accesses\")"
        case 45: "\"virtual-interrupt delivery\" and the vector's bit in the EOI-exit bitmap (\"EOI Virtualization\")"
        case 46, 47: "\"descriptor-table exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 48: "the extended page tables do not allow the access (\"EPT Violations\")"
        case 49: "an entry of the extended page tables is misconfigured (\"EPT Misconfigurations\")"
        case 51: "\"enable RDTSCP\" and \"RDTSC exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 52: "\"activate VMX-preemption timer\" (\"VMX-Preemption Timer\")"
        case 54: "\"WBINVD exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 56: "\"APIC-register virtualization\" or \"virtual-interrupt delivery\" (\"APIC-Write VM Exits\")"
        case 57: "\"RDRAND exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 58: "\"enable INVPCID\" and \"INVLPG exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 59: "\"enable VM functions\", and a function that is off or fails (\"VM Functions\")"
        case 60: "\"enable ENCLS exiting\" and its bitmap (\"Instructions That Cause VM Exits Conditionally\")"
        case 61: "\"RDSEED exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 62: "\"enable PML\" (\"Page-Modification Logging\")"
        case 63, 64:
            "\"enable XSAVES/XRSTORS\" and the XSS-exiting bitmap (\"Instructions That Cause VM Exits Conditionally\")"
        case 65: "\"enable PCONFIG\" and its bitmap (\"Instructions That Cause VM Exits Conditionally\")"
        case 66: "\"sub-page write permissions for EPT\" (\"Sub-Page Write Permissions\")"
        case 67, 68:
            "\"enable user wait and pause\" and \"RDTSC exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 69: "\"LOADIWKEY exiting\" (\"Instructions That Cause VM Exits Conditionally\")"
        case 70: "\"enable ENCLV exiting\" and its bitmap (\"Instructions That Cause VM Exits Conditionally\")"
        case 72, 73: "\"PASID translation\" (\"PASID Translation\")"
        case 74: "\"VMM bus-lock detection\" (\"Other Causes of VM Exits\")"
        case 75: "\"instruction timeout\" (\"Other Causes of VM Exits\")"
        case 76, 77: "always (\"Instructions That Cause VM Exits Unconditionally\")"
        case 78, 79:
            "\"enable MSR-list instructions\" and the MSR bitmaps (\"Instructions That Cause VM Exits Conditionally\")"
        case 80, 81, 84, 85: "its bit in the MSR bitmaps, or none there (\"MSR-Bitmap Address\")"
        default: "nothing: the manual reserves the number (\"VMX Basic Exit Reasons\")"
        }
    }
}
