import Memory
import Virtualization
import X86

extension SVMProcessor {
    @inline(__always)
    public var instructionPointer: UInt64 {
        get { vmcb[.rip] }
        nonmutating set { vmcb[.rip] = newValue }
    }

    @inline(__always)
    public var stackPointer: UInt64 {
        get { vmcb[.rsp] }
        nonmutating set { vmcb[.rsp] = newValue }
    }

    @inline(__always)
    public var flags: RFlags {
        get { vmcb[.rflags] }
        nonmutating set { vmcb[.rflags] = newValue }
    }

    /// The guest's, CD and NW with it: VMRUN and exits switch all of CR0, so that caches which the guest turns off are on again for
    /// the host.
    @inline(__always)
    public var cr0: ControlRegister0 {
        get { vmcb[.cr0] }
        nonmutating set { vmcb[.cr0] = newValue | .extensionType }
    }

    /// SVM shows a guest all of the processor's CR4, so reads of it exit: it need not be the guest's.
    @inline(__always)
    public var cr4: ControlRegister4 {
        get { context.pointee.cr4 }
        nonmutating set {
            context.pointee.cr4 = newValue
            followControlRegister4()
        }
    }

    @inline(__always)
    public var readsOfCR4Exit: Bool { true }

    /// Machine checks stay on under the guest: they are the host's. Under 32-bit paging shadow tables are those of PAE paging.
    func followControlRegister4() {
        let ofShadow: ControlRegister4 = usesShadowTables && !isLongModeActive ? .physicalAddressExtension : .none
        vmcb[.cr4] = context.pointee.cr4 | .machineCheckEnable | ofShadow
    }

    public var cr3: UInt64 {
        get { context.pointee.tables.isShadowed ? context.pointee.tables.cr3 : vmcb[.cr3] }
        nonmutating set {
            if context.pointee.tables.isShadowed { context.pointee.tables.cr3 = newValue } else { vmcb[.cr3] = newValue }
        }
    }

    @inline(__always)
    public var loadedCR3: UInt64 { vmcb[.cr3] }

    /// SVME, which VMRUN wants to be set (APM volume 2, "Canonicalization and Consistency Checks"), is not the guest's.
    @inline(__always)
    public var extendedFeatures: ExtendedFeatureEnable {
        get { vmcb[.efer].subtracting(.secureVirtualMachine) }
        nonmutating set { vmcb[.efer] = newValue | .secureVirtualMachine }
    }

    @inline(__always)
    var isLongModeActive: Bool { vmcb[.efer].contains(.longModeActive) }

    /// Under nested paging the guest's IA32_PAT is here (APM volume 2, "Nested Paging and VMRUN/#VMEXIT").
    @inline(__always)
    public var pageAttributeTable: UInt64 {
        get { vmcb[.guestPAT].rawValue }
        nonmutating set { vmcb[.guestPAT] = PageAttributeTable(rawValue: newValue) }
    }

    public var debugRegister7: DebugRegister7 {
        get { DebugRegister7(rawValue: vmcb[.dr7]) }
        nonmutating set { vmcb[.dr7] = newValue.rawValue }
    }

    /// It has an effect where the processor virtualizes last-branch records, and as long as it asks for one; elsewhere it is kept.
    public var debugControl: UInt64 {
        get { vmcb[.debugControl] }
        nonmutating set {
            vmcb[.debugControl] = newValue
            guard context.pointee.hasLastBranchVirtualization else { return }
            vmcb[.virtualizationControl] = vmcb[.virtualizationControl].setting(.lastBranch, to: newValue != 0)
        }
    }

    @inline(__always)
    public var processorsPrivilegeLevel: UInt8 { vmcb[.cpl] }

    @inline(__always)
    public var privilegeLevel: UInt8 { vmcb[.cpl] }

    /// CS.L outside long mode means nothing.
    @inline(__always)
    public var executes64BitCode: Bool { vmcb[.csAttributes].isLong && isLongModeActive }

    @inline(__always)
    public var mode: ProcessorMode {
        let attributes = vmcb[.csAttributes]
        return ProcessorMode(
            cr0: vmcb[.cr0], longModeActive: isLongModeActive, flags: vmcb[.rflags], codeIsLong: attributes.isLong,
            codeIs32Bit: attributes.is32Bit)
    }

    @_optimize(speed)
    public func paging(_ abilities: some PagingAbilities) -> GuestPaging {
        let (cr0, cr4, extendedFeatures) = (cr0, cr4, extendedFeatures)
        var mode: GuestPagingMode
        if !cr0.contains(.paging) {
            mode = .none
        } else if extendedFeatures.contains(.longModeActive) {
            mode = cr4.contains(.fiveLevelPaging) ? .fiveLevel : .fourLevel
        } else {
            mode = cr4.contains(.physicalAddressExtension) ? .pae : .bits32
        }
        let tables = context.pointee.tables
        if tables.isDirect { mode = .direct }
        return GuestPaging(
            mode: mode, cr3: cr3, pdptes: mode == .pae ? pageDirectoryPointers() : [0, 0, 0, 0],
            writeProtects: cr0.contains(.writeProtect), hasPageSizeExtensions: cr4.contains(.pageSizeExtensions),
            hasExecuteDisable: extendedFeatures.contains(.executeDisable),
            preventsSupervisorExecution: cr4.contains(.supervisorExecutionPrevention),
            preventsSupervisorAccess: cr4.contains(.supervisorAccessPrevention),
            hasGibibytePages: abilities.has1GiBPages, hasPSE36: true,
            physicalAddressWidth: abilities.physicalAddressWidth, ramStart: tables.ramStart)
    }

    /// There is nothing to set: under nested paging the processor reads the pointers from memory when it needs them (APM volume 2,
    /// "Legacy PAE Mode" in "Nested Paging").
    public func setPageDirectoryPointers(_ entries: [4 of UInt64]) {}

    /// Those in memory; where that is absent, none that is present.
    public func pageDirectoryPointers() -> [4 of UInt64] {
        var entries: [4 of UInt64] = [0, 0, 0, 0]
        for index in 0..<4 {
            let address = GuestPhysicalAddress(cr3 & ControlRegister3.pointers + UInt64(8 * index))
            entries[index] = access.ram.readUInt64(at: address) ?? 0
        }
        return entries
    }

    @inline(__always)
    public var timeStampOffset: UInt64 {
        get { vmcb[.timeStampCounterOffset] }
        nonmutating set { vmcb[.timeStampCounterOffset] = newValue }
    }
}
