import Memory
import Virtualization
import X86

/// The virtual CPU registers that shadow paging keeps outside the VMCS, and the state of direct paging.
public struct ShadowRegisters: Sendable {
    /// Shadow tables translate for the guest now; otherwise nested ones do.
    var isOn = false
    /// The guest's CR3 as long as the VMCS field, which refers to the shadow tables, is `loaded`; if that is anything else, the
    /// guest has loaded it without an exit.
    var cr3: UInt64 = 0
    var loaded: UInt64 = 0
    /// MOV from CR3 exits.
    var readsExit = false
    /// The guest's page-directory-pointer registers: without EPT, exits leave the fields of the VMCS undefined (SDM volume 3,
    /// "Saving Non-Register State").
    var pageDirectoryPointers: [4 of UInt64] = [0, 0, 0, 0]
    /// The guest's IA32_EFER, where nested tables never translate.
    var extendedFeatures = ExtendedFeatureEnable.none
    /// For a guest in real mode without unrestricted guest.
    var real = RealModeRegisters()
    /// The exits that shadow tables need and that were off.
    var addedExits = PrimaryControls.none
    /// RFLAGS.RF of the last debug exception that was injected: its delivery may fault.
    var debugResume = RFlags.none
    /// RFLAGS.TF is set for Martlet alone, and the bits of IA32_DEBUGCTL that were cleared for that.
    var trapsByFlag = false
    var branchSteps: UInt64 = 0
    var stepsExceptions: UInt32 = 0
    /// Page faults exited before, for an observer.
    var observedPageFaults = false
    /// Only the guest's own tables translate, and where its RAM lies in the machine's memory.
    var isDirect = false
    var ramStart: UInt64 = 0

    public init() {}

    #if !hasFeature(Embedded)
    /// For the host, which reads a VMCS saved while shadow tables translated.
    public init(cr3: UInt64, loaded: UInt64, pageDirectoryPointers: [4 of UInt64]) {
        isOn = true
        self.cr3 = cr3
        self.loaded = loaded
        self.pageDirectoryPointers = pageDirectoryPointers
    }
    #endif
}

// Shadow tables in place of nested ones (SDM volume 3, "Memory Virtualization").

extension VMXProcessor {
    /// What goes with the VMCS fields when they are restored.
    public var shadowRegisters: ShadowRegisters? {
        get { constants.pointee.shadow?.pointee }
        nonmutating set { if let newValue { constants.pointee.shadow?.pointee = newValue } }
    }

    public var hasNestedTables: Bool { constants.pointee.hasNestedTables }

    public var usesShadowTables: Bool { constants.pointee.shadow?.pointee.isOn ?? false }

    /// Without EPT there is no unrestricted guest: shadow tables need a guest in protected mode with paging, and with segments
    /// as protected mode loads them (SDM volume 3, "Checks on Guest Segment Registers"). Where there are no other tables, the
    /// processor is made to believe so.
    public var canUseShadowTables: Bool {
        guard constants.pointee.hasNestedTables else { return true }
        guard vmcs[.guestCR0].contains(.paging | .writeProtect) else { return false }
        if vmcs[.guestRFLAGS].contains(.virtual8086) { return true }
        let code = segment(.cs)
        let stack = segment(.ss)
        guard code.attributes.isCode, code.selector.requestedPrivilegeLevel == stack.selector.requestedPrivilegeLevel,
            stack.attributes.rawValue == 0 || stack.attributes.privilegeLevel == stack.selector.requestedPrivilegeLevel
        else { return false }
        return isAsLoaded(.ds) && isAsLoaded(.es) && isAsLoaded(.fs) && isAsLoaded(.gs)
    }

    func isAsLoaded(_ register: SegmentRegister) -> Bool {
        let data = segment(register)
        guard data.attributes.rawValue != 0, !data.attributes.isConforming else { return true }
        return data.attributes.privilegeLevel >= data.selector.requestedPrivilegeLevel
    }

