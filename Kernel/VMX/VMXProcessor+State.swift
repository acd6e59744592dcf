import Memory
import Virtualization
import X86

extension VMXProcessor {
    @inline(__always)
    public var instructionPointer: UInt64 {
        get { vmcs[.guestRIP] }
        nonmutating set { vmcs[.guestRIP] = newValue }
    }

    public var stackPointer: UInt64 {
        get { vmcs[.guestRSP] }
        nonmutating set { vmcs[.guestRSP] = newValue }
    }

    public var flags: RFlags {
        get {
            if let shadow = realMode { return flagsOfRealMode(shadow) }
            return vmcs[.guestRFLAGS]
        }
        nonmutating set {
            if let shadow = realMode { return setFlags(newValue, ofRealMode: shadow) }
            vmcs[.guestRFLAGS] = newValue
        }
    }

    /// Bits of the mask come from the read shadow, the others from the register (SDM volume 3, "Guest/Host Masks
    /// and Read Shadows for CR0 and CR4").
    public var cr0: ControlRegister0 {
        get {
            let mask = vmcs[.cr0GuestHostMask]
            return vmcs[.cr0ReadShadow] & mask | vmcs[.guestCR0].subtracting(mask)
        }
        nonmutating set {
            vmcs[.cr0ReadShadow] = newValue
            // Caches stay on whatever the guest asks for: CD and NW would slow the whole processor.
            let value = newValue.subtracting(.cacheDisable | .notWriteThrough) | .extensionType
            guard !constants.pointee.hasNestedTables else {
                vmcs[.guestCR0] = cr0Fixed.adjust(value, exempt: .protectionEnable | .paging)
                return
            }
            // A page that must not be written may be a table (SDM volume 3, "Restrictions on VMX Operation", fixes PE and PG).
            vmcs[.guestCR0] = cr0Fixed.adjust((value | .writeProtect).subtracting(emulatesRealMode ? .alignmentMask : .none))
            followProtection(newValue.contains(.protectionEnable))
        }
    }

    /// CR0 as the guest has it; bits that it changes without an exit may be out of date.
    @inline(__always)
    var cr0OfMode: ControlRegister0 { constants.pointee.hasNestedTables ? vmcs[.guestCR0] : vmcs[.cr0ReadShadow] }

    @inline(__always)
    var isLongModeActive: Bool { vmcs[.entryControls].contains(.ia32eModeGuest) }

    public var cr4: ControlRegister4 {
        @inline(__always)
        get {
            let mask = vmcs[.cr4GuestHostMask]
            return vmcs[.cr4ReadShadow] & mask | vmcs[.guestCR4].subtracting(mask)
        }
        nonmutating set {
            vmcs[.cr4ReadShadow] = newValue
            // Machine checks stay on under the guest: they are the host's.
            let notInRealMode: ControlRegister4 =
                emulatesRealMode ? .virtual8086Extensions | .protectedVirtualInterrupts | .timeStampDisable : .none
            vmcs[.guestCR4] = cr4Fixed.adjust((newValue | .machineCheckEnable | cr4OfShadow).subtracting(notInRealMode))
        }
    }

    @inline(__always)
    public var readsOfCR4Exit: Bool { false }

    public var cr3: UInt64 {
        get {
            let loaded = vmcs[.guestCR3]
            guard let shadow = constants.pointee.shadow, shadow.pointee.isOn, loaded == shadow.pointee.loaded else {
                return loaded
            }
            return shadow.pointee.cr3
        }
        nonmutating set {
            guard let shadow = constants.pointee.shadow, shadow.pointee.isOn else {
                vmcs[.guestCR3] = newValue
                return
            }
            shadow.pointee.cr3 = newValue
            shadow.pointee.loaded = vmcs[.guestCR3]
        }
    }

    @inline(__always)
    public var loadedCR3: UInt64 { vmcs[.guestCR3] }

