/// A rule of VMRUN: a VMCB that breaks one makes it exit with VMEXIT_INVALID. One rule may be about several fields.
public enum ConsistencyRule: UInt8, Equatable, Hashable, Sendable {
    case vmrunIntercept, permissionMap, guestASID
    case eventType, eventVector, eventInMode
    case virtualNMIsNeedIntercept
    case x2AVICNeedsAVIC, avicPointer, avicMaximumIndex
    case nestedCR3, guestPAT
    case svmEnable, eferReservedBits, longModeOffered, longModeNeedsPAE, longModeNeedsProtection, longCodeDefaultSize
    case cr0CacheBits, cr0HighBits, cr3ReservedBits, cr4ReservedBits, debugRegisterHighBits
    case supervisorCET, cetNeedsWriteProtect, userShadowStackInVirtual8086
    case pageDirectoryPointer

    /// How many rules there are; they are numbered from 0.
    public static var count: Int { Int(ConsistencyRule.pageDirectoryPointer.rawValue) + 1 }

    /// What the manual asks for, in words.
    public var words: StaticString { row.words }
    /// Where the manual asks for it.
    public var section: ConsistencySection { row.section }
}

extension ConsistencyRule {
    private struct Row {
        let section: ConsistencySection
        let words: StaticString

        init(_ section: ConsistencySection, _ words: StaticString) {
            self.section = section
            self.words = words
        }
    }

    private var row: Row {
        switch self {
        case .vmrunIntercept: .init(.consistency, "the VMRUN intercept (bit 0) must be 1")
        case .permissionMap: .init(.consistency, "the map must end below the highest physical address")
        case .guestASID: .init(.consistency, "must not be 0, which is the host's")
        case .eventType: .init(.eventInjection, "TYPE (bits 10:8) must be 0, 2, 3 or 4")
        case .eventVector: .init(.eventInjection, "an exception (TYPE 3) needs a vector of an exception, which 2 is not")
        case .eventInMode: .init(.eventInjection, "#OF and #BR do not exist in 64-bit mode")
        case .virtualNMIsNeedIntercept: .init(.nmiVirtualization, "V_NMI_ENABLE needs the NMI intercept")
        case .x2AVICNeedsAVIC: .init(.avicControl, "x2AVIC enable (bit 30) needs AVIC enable (bit 31)")
        case .avicPointer: .init(.avicPointers, "must be an address that the processor supports")
        case .avicMaximumIndex:
            .init(.avicPointers, "the last index (bits 11:0) must be at most 255, with x2AVIC 511, or 4095 with x2AVIC_EXT")
        case .nestedCR3: .init(.nestedPaging, "bits beyond the physical-address width must be 0")
        case .guestPAT: .init(.nestedPaging, "each byte must be 0, 1, 4, 5, 6 or 7")
        case .svmEnable: .init(.consistency, "SVME (bit 12) must be 1")
        case .eferReservedBits: .init(.consistency, "bits that the processor does not have must be 0")
        case .longModeOffered: .init(.consistency, "LME and LMA need a processor with long mode")
        case .longModeNeedsPAE: .init(.consistency, "PAE must be 1 with EFER.LME and CR0.PG")
        case .longModeNeedsProtection: .init(.consistency, "PE must be 1 with EFER.LME and CR0.PG")
        case .longCodeDefaultSize: .init(.consistency, "D must be 0 for 64-bit code (L) in long mode")
        case .cr0CacheBits: .init(.consistency, "NW needs CD")
        case .cr0HighBits: .init(.consistency, "bits 63:32 must be 0")
        case .cr3ReservedBits: .init(.consistency, "bits beyond the physical-address width must be 0 in long mode")
        case .cr4ReservedBits: .init(.consistency, "bits that the processor does not have must be 0")
        case .debugRegisterHighBits: .init(.consistency, "bits 63:32 must be 0")
        case .supervisorCET: .init(.consistency, "reserved bits (63:2) must be 0")
        case .cetNeedsWriteProtect: .init(.consistency, "CET needs CR0.WP")
        case .userShadowStackInVirtual8086:
            .init(.consistency, "VM must be 0 with CR4.CET and shadow stacks of user code (U_CET bit 0)")
        case .pageDirectoryPointer:
            .init(
                .loadingGuestState,
                "a present page-directory pointer's bits 2:1, 8:5 and those beyond the physical-address width must be 0")
        }
    }
}
