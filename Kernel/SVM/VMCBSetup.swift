import Memory
import X86

/// The pages and tables that the VMCB of a virtual CPU points to.
public struct SVMStructures: Equatable, Sendable {
    public var ioPermissions: HostPhysicalAddress
    public var msrPermissions: HostPhysicalAddress
    public var nestedTables: HostPhysicalAddress
    /// The tag of the guest's translations, not 0, which is the host's.
    public var asid: UInt32

    public init(
        ioPermissions: HostPhysicalAddress, msrPermissions: HostPhysicalAddress, nestedTables: HostPhysicalAddress, asid: UInt32
    ) {
        self.ioPermissions = ioPermissions
        self.msrPermissions = msrPermissions
        self.nestedTables = nestedTables
        self.asid = asid
    }
}

extension VMCB {
    /// Fills a VMCB of zeros: controls, and the guest state that no kind of guest start changes.
    /// - Parameter watchesPaging: the guest is one with shadow tables, or whose own are to translate alone: what it changes of CR0
    ///   but TS and MP exits.
    public func prepare(_ structures: SVMStructures, watchesPaging: Bool = false) {
        let intercepts = SVMControls.intercepts
        self[.interceptVector0] = .init(rawValue: intercepts.vectors[0])
        self[.interceptVector1] = .init(rawValue: intercepts.vectors[1])
        self[.interceptVector2] = .init(rawValue: intercepts.vectors[2])
        self[.interceptVector3] = .init(rawValue: intercepts.vectors[3])
        self[.interceptVector4] = .init(rawValue: intercepts.vectors[4])
        self[.interceptVector5] = .init(rawValue: intercepts.vectors[5])
        if watchesPaging { setIntercept(.cr0SelectiveWrite, to: true) }
        self[.ioPermissionMap] = structures.ioPermissions
        self[.msrPermissionMap] = structures.msrPermissions
        self[.guestASID] = structures.asid
        self[.tlbControl] = .flushAll
        self[.virtualInterrupts] = .masking
        self[.nestedControl] = .nestedPaging
        self[.nestedCR3] = structures.nestedTables
        self[.guestPAT] = .atReset
        self[.efer] = .secureVirtualMachine
        self[.cr4] = .machineCheckEnable
        self[.dr6] = DebugStatus.initial
        self[.cleanBits] = .none
    }

    /// The MSRs of a guest's that VMLOAD and VMSAVE exchange with the VMCB, and that stay in the processor on VMX: the host services
    /// of a guest on SVM read and write them here, and CR2 and DR6, which VMRUN and exits exchange, in their fields (APM volume 2,
    /// "VMSAVE and VMLOAD Instructions").
    /// - Returns: nil for an MSR that stays in the processor.
    public func switchedRegister(_ register: ModelSpecificRegister) -> UInt64? {
        switchedField(register).map { bits(of: $0) }
    }

    /// - Returns: false for an MSR that stays in the processor.
    public func setSwitchedRegister(_ register: ModelSpecificRegister, to value: UInt64) -> Bool {
        guard let field = switchedField(register) else { return false }
        setBits(of: field, to: value)
        return true
    }

    private func switchedField(_ register: ModelSpecificRegister) -> VMCBFieldName? {
        switch register {
        case .star: .star
        case .longSTAR: .longSTAR
        case .compatibilitySTAR: .compatibilitySTAR
        case .systemCallMask: .systemCallMask
        case .kernelGSBase: .kernelGSBase
        default: nil
        }
    }
}
