import X86

extension EntryChecks {
    func checkGuestInstructionPointer(_ report: Report) {
        let section = EntryCheckSection.guestInstructionPointer
        let pointer: UInt64 = snapshot[.guestRIP]
        let is64Bit = entersIA32e && snapshot[.guestCSAccessRights].isLong
        require(
            is64Bit || pointer >> 32 == 0, .guestRIP, section, "bits 63:32 must be 0 outside 64-bit mode", report)
        require(
            !is64Bit || isCanonical(pointer), .guestRIP, section,
            "bits beyond the linear-address width must all equal its highest bit", report)
        checkFlags(section, report)
        guard snapshot[.entryControls].contains(.loadCETState) else { return }
        let shadow: UInt64 = snapshot[.guestShadowStackPointer]
        require(shadow & 3 == 0, .guestShadowStackPointer, section, "bits 1:0 must be 0", report)
        require(
            is64Bit ? isCanonical(shadow) : shadow >> 32 == 0, .guestShadowStackPointer, section,
            "must be canonical in 64-bit mode, and have no bits 63:32 elsewhere", report)
    }

    private func checkFlags(_ section: EntryCheckSection, _ report: Report) {
        let flags = snapshot[.guestRFLAGS]
        require(
            flags.rawValue & 0xFFFF_FFFF_FFC0_8028 == 0, .guestRFLAGS, section, "bits 63:22, 15, 5 and 3 must be 0", report)
        require(flags.contains(.alwaysSet), .guestRFLAGS, section, "bit 1 must be 1", report)
        require(
            !flags.contains(.virtual8086) || !entersIA32e, .guestRFLAGS, section, "VM must be 0 with \"IA-32e mode guest\"",
            report)
        require(
            !flags.contains(.virtual8086) || snapshot[.guestCR0].contains(.protectionEnable), .guestRFLAGS, section,
            "VM must be 0 when CR0.PE is 0", report)
        require(
            !injects(.externalInterrupt) || flags.contains(.interruptEnable), .guestRFLAGS, section,
            "IF must be 1 to inject an external interrupt", report)
    }
}
