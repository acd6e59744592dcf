import Memory
import VMX
import X86

// Conditions that several checks use.

extension EntryChecks {
    /// No bits beyond the width of physical addresses.
    func isPhysical(_ address: UInt64) -> Bool { address >> UInt64(capabilities.physicalAddressWidth) == 0 }

    /// The address of a structure that the VMCS points to: aligned, and within the addresses that such structures may have
    /// (SDM volume 3, appendix A.1 "Basic VMX Information", on bit 48).
    func isStructure(_ address: HostPhysicalAddress, alignment: UInt64) -> Bool {
        let width = capabilities.basic.addressesAre32Bit ? 32 : capabilities.physicalAddressWidth
        return address.rawValue & (alignment - 1) == 0 && address.rawValue >> UInt64(width) == 0
    }

    func isPage(_ address: HostPhysicalAddress) -> Bool { isStructure(address, alignment: 4096) }

    /// An area of `count` entries of 16 bytes; an empty area may lie anywhere.
    func isMSRArea(_ address: HostPhysicalAddress, count: UInt32) -> Bool {
        guard count != 0 else { return true }
        let (last, overflow) = address.rawValue.addingReportingOverflow(UInt64(count) * 16 - 1)
        return !overflow && isStructure(address, alignment: 16)
            && isStructure(HostPhysicalAddress(last), alignment: 1)
    }

    /// The bits above the width of linear addresses all equal the highest bit within it.
    ///
    /// The width is the widest that the processor supports, not that of the current paging mode.
    func isCanonical(_ address: UInt64) -> Bool {
        let unused = UInt64(64 - capabilities.linearAddressWidth)
        return UInt64(bitPattern: Int64(bitPattern: address << unused) >> Int64(unused)) == address
    }

    /// The bits above the width of linear addresses are all the same: the highest bit within it may differ, as it does after
    /// the last instruction of the lower half.
    func hasIdenticalUpperBits(_ address: UInt64) -> Bool {
        let upper = Int64(bitPattern: address) >> Int64(capabilities.linearAddressWidth)
        return upper == 0 || upper == -1
    }

    /// IA32_S_CET: no reserved bit, and the tracker not suppressed while it waits.
    func isSupervisorCET(_ value: UInt64) -> Bool {
        value & ControlFlowEnforcement.reserved == 0
            && ~value & (ControlFlowEnforcement.suppressed | ControlFlowEnforcement.waitsForBranchTarget) != 0
    }

    /// The reserved bits of CR3 under 4-level and 5-level paging.
    func isPageTableBase(_ value: UInt64) -> Bool { isPhysical(value) }

    /// The secondary controls in effect: none while the primary controls do not activate them.
    var secondary: SecondaryControls {
        snapshot[.primaryControls].contains(.activateSecondaryControls) ? snapshot[.secondaryControls] : .none
    }

    var entersIA32e: Bool { snapshot[.entryControls].contains(.ia32eModeGuest) }
    var isUnrestricted: Bool { secondary.contains(.unrestrictedGuest) }
    var isVirtual8086: Bool { snapshot[.guestRFLAGS].contains(.virtual8086) }

    /// The event to be injected.
    var injection: InterruptionInformation { snapshot[.entryInterruptionInformation] }

    func injects(_ kind: InterruptionInformation.Kind) -> Bool { injection.isValid && injection.kind == kind }
}