    /// With CR0.PG set, as it always is without nested tables, LME must equal LMA: the guest's is kept separately.
    public var extendedFeatures: ExtendedFeatureEnable {
        get {
            guard let aside = constants.pointee.aside else { return vmcs[.guestEFER] }
            return aside.pointee.extendedFeatures
        }
        nonmutating set {
            if let aside = constants.pointee.aside {
                aside.pointee.extendedFeatures = newValue
                load(newValue.setting(.longModeEnable, to: newValue.contains(.longModeActive)))
            } else {
                vmcs[.guestEFER] = newValue
            }
            // The entry control must equal EFER.LMA (SDM volume 3, "Checks on Guest Control Registers, Debug
            // Registers, and MSRs").
            vmcs[.entryControls] = vmcs[.entryControls].setting(
                .ia32eModeGuest, to: newValue.contains(.longModeActive))
        }
    }

    private func load(_ features: ExtendedFeatureEnable) {
        if let list = constants.pointee.loadedMSRs, list.hasExtendedFeatures {
            list.setExtendedFeatures(features, vmcs.access)
        } else {
            vmcs[.guestEFER] = features
        }
    }

    public var debugRegister7: DebugRegister7 {
        get { DebugRegister7(rawValue: vmcs[.guestDR7]) }
        nonmutating set { vmcs[.guestDR7] = newValue.rawValue }
    }

    public var debugControl: UInt64 {
        get { vmcs[.guestDebugControl] }
        nonmutating set { vmcs[.guestDebugControl] = newValue }
    }

    @inline(__always)
    public var processorsPrivilegeLevel: UInt8 { vmcs[.guestSSAccessRights].privilegeLevel }

    /// In virtual-8086 mode 3, which real mode is not.
    @inline(__always)
    public var privilegeLevel: UInt8 {
        let level = processorsPrivilegeLevel
        return level != 0 && emulatesRealMode ? 0 : level
    }

    /// CS.L has no meaning outside IA-32e mode.
    @inline(__always)
    public var executes64BitCode: Bool {
        vmcs[.guestCSAccessRights].isLong && isLongModeActive
    }

    @inline(__always)
    public var mode: ProcessorMode {
        let rights = vmcs[.guestCSAccessRights]
        return ProcessorMode(
            cr0: cr0OfMode, longModeActive: isLongModeActive, flags: vmcs[.guestRFLAGS],
            codeIsLong: rights.isLong, codeIs32Bit: rights.is32Bit)
    }

    @_optimize(speed)
    public func paging(_ abilities: some PagingAbilities) -> GuestPaging {
        let cr0 = cr0OfMode
        let cr4 = usesShadowTables ? self.cr4 : vmcs[.guestCR4]
        let extendedFeatures = extendedFeatures
        var mode: GuestPagingMode
        if !cr0.contains(.paging) {
            mode = .none
        } else if extendedFeatures.contains(.longModeActive) {
            mode = cr4.contains(.fiveLevelPaging) ? .fiveLevel : .fourLevel
        } else {
            mode = cr4.contains(.physicalAddressExtension) ? .pae : .bits32
        }
        var ramStart: UInt64 = 0
        if let registers = constants.pointee.shadow, registers.pointee.isDirect {
            mode = .direct
            ramStart = registers.pointee.ramStart
        }
        return GuestPaging(
            mode: mode, cr3: cr3, pdptes: mode == .pae ? pageDirectoryPointers() : [0, 0, 0, 0],
            writeProtects: cr0.contains(.writeProtect), hasPageSizeExtensions: cr4.contains(.pageSizeExtensions),
            hasExecuteDisable: extendedFeatures.contains(.executeDisable),
            preventsSupervisorExecution: cr4.contains(.supervisorExecutionPrevention),
            preventsSupervisorAccess: cr4.contains(.supervisorAccessPrevention),
            hasGibibytePages: abilities.has1GiBPages, hasPSE36: true,
            physicalAddressWidth: abilities.physicalAddressWidth, ramStart: ramStart)
    }

