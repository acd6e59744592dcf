import VMX
import X86

extension EntryChecks {
    func checkGuestInstructionPointer() {
        let pointer: UInt64 = snapshot[.guestRIP]
        let is64Bit = entersIA32e && snapshot[.guestCSAccessRights].isLong
        require(is64Bit || pointer >> 32 == 0, .ripHighBits, .guestRIP)
        require(!is64Bit || hasIdenticalUpperBits(pointer), .ripUpperBits, .guestRIP)
        checkFlags()
        guard snapshot[.entryControls].contains(.loadCETState) else { return }
        let shadow: UInt64 = snapshot[.guestShadowStackPointer]
        require(shadow & 3 == 0, .shadowStackAlignment, .guestShadowStackPointer)
        require(hasIdenticalUpperBits(shadow), .shadowStackUpperBits, .guestShadowStackPointer)
    }

    private func checkFlags() {
        let flags = snapshot[.guestRFLAGS]
        require(flags.rawValue & 0xFFFF_FFFF_FFC0_8028 == 0, .rflagsReservedBits, .guestRFLAGS)
        require(flags.contains(.alwaysSet), .rflagsAlwaysSet, .guestRFLAGS)
        require(!flags.contains(.virtual8086) || !entersIA32e, .virtual8086InLongMode, .guestRFLAGS)
        require(
            !flags.contains(.virtual8086) || snapshot[.guestCR0].contains(.protectionEnable), .virtual8086NeedsProtection,
            .guestRFLAGS)
        require(!injects(.externalInterrupt) || flags.contains(.interruptEnable), .injectionNeedsInterruptFlag, .guestRFLAGS)
    }
}
