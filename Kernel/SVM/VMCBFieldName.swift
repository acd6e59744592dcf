/// Every field of the VMCB, by its place in one table (APM volume 2, "VMCB Layout"), in the order of their offsets.
///
/// Left out are two arrays, the requested interrupts of a guest with secure AVIC and the stack of last branches.
public enum VMCBFieldName: UInt8, Equatable, Hashable, Sendable {
    case interceptVector0
    case interceptVector1
    case interceptVector2
    case interceptVector3
    case interceptVector4
    case interceptVector5
    case pauseFilterThreshold
    case pauseFilterCount
    case ioPermissionMap
    case msrPermissionMap
    case timeStampCounterOffset
    case guestASID
    case tlbControl
    case returnAddressPredictor
    case virtualInterrupts
    case interruptShadow
    case exitCode
    case exitInfo1
    case exitInfo2
    case exitIntInfo
    case nestedControl
    case avicBase
    case ghcb
    case eventInjection
    case nestedCR3
    case virtualizationControl
    case cleanBits
    case nextRIP
    case instructionByteCount
    case avicBackingPage
    case avicLogicalTable
    case avicPhysicalTable
    case encryptedStatePage
    case vmgexitRAX
    case vmgexitCPL
    case busLockThreshold
    case updateIRR
    case allowedSEVFeatures
    case guestSEVFeatures
    case esSelector
    case esAttributes
    case esLimit
    case esBase
    case csSelector
    case csAttributes
    case csLimit
    case csBase
    case ssSelector
    case ssAttributes
    case ssLimit
    case ssBase
    case dsSelector
    case dsAttributes
    case dsLimit
    case dsBase
    case fsSelector
    case fsAttributes
    case fsLimit
    case fsBase
    case gsSelector
    case gsAttributes
    case gsLimit
    case gsBase
    case gdtrLimit
    case gdtrBase
    case ldtrSelector
    case ldtrAttributes
    case ldtrLimit
    case ldtrBase
    case idtrLimit
    case idtrBase
    case trSelector
    case trAttributes
    case trLimit
    case trBase
    case cpl
    case efer
    case performanceControl0
    case performanceCounter0
    case performanceControl1
    case performanceCounter1
    case performanceControl2
    case performanceCounter2
    case performanceControl3
    case performanceCounter3
    case performanceControl4
    case performanceCounter4
    case performanceControl5
    case performanceCounter5
    case cr4
    case cr3
    case cr0
    case dr7
    case dr6
    case rflags
    case rip
    case retiredInstructions
    case performanceStatus
    case performanceGlobalControl
    case rsp
    case supervisorCET
    case shadowStackPointer
    case interruptShadowStackTable
    case rax
    case star
    case longSTAR
    case compatibilitySTAR
    case systemCallMask
    case kernelGSBase
    case sysenterCS
    case sysenterESP
    case sysenterEIP
    case cr2
    case guestPAT
    case debugControl
    case lastBranchFrom
    case lastBranchTo
    case lastExceptionFrom
    case lastExceptionTo
    case debugExtensionControl
    case speculationControl
    case lastBranchSelect
    case samplingFetchControl
    case samplingFetchLinearAddress
    case samplingOpControl
    case samplingOpRIP
    case samplingOpData
    case samplingOpData2
    case samplingOpData3
    case samplingDataLinearAddress
    case samplingBranchTarget
    case samplingFetchExtendedControl

    /// How many fields there are; they are numbered from 0.
    public static var count: Int { 132 }

    /// nil for a number that no field has.
    @inline(__always)
    public init?(at position: Int) {
        guard position >= 0, position < VMCBFieldName.count else { return nil }
        self = unsafeBitCast(UInt8(truncatingIfNeeded: position), to: VMCBFieldName.self)
    }

    /// The byte of the VMCB at which the field begins.
    public var offset: UInt16 { facts.offset }
    /// 8, 16, 32 or 64.
    public var bitCount: UInt8 { facts.bitCount }
    /// The clean bit that stands for the field; nil if the processor reads the field at each VMRUN, or never.
    public var cleanGroup: VMCBCleanGroup? { facts.group }
    /// The manual's name.
    public var name: StaticString { facts.name }
    /// The bits that the field holds.
    public var valueMask: UInt64 { UInt64.max >> UInt64(64 - bitCount) }
    /// The field is in the state save area, not in the control area.
    public var isState: Bool { offset >= 0x400 }
    /// The processor alone writes it, to tell of an exit.
    public var isReadOnly: Bool {
        switch self {
        case .exitCode, .exitInfo1, .exitInfo2, .exitIntInfo, .instructionByteCount, .vmgexitRAX, .vmgexitCPL, .guestSEVFeatures:
            true
        default: false
        }
    }

