import Memory
import VMX
import X86

/// Why a VM entry that passes is not attempted: the kernel would not return from it.
enum EntryObstacle: UInt8 {
    /// HOST_RIP points elsewhere.
    case hostCodeElsewhere
    /// HOST_CR3 points elsewhere, or CR4.LA57, CR4.LASS or EFER.NXE changes what the tables allow.
    case hostTablesElsewhere
    /// An MSR-load or MSR-store area elsewhere, or longer than the page that is meant for it.
    case registerAreaElsewhere
    /// Nothing ends the wait for a SIPI, or a halt without the preemption timer.
    case neverWakes
    /// The VMCS link pointer points to memory whose content is not known.
    case unknownMemory
    /// A known deviation of Bochs ends it.
    case endOfEmulator

    static var count: Int { 6 }

    init?(_ snapshot: VMCSSnapshot, _ base: VMCSSnapshot, mapped memoryEnd: UInt64, endsEmulator: Bool) {
        if endsEmulator {
            self = .endOfEmulator
        } else if snapshot[.hostRIP] != base[.hostRIP] {
            self = .hostCodeElsewhere
        } else if EntryObstacle.changesTables(snapshot, base) {
            self = .hostTablesElsewhere
        } else if EntryObstacle.movesArea(snapshot, base) {
            self = .registerAreaElsewhere
        } else if EntryObstacle.sleeps(snapshot) {
            self = .neverWakes
        } else {
            let link: HostPhysicalAddress = snapshot[.linkPointer]
            guard link.rawValue != UInt64.max, link.rawValue >= memoryEnd else { return nil }
            self = .unknownMemory
        }
    }

    /// CR4.LASS denies the kernel the lower half of the linear addresses, where it lives.
    private static var linearAddressSpaceSeparation: ControlRegister4 { .init(bit: 27) }

    /// Bits 4:3 of CR3 are memory types, and its other low bits have no meaning without PCIDs.
    private static func changesTables(_ snapshot: VMCSSnapshot, _ base: VMCSSnapshot) -> Bool {
        (snapshot[.hostCR3] ^ base[.hostCR3]) & ~0xFFF != 0
            || (snapshot[.hostCR4] ^ base[.hostCR4]).intersects(.fiveLevelPaging | linearAddressSpaceSeparation)
            || (snapshot[.hostEFER] ^ base[.hostEFER]).contains(.executeDisable)
            || snapshot[.hostCR4].contains(.processContextIdentifiers) && snapshot[.hostCR3] != base[.hostCR3]
    }

    /// The preemption timer counts in the HLT and shutdown states, but not while waiting for a SIPI.
    private static func sleeps(_ snapshot: VMCSSnapshot) -> Bool {
        let state = snapshot[.guestActivityState]
        return state == .waitForStartupIPI
            || state != .active
                && (!snapshot[.pinControls].contains(.activatePreemptionTimer) || snapshot[.preemptionTimer] > 1 << 20)
    }

    private static func movesArea(_ snapshot: VMCSSnapshot, _ base: VMCSSnapshot) -> Bool {
        func moves(_ address: VMCSField<HostPhysicalAddress, Writable>, _ count: VMCSField<UInt32, Writable>) -> Bool {
            snapshot[count] > MutationPages.registerAreaCount || snapshot[count] != 0 && snapshot[address] != base[address]
        }
        return moves(.entryMSRLoadAddress, .entryMSRLoadCount) || moves(.exitMSRLoadAddress, .exitMSRLoadCount)
            || moves(.exitMSRStoreAddress, .exitMSRStoreCount)
    }

    var words: StaticString {
        switch self {
        case .hostCodeElsewhere: "the exit would go elsewhere (host RIP)"
        case .hostTablesElsewhere: "the host's page tables would be others (host CR3, CR4.LA57, CR4.LASS, EFER.NXE)"
        case .registerAreaElsewhere: "MSRs would be loaded from or stored to other memory"
        case .neverWakes: "nothing would end the wait for a SIPI, or the halt without preemption timer"
        case .unknownMemory: "the VMCS link pointer would point to memory whose content is not known"
        case .endOfEmulator: "Bochs would let the VM entry pass and then end"
        }
    }
}
