import VMX
import X86

/// What the VMCS holds of one segment register.
struct SegmentFields {
    let register: SegmentRegister
    let selector: SegmentSelector
    let base: UInt64
    let limit: UInt32
    let rights: SegmentAccessRights

    /// CS and TR must have a segment; the bit has no meaning for CS and must be 0 for TR.
    var isUsable: Bool { register == .cs || register == .tr || !rights.isUnusable }
}

extension EntryChecks {
    func checkGuestSegments() {
        checkSelectors()
        for index: UInt8 in 0..<6 {
            let segment = segment(SegmentRegister(rawValue: index)!)
            checkBase(segment)
            if isVirtual8086 {
                checkVirtual8086(segment)
            } else if segment.isUsable {
                checkCommonRights(segment)
                if segment.register != .cs && segment.register != .ss { checkData(segment) }
            }
        }
        if !isVirtual8086 {
            checkCode()
            checkStack()
        }
        checkSystemSegment(segment(.tr))
        checkSystemSegment(segment(.ldtr))
    }

    /// Each field by its own name: with places computed at run time, the compiler copies the whole snapshot for each.
    func segment(_ register: SegmentRegister) -> SegmentFields {
        switch register {
        case .es:
            SegmentFields(
                register: register, selector: snapshot[.guestESSelector], base: snapshot[.guestESBase],
                limit: snapshot[.guestESLimit], rights: snapshot[.guestESAccessRights])
        case .cs:
            SegmentFields(
                register: register, selector: snapshot[.guestCSSelector], base: snapshot[.guestCSBase],
                limit: snapshot[.guestCSLimit], rights: snapshot[.guestCSAccessRights])
        case .ss:
            SegmentFields(
                register: register, selector: snapshot[.guestSSSelector], base: snapshot[.guestSSBase],
                limit: snapshot[.guestSSLimit], rights: snapshot[.guestSSAccessRights])
        case .ds:
            SegmentFields(
                register: register, selector: snapshot[.guestDSSelector], base: snapshot[.guestDSBase],
                limit: snapshot[.guestDSLimit], rights: snapshot[.guestDSAccessRights])
        case .fs:
            SegmentFields(
                register: register, selector: snapshot[.guestFSSelector], base: snapshot[.guestFSBase],
                limit: snapshot[.guestFSLimit], rights: snapshot[.guestFSAccessRights])
        case .gs:
            SegmentFields(
                register: register, selector: snapshot[.guestGSSelector], base: snapshot[.guestGSBase],
                limit: snapshot[.guestGSLimit], rights: snapshot[.guestGSAccessRights])
        case .ldtr:
            SegmentFields(
                register: register, selector: snapshot[.guestLDTRSelector], base: snapshot[.guestLDTRBase],
                limit: snapshot[.guestLDTRLimit], rights: snapshot[.guestLDTRAccessRights])
        case .tr:
            SegmentFields(
                register: register, selector: snapshot[.guestTRSelector], base: snapshot[.guestTRBase],
                limit: snapshot[.guestTRLimit], rights: snapshot[.guestTRAccessRights])
        }
    }

    private func checkRights(_ holds: Bool, _ rule: EntryRule, of segment: SegmentFields) {
        require(holds, rule, VMCSField<SegmentAccessRights, Writable>.accessRights(UInt32(segment.register.rawValue)))
    }

    private func checkSelectors() {
        require(!snapshot[.guestTRSelector].usesLocalTable, .selectorTableIndicator, .guestTRSelector)
        require(
            !segment(.ldtr).isUsable || !snapshot[.guestLDTRSelector].usesLocalTable, .selectorTableIndicator,
            .guestLDTRSelector)
        let stack = snapshot[.guestSSSelector].requestedPrivilegeLevel
        require(
            isVirtual8086 || isUnrestricted || stack == snapshot[.guestCSSelector].requestedPrivilegeLevel, .stackSelectorLevel,
            .guestSSSelector)
    }

