import Devices
import Memory
import Virtualization
import X86

extension VirtualCPU {
    @inline(__always)
    mutating func accessControlRegister(_ access: ControlRegisterAccess) -> Outcome {
        switch access {
        case .write(let register, let source):
            noteOperand(registers.value(of: source))
            return writeControlRegister(register, readGeneral(source))
        case .read(let register, let destination):
            writeGeneral(destination, readControlRegister(register))
            return .step
        case .clearTaskSwitched: return writeCR0(processor.cr0.subtracting(.taskSwitched).rawValue)
        case .loadMachineStatus(let status):
            // LMSW writes PE, MP, EM and TS, and cannot clear PE.
            let kept = processor.cr0.rawValue & (~0xF | ControlRegister0.protectionEnable.rawValue)
            return writeCR0(kept | UInt64(status) & 0xF)
        }
    }

    /// MOV from CR3, CR8, or, where that exits, CR4.
    @inline(__always)
    private mutating func readControlRegister(_ register: UInt8) -> UInt64 {
        if processor.readsOfCR4Exit, register == 4 { return processor.cr4.rawValue }
        return register == 3 ? processor.cr3 : UInt64(apic.taskPriority) >> 4
    }

    /// MOV to CR0, CR3, CR4 or CR8.
    /// - Returns: the instruction's end, or its exception, with nothing changed.
    @inline(__always)
    mutating func writeControlRegister(_ register: UInt8, _ value: UInt64) -> Outcome {
        switch register {
        case 0: writeCR0(value)
        case 3: writeCR3(value)
        case 4: writeCR4(value)
        default: writeTaskPriority(value)
        }
    }

    @_optimize(speed)
    mutating func readGeneral(_ register: RegisterNumber) -> UInt64 {
        let value = register == .rsp ? processor.stackPointer : registers.value(of: register)
        return processor.mode.is64Bit ? value : value & 0xFFFF_FFFF
    }

    mutating func writeGeneral(_ register: RegisterNumber, _ value: UInt64) {
        if register == .rsp { processor.stackPointer = value } else { registers.set(register, to: value) }
    }

    /// MOV to CR0, with the mode changes that it brings (SDM volume 2, "MOV - Move to/from Control Registers"; volume 3,
    /// "Initializing IA-32e Mode").
    @_optimize(speed)
    private mutating func writeCR0(_ rawValue: UInt64) -> Outcome {
        // Reserved bits of the low half are ignored and stay 0; ET always reads 1.
        let value = ControlRegister0(rawValue: rawValue) & .defined | .extensionType
        let old = processor.cr0
        let efer = processor.extendedFeatures
        let cr4 = processor.cr4
        guard rawValue >> 32 == 0,
            !value.contains(.paging) || value.contains(.protectionEnable),
            !value.contains(.notWriteThrough) || value.contains(.cacheDisable)
        else { return .inject(.generalProtection) }
        let turnsPagingOn = value.contains(.paging) && !old.contains(.paging)
        let turnsPagingOff = !value.contains(.paging) && old.contains(.paging)
        let isLongCode = processor.segment(.cs).attributes.isLong
        if turnsPagingOn, efer.contains(.longModeEnable) {
            let has16BitTaskState = processor.segment(.tr).attributes.isBusy16BitTaskState
            guard cr4.contains(.physicalAddressExtension), !isLongCode, !has16BitTaskState else {
                return .inject(.generalProtection)
            }
        }
        if turnsPagingOff {
            guard !cr4.contains(.processContextIdentifiers), processor.mode != .long64 else {
                return .inject(.generalProtection)
            }
        }
        let loadsPointers = loadsPointers(value, changed: value ^ old, cr4, efer)
        if loadsPointers {
            guard loadPageDirectoryPointers(processor.cr3) else { return .inject(.generalProtection) }
        }
        if turnsPagingOn, efer.contains(.longModeEnable) { processor.extendedFeatures = efer | .longModeActive }
        if turnsPagingOff { processor.extendedFeatures = efer.subtracting(.longModeActive) }
        processor.cr0 = value
        if (value ^ old).intersects(.paging | .protectionEnable) { processor.flushTranslations() }
        guard loadsPointers || (value ^ old).intersects(.paging | .protectionEnable | .writeProtect) else { return .step }
        followPaging()
        return followDirectPaging()
    }

    /// MOV to CR3 exits only where the processor has no true controls, or under shadow and direct paging. A task switch does the
    /// same.
    mutating func writeCR3(_ value: UInt64) -> Outcome {
        if let outcome = loadShadowRoot(value) { return outcome }
        let keepsTranslations =
            value & ControlRegister3.keepsTranslations != 0 && processor.cr4.contains(.processContextIdentifiers)
        let address = keepsTranslations ? value & ~ControlRegister3.keepsTranslations : value
        guard address >> UInt64(features.physicalAddressWidth) == 0 || !processor.mode.is64Bit else {
            return .inject(.generalProtection)
        }
        if usesPAEPaging {
            guard loadPageDirectoryPointers(address) else { return .inject(.generalProtection) }
        }
        if processor.translatesDirectly { return loadDirectRoot(address) == nil ? .step : .inject(.generalProtection) }
        processor.cr3 = address
        if !keepsTranslations { followAddressSpace() }
        return .step
    }

