import Memory
import Text
import VMX
import X86

extension MSRExplanation {
    /// Whether the register has flags or numbers to tell; otherwise it is one number or address.
    var hasBits: Bool {
        switch register {
        case .platformID, .apicBase, .featureControl, .speculationControl, .predictionCommand, .microcodeVersion,
            .platformInformation, .memoryTypeCapability, .architecturalCapabilities, .flushCommand, .sysenterCS,
            .machineCheckCapability, .machineCheckStatus, .miscEnable, .debugControl, .memoryTypeDefault, .vmxVMCSEnumeration,
            .vmxFunctions, .supervisorState, .star, .timeStampCounterAux:
            true
        default: false
        }
    }

    /// Tells of the fields wider than a bit.
    func reportNumbers(_ table: inout BitTable, to print: (Line) -> Void) {
        switch register {
        case .platformID: table.row(52, 50, "the platform's number", to: print)
        case .apicBase: table.row(51, 12, "the APIC's registers lie at \(hex: table.value & 0x000F_FFFF_FFFF_F000)", to: print)
        case .featureControl: table.row(14, 8, "functions of SENTER that are allowed", to: print)
        case .microcodeVersion: table.row(63, 32, "the revision of the microcode", to: print)
        case .platformInformation:
            table.row(15, 8, "the highest ratio of the clock without turbo", to: print)
            table.row(47, 40, "the lowest ratio of the clock", to: print)
        case .memoryTypeCapability: table.row(7, 0, "variable ranges", to: print)
        case .sysenterCS: table.row(15, 0, "the selector", to: print)
        case .machineCheckCapability:
            table.row(7, 0, "banks of error registers", to: print)
            table.row(23, 16, "extended state registers", to: print)
        case .memoryTypeDefault: table.row(7, 0, MemoryTypeWords.line(table.bits(7, 0)), to: print)
        case .vmxVMCSEnumeration: table.row(9, 1, "the highest index of a VMCS field", to: print)
        case .star:
            table.row(
                31, 0, "SYSCALL's instruction pointer outside 64-bit mode (unused by Intel processors)", to: print)
            table.row(47, 32, "SYSCALL loads CS with this, SS with 8 more", to: print)
            table.row(63, 48, "SYSRET loads CS with this (16 more in 64-bit mode), SS with 8 more", to: print)
        case .timeStampCounterAux: table.row(31, 0, "the number", to: print)
        default: break
        }
    }

    /// What a set bit of the register means, where it means something by itself.
    func words(ofBit bit: Int) -> Line? {
        guard let meaning = meaning(ofBit: bit) else { return nil }
        guard register == .architecturalCapabilities, let name = ArchitecturalCapabilities.name(ofBit: bit) else {
            return Line(meaning)
        }
        return "\(name): \(meaning)"
    }

    private func meaning(ofBit bit: Int) -> StaticString? {
        switch register {
        case .apicBase: Self.apicBase(bit)
        case .featureControl: Self.featureControl(bit)
        case .speculationControl: Self.speculationControl(bit)
        case .predictionCommand: bit == 0 ? "IBPB: forget indirect branches" : nil
        case .platformInformation: bit == 31 ? "CPUID can be made to fault" : nil
        case .memoryTypeCapability: Self.rangeCapability(bit)
        case .architecturalCapabilities: Self.architecturalCapability(bit)
        case .flushCommand: bit == 0 ? "L1D_FLUSH: write back and empty the first-level data cache" : nil
        case .machineCheckCapability: Self.machineCheckCapability(bit)
        case .machineCheckStatus: Self.machineCheckStatus(bit)
        case .miscEnable: MiscEnable.name(ofBit: bit)
        case .debugControl: Self.debugControl(bit)
        case .memoryTypeDefault: Self.memoryTypeDefault(bit)
        case .vmxFunctions: VMFunctions.name(ofBit: bit)
        case .supervisorState: Self.supervisorState(bit)
        default: nil
        }
    }

    private static func apicBase(_ bit: Int) -> StaticString? {
        switch bit {
        case 8: "BSP: the bootstrap processor"
        case 10: "EXTD: x2APIC mode"
        case 11: "EN: the APIC is enabled"
        default: nil
        }
    }

    private static func featureControl(_ bit: Int) -> StaticString? {
        switch bit {
        case 0: "locked until the next reset"
        case 1: "VMXON is allowed in SMX operation"
        case 2: "VMXON is allowed outside SMX operation"
        case 15: "SENTER is allowed"
        case 17: "SGX launch control is allowed"
        case 18: "SGX is allowed"
        case 20: "local machine checks are on"
        default: nil
        }
    }

    private static func speculationControl(_ bit: Int) -> StaticString? {
        switch bit {
        case 0: "IBRS: indirect branches are restricted"
        case 1: "STIBP: indirect branches do not learn from the sibling thread"
        case 2: "SSBD: loads do not overtake stores speculatively"
        case 3: "IPRED_DIS_U: no prediction of indirect branches at privilege level 3"
        case 4: "IPRED_DIS_S: no prediction of indirect branches at privilege levels 0 to 2"
        case 5: "RRSBA_DIS_U: returns have no other predictor at privilege level 3"
        case 6: "RRSBA_DIS_S: returns have no other predictor at privilege levels 0 to 2"
        case 7: "PSFD: no fast store forwarding"
        case 8: "DDPD_U: no data-dependent prefetch at privilege level 3"
        case 10: "BHI_DIS_S: branch history of user code does not steer supervisor code"
        default: nil
        }
    }