    /// Of CS, SS, DS, ES, FS and GS.
    private func checkBase(_ segment: SegmentFields) {
        let field = VMCSField<UInt64, Writable>.base(UInt32(segment.register.rawValue))
        if isVirtual8086 {
            require(segment.base == UInt64(segment.selector.rawValue) << 4, .virtual8086Base, field)
        }
        if segment.register == .fs || segment.register == .gs {
            require(isCanonical(segment.base), .segmentBaseCanonical, field)
        } else {
            require(!segment.isUsable || segment.base >> 32 == 0, .segmentBaseHighBits, field)
        }
    }

    private func checkVirtual8086(_ segment: SegmentFields) {
        require(
            segment.limit == 0xFFFF, .virtual8086Limit, VMCSField<UInt32, Writable>.limit(UInt32(segment.register.rawValue)))
        checkRights(segment.rights.rawValue == 0xF3, .virtual8086Rights, of: segment)
    }

    /// For every usable segment, except the type and what S must be.
    private func checkPresence(_ segment: SegmentFields) {
        let rights = segment.rights
        checkRights(rights.isPresent, .segmentPresent, of: segment)
        checkRights(rights.reservedBits == 0, .segmentReservedBits, of: segment)
        checkRights(segment.limit & 0xFFF == 0xFFF || !rights.hasPageGranularity, .segmentByteGranularity, of: segment)
        checkRights(segment.limit >> 20 == 0 || rights.hasPageGranularity, .segmentPageGranularity, of: segment)
    }

    private func checkCommonRights(_ segment: SegmentFields) {
        checkRights(segment.rights.isCodeOrData, .codeOrDataSegment, of: segment)
        checkPresence(segment)
    }

    private func checkCode() {
        let code = segment(.cs)
        let level = code.rights.privilegeLevel
        let stackLevel = segment(.ss).rights.privilegeLevel
        switch code.rights.type {
        case 3 where isUnrestricted:
            checkRights(level == 0, .codeType3Level, of: code)
        case 9, 11:
            checkRights(level == stackLevel, .codeLevel, of: code)
        case 13, 15:
            checkRights(level <= stackLevel, .conformingCodeLevel, of: code)
        default:
            checkRights(false, isUnrestricted ? .codeTypeOfUnrestrictedGuest : .codeType, of: code)
        }
        checkRights(!(entersIA32e && code.rights.isLong && code.rights.is32Bit), .codeDefaultSize, of: code)
    }

    private func checkStack() {
        let stack = segment(.ss)
        let level = stack.rights.privilegeLevel
        if stack.isUsable {
            checkRights(stack.rights.type == 3 || stack.rights.type == 7, .stackType, of: stack)
        }
        // These hold for an unusable SS too: its DPL is the privilege level.
        checkRights(isUnrestricted || level == stack.selector.requestedPrivilegeLevel, .stackLevel, of: stack)
        checkRights(level == 0 || segment(.cs).rights.type != 3, .stackLevelWithCodeType3, of: stack)
        checkRights(level == 0 || snapshot[.guestCR0].contains(.protectionEnable), .stackLevelInRealMode, of: stack)
    }

    /// Of a usable DS, ES, FS or GS.
    private func checkData(_ segment: SegmentFields) {
        let type = segment.rights.type
        checkRights(type & 1 != 0, .dataAccessed, of: segment)
        checkRights(type & 8 == 0 || type & 2 != 0, .dataReadable, of: segment)
        checkRights(
            isUnrestricted || type > 11 || segment.rights.privilegeLevel >= segment.selector.requestedPrivilegeLevel,
            .dataLevel, of: segment)
    }

    /// Of TR and LDTR.
    private func checkSystemSegment(_ segment: SegmentFields) {
        let isTask = segment.register == .tr
        if isTask { checkRights(!segment.rights.isUnusable, .taskUsable, of: segment) }
        guard segment.isUsable else { return }
        require(
            isCanonical(segment.base),
            .segmentBaseCanonical, VMCSField<UInt64, Writable>.base(UInt32(segment.register.rawValue)))
        if !isTask {
            checkRights(segment.rights.type == 2, .localTableType, of: segment)
        } else if entersIA32e {
            checkRights(segment.rights.type == 11, .longTaskType, of: segment)
        } else {
            checkRights(segment.rights.type == 3 || segment.rights.type == 11, .taskType, of: segment)
        }
        checkRights(!segment.rights.isCodeOrData, .systemSegment, of: segment)
        checkPresence(segment)
    }
}