    /// Makes the processor translate by shadow tables from now on, or by different ones.
    @_optimize(speed)
    public func useShadowTables(_ root: HostPhysicalAddress, for guest: UInt64) {
        guard let shadow = constants.pointee.shadow else { return }
        if !shadow.pointee.isOn {
            let guestCR4 = cr4
            if constants.pointee.hasNestedTables { shadow.pointee.pageDirectoryPointers = pageDirectoryPointers() }
            shadow.pointee.isOn = true
            shadow.pointee.readsExit = true
            shadow.pointee.addedExits = Self.shadowExits.subtracting(vmcs[.primaryControls])
            shadow.pointee.observedPageFaults = vmcs[.exceptionBitmap] & Self.pageFaultBit != 0
            if constants.pointee.hasNestedTables {
                vmcs[.secondaryControls] = vmcs[.secondaryControls].subtracting(.enableEPT | .unrestrictedGuest)
            }
            vmcs[.primaryControls] = vmcs[.primaryControls] | Self.shadowExits
            vmcs[.exceptionBitmap] = vmcs[.exceptionBitmap] | Self.pageFaultBit
            cr4 = guestCR4
        }
        let hasTwin = guest & ~0xFFF == root.rawValue
        if hasTwin == shadow.pointee.readsExit, constants.pointee.passesReadsOfCR3 {
            shadow.pointee.readsExit = !hasTwin
            vmcs[.primaryControls] = vmcs[.primaryControls].setting(.cr3StoreExiting, to: !hasTwin)
        }
        // An address space's tag counts; how its root is cached does not, unless the guest can see it.
        let loaded = hasTwin ? guest : root.rawValue | (cr4.contains(.processContextIdentifiers) ? guest & 0xFFF : 0)
        shadow.pointee.cr3 = guest
        shadow.pointee.loaded = loaded
        vmcs[.guestCR3] = loaded
    }

    @_optimize(speed)
    public func allowLoads(of values: [4 of UInt64], count: Int) {
        if count > 0 { vmcs[.cr3TargetValue0] = values[0] }
        if count > 1 { vmcs[.cr3TargetValue1] = values[1] }
        if count > 2 { vmcs[.cr3TargetValue2] = values[2] }
        if count > 3 { vmcs[.cr3TargetValue3] = values[3] }
        vmcs[.cr3TargetCount] = UInt32(truncatingIfNeeded: count)
    }

    /// Makes the processor translate by the guest's own tables and the nested ones.
    public func useNestedTables() {
        guard let shadow = constants.pointee.shadow, shadow.pointee.isOn else { return }
        let (guest, guestCR4) = (cr3, cr4)
        shadow.pointee.isOn = false
        setPageDirectoryPointers(shadow.pointee.pageDirectoryPointers)
        vmcs[.secondaryControls] = vmcs[.secondaryControls] | .enableEPT | .unrestrictedGuest
        vmcs[.primaryControls] = vmcs[.primaryControls].subtracting(shadow.pointee.addedExits)
        if !shadow.pointee.observedPageFaults { vmcs[.exceptionBitmap] = vmcs[.exceptionBitmap] & ~Self.pageFaultBit }
        vmcs[.guestCR3] = guest
        cr4 = guestCR4
    }

    private static var pageFaultBit: UInt32 { 1 << 14 }
    private static var shadowExits: PrimaryControls { .cr3LoadExiting | .cr3StoreExiting | .invlpgExiting }

    /// Under 32-bit paging the processor uses PAE paging, which the guest does not see.
    var cr4OfShadow: ControlRegister4 {
        usesShadowTables && !isLongModeActive ? .physicalAddressExtension : .none
    }

    /// SDM volume 3, table "Format of the VM-Exit Instruction-Information Field as Used for INVEPT, INVPCID, and INVVPID"; the
    /// displacement is the qualification, with RIP in it if the operand is relative to that.
    public func invalidationOperand() -> InvalidationOperand {
        let information = vmcs[.exitInstructionInformation]
        func register(_ shift: UInt32, unless absent: UInt32) -> RegisterNumber? {
            information & absent != 0 ? nil : RegisterNumber(UInt8(truncatingIfNeeded: information >> shift) & 15)
        }
        return InvalidationOperand(
            kind: RegisterNumber(UInt8(truncatingIfNeeded: information >> 28)),
            segment: SegmentRegister(rawValue: UInt8(truncatingIfNeeded: information >> 15) & 7) ?? .ds,
            base: register(23, unless: 1 << 27), index: register(18, unless: 1 << 22), scale: UInt64(information & 3),
            displacement: vmcs[.exitQualification], addressSize: addressSize(information))
    }
}