    private static func memoryTypeDefault(_ bit: Int) -> StaticString? {
        switch UInt64(1) << UInt64(bit) {
        case MemoryTypeBits.enablesFixedRanges: "FE: fixed ranges are on"
        case MemoryTypeBits.enablesRanges: "E: the range registers are on"
        default: nil
        }
    }

    private static func rangeCapability(_ bit: Int) -> StaticString? {
        switch bit {
        case 8: "fixed ranges"
        case 10: "write-combining is offered"
        case 11: "range registers for system-management memory"
        case 12: "PRMRR"
        default: nil
        }
    }

    private static func architecturalCapability(_ bit: Int) -> StaticString? {
        switch ArchitecturalCapabilities(bit: bit) {
        case .rdclNo: "not subject to rogue data-cache loads (Meltdown)"
        case .ibrsAll: "enhanced IBRS"
        case .rsba: "returns may use another predictor when their buffer is empty"
        case .skipL1DFlushOnEntry: "no need to flush the first-level data cache before VM entry"
        case .ssbNo: "not subject to speculative store bypass"
        case .mdsNo: "not subject to microarchitectural data sampling"
        case .ifPSChangeMCNo: "no machine check when a code page changes its size"
        case .tsxControl: "IA32_TSX_CTRL exists"
        case .taaNo: "not subject to transactional asynchronous abort"
        case .mcuControl: "IA32_MCU_CONTROL exists"
        case .miscPackageControls: "IA32_MISC_PACKAGE_CTLS exists"
        case .energyFiltering: "energy readings can be filtered"
        case .doitm: "data-operand-independent timing can be chosen"
        case .sbdrSSDPNo: "not subject to shared-buffer data reads"
        case .fbsdpNo: "the fill buffer passes on no stale data"
        case .psdpNo: "primary stale data are not passed on"
        case .fbClear: "VERW clears the fill buffer"
        case .fbClearControl: "that clearing can be switched off"
        case .rrsba: "returns may use another predictor when restricted"
        case .bhiNo: "not subject to branch history injection"
        case .xAPICDisableStatus: "IA32_XAPIC_DISABLE_STATUS exists"
        case .overclockingStatus: "IA32_OVERCLOCKING_STATUS exists"
        case .pbrsbNo: "returns after a VM exit predict soundly"
        case .gdsControl: "the mitigation of gather data sampling can be controlled"
        case .gdsNo: "not subject to gather data sampling"
        case .rfdsNo: "not subject to register-file data sampling"
        case .rfdsClear: "VERW clears the register file"
        default: nil
        }
    }

    private static func machineCheckCapability(_ bit: Int) -> StaticString? {
        switch bit {
        case 8: "MCG_CTL_P: IA32_MCG_CTL exists"
        case 9: "MCG_EXT_P: extended state registers exist"
        case 10: "MCG_CMCI_P: corrected errors can interrupt"
        case 11: "MCG_TES_P: error counts have a threshold status"
        case 24: "MCG_SER_P: software can recover from some errors"
        case 25: "MCG_EMC_P: enhanced machine checks"
        case 26: "MCG_ELOG_P: firmware can add to the error log"
        case 27: "MCG_LMCE_P: local machine checks"
        default: nil
        }
    }

    private static func machineCheckStatus(_ bit: Int) -> StaticString? {
        switch bit {
        case 0: "RIPV: the program can go on at the saved instruction pointer"
        case 1: "EIPV: the saved instruction pointer belongs to the error"
        case 2: "MCIP: a machine check is in progress"
        case 3: "LMCE_S: it concerns this processor only"
        default: nil
        }
    }

    private static func debugControl(_ bit: Int) -> StaticString? {
        switch UInt64(1) << UInt64(bit) {
        case DebugControl.lastBranchRecords: "LBR: branches are recorded"
        case DebugControl.branchSteps: "BTF: TF steps from branch to branch"
        case DebugControl.busLocks: "BLD: bus locks raise #DB"
        case DebugControl.traceMessages: "TR: branch trace messages"
        case DebugControl.traceStore: "BTS: the messages go to memory"
        case DebugControl.traceInterrupt: "BTINT: a full trace buffer interrupts"
        case DebugControl.noTraceOfSupervisor: "BTS_OFF_OS: no trace at privilege level 0"
        case DebugControl.noTraceOfUser: "BTS_OFF_USR: no trace at privilege levels 1 to 3"
        case DebugControl.freezeLastBranchRecords: "FREEZE_LBRS_ON_PMI: a performance interrupt stops branch records"
        case DebugControl.freezeCounters: "FREEZE_PERFMON_ON_PMI: a performance interrupt stops counters"
        case DebugControl.uncoreInterrupt: "UNCORE_PMI_EN: the uncore may interrupt"
        case DebugControl.freezeInManagementMode: "FREEZE_WHILE_SMM: no counting in system-management mode"
        case DebugControl.transactional: "RTM: #DB in transactional regions"
        default: nil
        }
    }

    private static func supervisorState(_ bit: Int) -> StaticString? {
        switch bit {
        case 8: "Intel Processor Trace"
        case 10: "process-address-space identifier"
        case 11: "shadow stacks and branch tracking of user code"
        case 12: "shadow stacks of supervisor code"
        case 13: "hardware duty cycling"
        case 14: "user interrupts"
        case 15: "last-branch records"
        case 16: "hardware-controlled performance states"
        default: nil
        }
    }
}
