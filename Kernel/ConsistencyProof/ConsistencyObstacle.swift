import Memory
import SVM
import X86

/// Why VMRUN is not attempted: the guest would do more than exit, or an emulator would not bring the host back.
enum ConsistencyObstacle: UInt8 {
    /// It has no paging of either kind.
    case machineMemory
    /// Its page tables, or the nested ones, lie in memory of which nothing is known.
    case otherTables
    /// Its memory or its state would be decrypted.
    case encryption
    /// The processor would work a local APIC in memory of which nothing is known.
    case localAPIC
    // Where an emulator ends, or breaks its host.
    case bochsPageTables, bochsRealMode, bochsVirtual8086, bochsSingleStep, qemuPaging

    static var count: Int { Int(ConsistencyObstacle.qemuPaging.rawValue) + 1 }

    /// Of a VMCB that enters.
    init?(_ vmcb: VMCB, _ pages: ConsistencyPages, memoryEnd: UInt64, _ features: SVMFeatures, on emulator: Emulator?) {
        let control = vmcb[.nestedControl]
        let isNested = control.contains(.nestedPaging) && features.contains(.nestedPaging)
        if !isNested, !vmcb[.cr0].contains(.paging) {
            self = .machineMemory
        } else if ConsistencyObstacle.isElsewhere(isNested ? vmcb[.nestedCR3].rawValue : vmcb[.cr3], pages, memoryEnd) {
            self = .otherTables
        } else if emulator == nil, control.intersects(.encryptedMemory | .encryptedState) {
            self = .encryption
        } else if features.contains(.avic), vmcb[.virtualInterrupts].contains(.avicEnable) {
            self = .localAPIC
        } else {
            return nil
        }
    }

    /// Whether a root table is memory that exists and is not the page of zeroes. A guest outside long mode has a CR3 of 32 bits.
    private static func isElsewhere(_ root: UInt64, _ pages: ConsistencyPages, _ memoryEnd: UInt64) -> Bool {
        let page = root & 0x000F_FFFF_FFFF_F000
        return page != pages.blank.rawValue && page < memoryEnd || (root ^ pages.blank.rawValue) & 0xFFFF_F000 != 0
    }

    /// Of any VMCB on an emulator.
    init?(endOf emulator: Emulator, by vmcb: VMCB, _ capabilities: SVMCapabilities) {
        let hasPaging = vmcb[.cr0].contains(.paging)
        let isLong = vmcb[.efer].contains(.longModeEnable)
        let flags = vmcb[.rflags]
        switch emulator {
        case .bochs:
            if vmcb[.cr3] >> UInt64(capabilities.physicalAddressWidth) != 0 {
                self = .bochsPageTables
            } else if isLong, hasPaging, !vmcb[.cr0].contains(.protectionEnable) {
                self = .bochsRealMode
            } else if !isLong, flags.contains(.virtual8086) {
                self = .bochsVirtual8086
            } else if vmcb[.nestedControl].rawValue & 0xFF != 0, flags.contains(.trap) {
                self = .bochsSingleStep
            } else {
                return nil
            }
        case .qemu:
            guard isLong, !hasPaging, !vmcb[.cr4].contains(.physicalAddressExtension) else { return nil }
            self = .qemuPaging
        }
    }

    var words: StaticString {
        switch self {
        case .machineMemory: "the guest would run in the machine's own memory (neither CR0.PG nor nested paging)"
        case .otherTables: "page tables would lie in memory whose content is not known (CR3, N_CR3)"
        case .encryption: "the guest would be encrypted (SEV)"
        case .localAPIC: "the processor would work a local APIC in memory whose content is not known (AVIC)"
        case .bochsPageTables: "Bochs does not check the high bits of CR3, and ends when it reads page tables there"
        case .bochsRealMode: "Bochs does not check CR0.PE in long mode, and ends"
        case .bochsVirtual8086: "Bochs ends when a guest in virtual-8086 mode exits"
        case .bochsSingleStep: "Bochs takes a single step that a nested page fault cut short for the host's"
        case .qemuPaging: "QEMU gives the host CR0 before CR4: with EFER.LME, but no paging and no PAE, paging stays off"
        }
    }
}