    public func setPageDirectoryPointers(_ entries: [4 of UInt64]) {
        if let shadow = registersOfShadow {
            shadow.pointee.pageDirectoryPointers = entries
            return
        }
        vmcs[.guestPDPTE0] = entries[0]
        vmcs[.guestPDPTE1] = entries[1]
        vmcs[.guestPDPTE2] = entries[2]
        vmcs[.guestPDPTE3] = entries[3]
    }

    public func pageDirectoryPointers() -> [4 of UInt64] {
        if let shadow = registersOfShadow { return shadow.pointee.pageDirectoryPointers }
        return [vmcs[.guestPDPTE0], vmcs[.guestPDPTE1], vmcs[.guestPDPTE2], vmcs[.guestPDPTE3]]
    }

    /// Where the page-directory-pointer registers are if the VMCS does not have them.
    private var registersOfShadow: UnsafeMutablePointer<ShadowRegisters>? {
        guard let shadow = constants.pointee.shadow, shadow.pointee.isOn || !constants.pointee.hasNestedTables else { return nil }
        return shadow
    }

    public var timeStampOffset: UInt64 {
        get { vmcs[.timeStampCounterOffset] }
        nonmutating set { vmcs[.timeStampCounterOffset] = newValue }
    }

    // MARK: Segments

    @_optimize(speed)
    public func segment(_ register: SegmentRegister) -> Segment {
        if let shadow = realMode { return segment(register, ofRealMode: shadow) }
        let index = UInt32(register.rawValue)
        let rights: SegmentAccessRights = vmcs[.accessRights(index)]
        return Segment(
            selector: vmcs[.selector(index)].rawValue, base: vmcs[.base(index)], limit: vmcs[.limit(index)],
            attributes: .init(rawValue: rights.isUnusable ? 0 : UInt16(truncatingIfNeeded: rights.rawValue)))
    }

    public func setSegment(_ register: SegmentRegister, _ segment: Segment) {
        if let shadow = realMode { return setSegment(register, segment, ofRealMode: shadow) }
        let index = UInt32(register.rawValue)
        vmcs[.selector(index)] = segment.selector
        vmcs[.base(index)] = segment.base
        vmcs[.limit(index)] = segment.limit
        vmcs[.accessRights(index)] = SegmentAccessRights(segment.attributes)
    }

    public var globalDescriptorTable: (base: UInt64, limit: UInt32) { (vmcs[.guestGDTRBase], vmcs[.guestGDTRLimit]) }

    public func setGlobalDescriptorTable(base: UInt64, limit: UInt32) {
        vmcs[.guestGDTRBase] = base
        vmcs[.guestGDTRLimit] = limit
    }

    public var interruptDescriptorTable: (base: UInt64, limit: UInt32) { (vmcs[.guestIDTRBase], vmcs[.guestIDTRLimit]) }

    public func setInterruptDescriptorTable(base: UInt64, limit: UInt32) {
        vmcs[.guestIDTRBase] = base
        vmcs[.guestIDTRLimit] = limit
    }
}

// The fields of a segment register lie at its encoding's place in four rows.

extension VMCSField where Value == SegmentSelector, Access == Writable {
    public static func selector(_ segment: UInt32) -> Self { .init(.guestState, .bits16, segment) }
}

extension VMCSField where Value == UInt64, Access == Writable {
    public static func base(_ segment: UInt32) -> Self { .init(.guestState, .natural, 3 + segment) }
}

extension VMCSField where Value == UInt32, Access == Writable {
    public static func limit(_ segment: UInt32) -> Self { .init(.guestState, .bits32, segment) }
}

extension VMCSField where Value == SegmentAccessRights, Access == Writable {
    public static func accessRights(_ segment: UInt32) -> Self { .init(.guestState, .bits32, 10 + segment) }
}