    /// MOV to CR4 (SDM volume 2, "MOV - Move to/from Control Registers").
    private mutating func writeCR4(_ rawValue: UInt64) -> Outcome {
        let value = ControlRegister4(rawValue: rawValue)
        let old = processor.cr4
        let isLong = processor.extendedFeatures.contains(.longModeActive)
        guard value.subtracting(features.cr4).isEmpty else { return .inject(.generalProtection) }
        if isLong, !value.contains(.physicalAddressExtension) { return .inject(.generalProtection) }
        let changed = value ^ old
        if isLong, changed.contains(.fiveLevelPaging) { return .inject(.generalProtection) }
        if changed.contains(.processContextIdentifiers), value.contains(.processContextIdentifiers) {
            guard isLong, processor.cr3 & ControlRegister3.identifier == 0 else { return .inject(.generalProtection) }
        }
        if loadsPointers(value, changed: changed, isLong: isLong) {
            guard loadPageDirectoryPointers(processor.cr3) else { return .inject(.generalProtection) }
        }
        processor.cr4 = value
        if changed.contains(.xsave) { answers.update(osxsave: value.contains(.xsave)) }
        if changed.contains(.protectionKeys) { answers.update(protectionKeysEnabled: value.contains(.protectionKeys)) }
        if changed.intersects(
            .ofTranslation | .processContextIdentifiers | .supervisorAccessPrevention | .fiveLevelPaging)
        {
            processor.flushTranslations()
            followPaging()
        }
        return .step
    }

    // When a write loads the entries at which PAE paging starts (SDM volume 3, "PDPTE Registers").

    @inline(__always)
    private func loadsPointers(
        _ value: ControlRegister0, changed: ControlRegister0, _ cr4: ControlRegister4, _ efer: ExtendedFeatureEnable
    ) -> Bool {
        value.contains(.paging) && cr4.contains(.physicalAddressExtension) && !efer.contains(.longModeEnable)
            && changed.intersects(.paging | .cacheDisable | .notWriteThrough)
    }

    @inline(__always)
    private mutating func loadsPointers(_ value: ControlRegister4, changed: ControlRegister4, isLong: Bool) -> Bool {
        processor.cr0.contains(.paging) && value.contains(.physicalAddressExtension) && !isLong
            && changed.intersects(.ofTranslation)
    }

    /// Where the entries lie that a control register write loads, unless it faults; nil if it loads none.
    mutating func pageDirectoryPointers(loadedBy access: ControlRegisterAccess) -> GuestPhysicalAddress? {
        guard case .write(let register, let source) = access else { return nil }
        let written = readGeneral(source)
        var table = processor.cr3
        let efer = processor.extendedFeatures
        let loads: Bool
        switch register {
        case 0:
            let value = ControlRegister0(rawValue: written)
            loads = loadsPointers(value, changed: value ^ processor.cr0, processor.cr4, efer)
        case 3:
            loads = usesPAEPaging
            table = written
        case 4:
            let value = ControlRegister4(rawValue: written)
            loads = loadsPointers(value, changed: value ^ processor.cr4, isLong: efer.contains(.longModeActive))
        default: loads = false
        }
        return loads ? GuestPhysicalAddress(table & ControlRegister3.pointers) : nil
    }

    var usesPAEPaging: Bool {
        mutating get {
            processor.cr0.contains(.paging) && processor.cr4.contains(.physicalAddressExtension)
                && !processor.extendedFeatures.contains(.longModeActive)
        }
    }

    /// Loads the four entries at which PAE paging starts (SDM volume 3, "PDPTE Registers").
    /// - Returns: false if a present one has reserved bits set: #GP, and nothing changes.
    private mutating func loadPageDirectoryPointers(_ cr3: UInt64) -> Bool {
        let reserved = GuestEntryBits.reservedInPointer | ~0 << UInt64(features.physicalAddressWidth)
        var entries: [4 of UInt64] = [0, 0, 0, 0]
        for index in 0..<4 {
            let address = GuestPhysicalAddress(cr3 & ControlRegister3.pointers + UInt64(8 * index))
            // Absent memory reads as ones, which no present entry may be.
            let entry = memory.readUInt64(at: address) ?? .max
            if entry & GuestEntryBits.present != 0, entry & reserved != 0 { return false }
            entries[index] = entry
        }
        processor.setPageDirectoryPointers(entries)
        return true
    }

    /// MOV DR exits only on demand; the guest's debug registers are the processor's.
    @inline(__always)
    mutating func accessDebugRegister(_ access: DebugRegisterAccess) -> Outcome {
        noteOperand(registers.value(of: access.general))
        return .end(.unsupported(.controlNotSet))
    }

    /// XSETBV always exits. Its rules are those of SDM volume 1, "Enabling the XSAVE Feature Set and XSAVE-Enabled
    /// Features".
    @inline(__always)
    mutating func setExtendedControlRegister() -> Outcome {
        guard processor.cr4.contains(.xsave) else { return .inject(.invalidOpcode) }
        let value = registers.rdx << 32 | registers.rax & 0xFFFF_FFFF
        let vectors = ExtendedState.avx | ExtendedState.sse
        guard processor.privilegeLevel == 0, UInt32(truncatingIfNeeded: registers.rcx) == 0,
            value & ~features.extendedState == 0,
            value & ExtendedState.x87 != 0,
            value & ExtendedState.avx == 0 || value & ExtendedState.sse != 0,
            value & ExtendedState.avx512 == 0 || ~value & (ExtendedState.avx512 | vectors) == 0
        else { return .inject(.generalProtection) }
        host.loadExtendedControl(value)
        answers.updateExtendedState(host)
        return .step
    }
}

extension ControlRegister4 {
    /// Changes of these bits drop translations, and load the entries at which PAE paging starts.
    fileprivate static var ofTranslation: Self {
        .pageGlobalEnable | .pageSizeExtensions | .physicalAddressExtension | .supervisorExecutionPrevention
    }
}