    @inline(never)
    private var facts: Row { row }
}

extension VMCBFieldName {
    struct Row {
        let offset: UInt16
        let bitCount: UInt8
        let group: VMCBCleanGroup?
        let name: StaticString

        @inline(__always)
        init(_ offset: UInt16, _ bitCount: UInt8, _ group: VMCBCleanGroup?, _ name: StaticString) {
            self.offset = offset
            self.bitCount = bitCount
            self.group = group
            self.name = name
        }

        /// A field of the state save area, by its offset there.
        @inline(__always)
        static func state(_ offset: UInt16, _ bitCount: UInt8, _ group: VMCBCleanGroup?, _ name: StaticString) -> Row {
            Row(0x400 + offset, bitCount, group, name)
        }
    }

    /// For a field that is known when the code is compiled, this is nothing but its numbers.
    @inline(__always)
    var row: Row {
        switch self {
        case .interceptVector0: .init(0x000, 32, .intercepts, "intercept vector 0")
        case .interceptVector1: .init(0x004, 32, .intercepts, "intercept vector 1")
        case .interceptVector2: .init(0x008, 32, .intercepts, "intercept vector 2")
        case .interceptVector3: .init(0x00C, 32, .intercepts, "intercept vector 3")
        case .interceptVector4: .init(0x010, 32, .intercepts, "intercept vector 4")
        case .interceptVector5: .init(0x014, 32, .intercepts, "intercept vector 5")
        case .pauseFilterThreshold: .init(0x03C, 16, .intercepts, "PAUSE Filter Threshold")
        case .pauseFilterCount: .init(0x03E, 16, .intercepts, "PAUSE Filter Count")
        case .ioPermissionMap: .init(0x040, 64, .permissionMaps, "IOPM_BASE_PA")
        case .msrPermissionMap: .init(0x048, 64, .permissionMaps, "MSRPM_BASE_PA")
        case .timeStampCounterOffset: .init(0x050, 64, .intercepts, "TSC_OFFSET")
        case .guestASID: .init(0x058, 32, .asid, "Guest ASID")
        case .tlbControl: .init(0x05C, 8, nil, "TLB_CONTROL")
        case .returnAddressPredictor: .init(0x05D, 8, nil, "ALLOW_LARGER_RAP and CLEAR_RAP")
        case .virtualInterrupts: .init(0x060, 64, .virtualInterrupts, "virtual interrupt control")
        case .interruptShadow: .init(0x068, 64, nil, "INTERRUPT_SHADOW")
        case .exitCode: .init(0x070, 64, nil, "EXITCODE")
        case .exitInfo1: .init(0x078, 64, nil, "EXITINFO1")
        case .exitInfo2: .init(0x080, 64, nil, "EXITINFO2")
        case .exitIntInfo: .init(0x088, 64, nil, "EXITINTINFO")
        case .nestedControl: .init(0x090, 64, .nestedPaging, "nested paging control")
        case .avicBase: .init(0x098, 64, .avic, "AVIC APIC_BAR")
        case .ghcb: .init(0x0A0, 64, nil, "GHCB address")
        case .eventInjection: .init(0x0A8, 64, nil, "EVENTINJ")
        case .nestedCR3: .init(0x0B0, 64, .nestedPaging, "N_CR3")
        case .virtualizationControl: .init(0x0B8, 64, .lastBranch, "virtualization control")
        case .cleanBits: .init(0x0C0, 32, nil, "VMCB Clean Bits")
        case .nextRIP: .init(0x0C8, 64, nil, "nRIP")
        case .instructionByteCount: .init(0x0D0, 8, nil, "number of bytes fetched")
        case .avicBackingPage: .init(0x0E0, 64, .avic, "AVIC APIC_BACKING_PAGE Pointer")
        case .avicLogicalTable: .init(0x0F0, 64, .avic, "AVIC LOGICAL_TABLE Pointer")
        case .avicPhysicalTable: .init(0x0F8, 64, .avic, "AVIC PHYSICAL_TABLE Pointer")
        case .encryptedStatePage: .init(0x108, 64, nil, "VMSA Pointer")
        case .vmgexitRAX: .init(0x110, 64, nil, "VMGEXIT_RAX")
        case .vmgexitCPL: .init(0x118, 8, nil, "VMGEXIT_CPL")
        case .busLockThreshold: .init(0x120, 16, nil, "Bus Lock Threshold Counter")
        case .updateIRR: .init(0x134, 8, nil, "UPDATE_IRR")
        case .allowedSEVFeatures: .init(0x138, 64, nil, "ALLOWED_SEV_FEATURES")
        case .guestSEVFeatures: .init(0x140, 64, nil, "GUEST_SEV_FEATURES")
        case .esSelector: .state(0x000, 16, .segments, "ES selector")
        case .esAttributes: .state(0x002, 16, .segments, "ES attributes")
        case .esLimit: .state(0x004, 32, .segments, "ES limit")
        case .esBase: .state(0x008, 64, .segments, "ES base")
        case .csSelector: .state(0x010, 16, .segments, "CS selector")
        case .csAttributes: .state(0x012, 16, .segments, "CS attributes")
        case .csLimit: .state(0x014, 32, .segments, "CS limit")
        case .csBase: .state(0x018, 64, .segments, "CS base")
        case .ssSelector: .state(0x020, 16, .segments, "SS selector")
        case .ssAttributes: .state(0x022, 16, .segments, "SS attributes")
        case .ssLimit: .state(0x024, 32, .segments, "SS limit")
        case .ssBase: .state(0x028, 64, .segments, "SS base")
        case .dsSelector: .state(0x030, 16, .segments, "DS selector")
        case .dsAttributes: .state(0x032, 16, .segments, "DS attributes")
        case .dsLimit: .state(0x034, 32, .segments, "DS limit")
        case .dsBase: .state(0x038, 64, .segments, "DS base")
        case .fsSelector: .state(0x040, 16, nil, "FS selector")
        case .fsAttributes: .state(0x042, 16, nil, "FS attributes")
        case .fsLimit: .state(0x044, 32, nil, "FS limit")
        case .fsBase: .state(0x048, 64, nil, "FS base")
        case .gsSelector: .state(0x050, 16, nil, "GS selector")
        case .gsAttributes: .state(0x052, 16, nil, "GS attributes")
        case .gsLimit: .state(0x054, 32, nil, "GS limit")
        case .gsBase: .state(0x058, 64, nil, "GS base")
        case .gdtrLimit: .state(0x064, 32, .descriptorTables, "GDTR limit")
        case .gdtrBase: .state(0x068, 64, .descriptorTables, "GDTR base")
        case .ldtrSelector: .state(0x070, 16, nil, "LDTR selector")
        case .ldtrAttributes: .state(0x072, 16, nil, "LDTR attributes")
        case .ldtrLimit: .state(0x074, 32, nil, "LDTR limit")
        case .ldtrBase: .state(0x078, 64, nil, "LDTR base")
        case .idtrLimit: .state(0x084, 32, .descriptorTables, "IDTR limit")
        case .idtrBase: .state(0x088, 64, .descriptorTables, "IDTR base")
        case .trSelector: .state(0x090, 16, nil, "TR selector")
        case .trAttributes: .state(0x092, 16, nil, "TR attributes")
        case .trLimit: .state(0x094, 32, nil, "TR limit")
        case .trBase: .state(0x098, 64, nil, "TR base")
        case .cpl: .state(0x0CB, 8, .segments, "CPL")
        case .efer: .state(0x0D0, 64, .controlRegisters, "EFER")
        case .performanceControl0: .state(0x0E0, 64, nil, "PERF_CTL0")
        case .performanceCounter0: .state(0x0E8, 64, nil, "PERF_CTR0")
        case .performanceControl1: .state(0x0F0, 64, nil, "PERF_CTL1")
        case .performanceCounter1: .state(0x0F8, 64, nil, "PERF_CTR1")
        case .performanceControl2: .state(0x100, 64, nil, "PERF_CTL2")
        case .performanceCounter2: .state(0x108, 64, nil, "PERF_CTR2")
        case .performanceControl3: .state(0x110, 64, nil, "PERF_CTL3")
        case .performanceCounter3: .state(0x118, 64, nil, "PERF_CTR3")
        case .performanceControl4: .state(0x120, 64, nil, "PERF_CTL4")
        case .performanceCounter4: .state(0x128, 64, nil, "PERF_CTR4")
        case .performanceControl5: .state(0x130, 64, nil, "PERF_CTL5")
        case .performanceCounter5: .state(0x138, 64, nil, "PERF_CTR5")
        case .cr4: .state(0x148, 64, .controlRegisters, "CR4")
        case .cr3: .state(0x150, 64, .controlRegisters, "CR3")
        case .cr0: .state(0x158, 64, .controlRegisters, "CR0")
        case .dr7: .state(0x160, 64, .debugRegisters, "DR7")
        case .dr6: .state(0x168, 64, .debugRegisters, "DR6")
        case .rflags: .state(0x170, 64, nil, "RFLAGS")
        case .rip: .state(0x178, 64, nil, "RIP")
        case .retiredInstructions: .state(0x1C0, 64, nil, "INSTR_RETIRED_CTR")
        case .performanceStatus: .state(0x1C8, 64, nil, "PERF_CTR_GLOBAL_STS")
        case .performanceGlobalControl: .state(0x1D0, 64, nil, "PERF_CTR_GLOBAL_CTL")
        case .rsp: .state(0x1D8, 64, nil, "RSP")
        case .supervisorCET: .state(0x1E0, 64, .shadowStack, "S_CET")
        case .shadowStackPointer: .state(0x1E8, 64, .shadowStack, "SSP")
        case .interruptShadowStackTable: .state(0x1F0, 64, .shadowStack, "ISST_ADDR")
        case .rax: .state(0x1F8, 64, nil, "RAX")
        case .star: .state(0x200, 64, nil, "STAR")
        case .longSTAR: .state(0x208, 64, nil, "LSTAR")
        case .compatibilitySTAR: .state(0x210, 64, nil, "CSTAR")
        case .systemCallMask: .state(0x218, 64, nil, "SFMASK")
        case .kernelGSBase: .state(0x220, 64, nil, "KernelGsBase")
        case .sysenterCS: .state(0x228, 64, nil, "SYSENTER_CS")
        case .sysenterESP: .state(0x230, 64, nil, "SYSENTER_ESP")
        case .sysenterEIP: .state(0x238, 64, nil, "SYSENTER_EIP")
        case .cr2: .state(0x240, 64, .cr2, "CR2")
        case .guestPAT: .state(0x268, 64, .nestedPaging, "G_PAT")
        case .debugControl: .state(0x270, 64, .lastBranch, "DBGCTL")
        case .lastBranchFrom: .state(0x278, 64, .lastBranch, "BR_FROM")
        case .lastBranchTo: .state(0x280, 64, .lastBranch, "BR_TO")
        case .lastExceptionFrom: .state(0x288, 64, .lastBranch, "LASTEXCPFROM")
        case .lastExceptionTo: .state(0x290, 64, .lastBranch, "LASTEXCPTO")
        case .debugExtensionControl: .state(0x298, 64, .lastBranch, "DBGEXTNCTL")
        case .speculationControl: .state(0x2E0, 64, nil, "SPEC_CTRL")
        case .lastBranchSelect: .state(0x770, 64, nil, "LBR_SELECT")
        case .samplingFetchControl: .state(0x778, 64, nil, "IBS_FETCH_CTL")
        case .samplingFetchLinearAddress: .state(0x780, 64, nil, "IBS_FETCH_LINADDR")
        case .samplingOpControl: .state(0x788, 64, nil, "IBS_OP_CTL")
        case .samplingOpRIP: .state(0x790, 64, nil, "IBS_OP_RIP")
        case .samplingOpData: .state(0x798, 64, nil, "IBS_OP_DATA")
        case .samplingOpData2: .state(0x7A0, 64, nil, "IBS_OP_DATA2")
        case .samplingOpData3: .state(0x7A8, 64, nil, "IBS_OP_DATA3")
        case .samplingDataLinearAddress: .state(0x7B0, 64, nil, "IBS_DC_LINADDR")
        case .samplingBranchTarget: .state(0x7B8, 64, nil, "BP_IBSTGT_RIP")
        case .samplingFetchExtendedControl: .state(0x7C0, 64, nil, "IC_IBS_EXTD_CTL")
        }
    }
}
