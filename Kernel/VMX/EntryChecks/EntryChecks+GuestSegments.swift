import Memory
import X86

/// What the VMCS holds of one segment register.
struct SegmentFields {
    let register: SegmentRegister
    let selector: SegmentSelector
    let base: UInt64
    let limit: UInt32
    let rights: SegmentAccessRights

    /// CS and TR cannot do without a segment; the bit means nothing for CS and must be 0 for TR.
    var isUsable: Bool { register == .cs || register == .tr || !rights.isUnusable }
}

extension EntryChecks {
    func checkGuestSegments(_ report: Report) {
        checkSelectors(report)
        for index: UInt8 in 0..<6 {
            let segment = segment(SegmentRegister(rawValue: index)!)
            checkBase(segment, report)
            if isVirtual8086 {
                checkVirtual8086(segment, report)
            } else if segment.isUsable {
                checkCommonRights(segment, report)
                if segment.register != .cs && segment.register != .ss { checkData(segment, report) }
            }
        }
        if !isVirtual8086 {
            checkCode(report)
            checkStack(report)
        }
        checkSystemSegment(segment(.tr), report)
        checkSystemSegment(segment(.ldtr), report)
    }

    /// Each field by its own name: places computed at run time make the compiler copy the whole snapshot for each.
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

    private func checkRights(
        _ holds: Bool, of segment: SegmentFields, _ rule: StaticString, _ report: Report
    ) {
        require(
            holds, VMCSField<SegmentAccessRights, Writable>.accessRights(UInt32(segment.register.rawValue)), .guestSegments,
            rule, report)
    }

    private func checkSelectors(_ report: Report) {
        require(
            !snapshot[.guestTRSelector].usesLocalTable, .guestTRSelector, .guestSegments,
            "the table indicator (bit 2) must be 0", report)
        require(
            !segment(.ldtr).isUsable || !snapshot[.guestLDTRSelector].usesLocalTable, .guestLDTRSelector, .guestSegments,
            "the table indicator (bit 2) must be 0", report)
        let stack = snapshot[.guestSSSelector].requestedPrivilegeLevel
        require(
            isVirtual8086 || isUnrestricted || stack == snapshot[.guestCSSelector].requestedPrivilegeLevel, .guestSSSelector,
            .guestSegments, "the privilege level (bits 1:0) must equal that of CS", report)
    }

    /// Of CS, SS, DS, ES, FS and GS.
    private func checkBase(_ segment: SegmentFields, _ report: Report) {
        let field = VMCSField<UInt64, Writable>.base(UInt32(segment.register.rawValue))
        if isVirtual8086 {
            require(
                segment.base == UInt64(segment.selector.rawValue) << 4, field, .guestSegments,
                "must be the selector times 16 in virtual-8086 mode", report)
        }
        if segment.register == .fs || segment.register == .gs {
            require(isCanonical(segment.base), field, .guestSegments, "must be canonical", report)
        } else {
            require(
                !segment.isUsable || segment.base >> 32 == 0, field, .guestSegments, "bits 63:32 must be 0", report)
        }
    }

    private func checkVirtual8086(_ segment: SegmentFields, _ report: Report) {
        require(
            segment.limit == 0xFFFF, VMCSField<UInt32, Writable>.limit(UInt32(segment.register.rawValue)), .guestSegments,
            "must be 0xffff in virtual-8086 mode", report)
        checkRights(segment.rights.rawValue == 0xF3, of: segment, "must be 0xf3 in virtual-8086 mode", report)
    }

    /// Of every usable segment, but for the type and what S must be.
    private func checkPresence(_ segment: SegmentFields, _ report: Report) {
        let rights = segment.rights
        checkRights(rights.isPresent, of: segment, "P (bit 7) must be 1", report)
        checkRights(rights.reservedBits == 0, of: segment, "bits 11:8 and 31:17 must be 0", report)
        checkRights(
            segment.limit & 0xFFF == 0xFFF || !rights.hasPageGranularity, of: segment,
            "G (bit 15) must be 0 for a limit whose bits 11:0 are not all 1", report)
        checkRights(
            segment.limit >> 20 == 0 || rights.hasPageGranularity, of: segment,
            "G (bit 15) must be 1 for a limit that has any of bits 31:20", report)
    }

    private func checkCommonRights(_ segment: SegmentFields, _ report: Report) {
        checkRights(segment.rights.isCodeOrData, of: segment, "S (bit 4) must be 1", report)
        checkPresence(segment, report)
    }

    private func checkCode(_ report: Report) {
        let code = segment(.cs)
        let level = code.rights.privilegeLevel
        let stackLevel = segment(.ss).rights.privilegeLevel
        switch code.rights.type {
        case 3 where isUnrestricted:
            checkRights(level == 0, of: code, "type 3 needs DPL 0", report)
        case 9, 11:
            checkRights(level == stackLevel, of: code, "types 9 and 11 need DPL equal to SS.DPL", report)
        case 13, 15:
            checkRights(level <= stackLevel, of: code, "types 13 and 15 need DPL up to SS.DPL", report)
        default:
            let rule: StaticString =
                isUnrestricted ? "the type must be 3, 9, 11, 13 or 15" : "the type must be 9, 11, 13 or 15"
            checkRights(false, of: code, rule, report)
        }
        checkRights(
            !(entersIA32e && code.rights.isLong && code.rights.is32Bit), of: code,
            "D (bit 14) must be 0 for 64-bit code (L)", report)
    }

    private func checkStack(_ report: Report) {
        let stack = segment(.ss)
        let level = stack.rights.privilegeLevel
        if stack.isUsable {
            checkRights(stack.rights.type == 3 || stack.rights.type == 7, of: stack, "the type must be 3 or 7", report)
        }
        // These hold for an unusable SS too: its DPL is the privilege level.
        checkRights(
            isUnrestricted || level == stack.selector.requestedPrivilegeLevel, of: stack,
            "DPL must equal the selector's privilege level", report)
        checkRights(
            level == 0 || segment(.cs).rights.type != 3, of: stack, "DPL must be 0 when the type of CS is 3", report)
        checkRights(
            level == 0 || snapshot[.guestCR0].contains(.protectionEnable), of: stack, "DPL must be 0 when CR0.PE is 0",
            report)
    }

    /// Of a usable DS, ES, FS or GS.
    private func checkData(_ segment: SegmentFields, _ report: Report) {
        let type = segment.rights.type
        checkRights(type & 1 != 0, of: segment, "the type must be accessed (bit 0)", report)
        checkRights(type & 8 == 0 || type & 2 != 0, of: segment, "a code segment's type must be readable (bit 1)", report)
        checkRights(
            isUnrestricted || type > 11 || segment.rights.privilegeLevel >= segment.selector.requestedPrivilegeLevel,
            of: segment, "DPL must not be below the selector's privilege level", report)
    }

    /// Of TR and LDTR.
    private func checkSystemSegment(_ segment: SegmentFields, _ report: Report) {
        let isTask = segment.register == .tr
        if isTask { checkRights(!segment.rights.isUnusable, of: segment, "must be usable (bit 16)", report) }
        guard segment.isUsable else { return }
        require(
            isCanonical(segment.base), VMCSField<UInt64, Writable>.base(UInt32(segment.register.rawValue)), .guestSegments,
            "must be canonical", report)
        if !isTask {
            checkRights(segment.rights.type == 2, of: segment, "the type must be 2, a local descriptor table", report)
        } else if entersIA32e {
            checkRights(segment.rights.type == 11, of: segment, "the type must be 11, a busy 64-bit task", report)
        } else {
            checkRights(
                segment.rights.type == 3 || segment.rights.type == 11, of: segment, "the type must be 3 or 11, a busy task",
                report)
        }
        checkRights(!segment.rights.isCodeOrData, of: segment, "S (bit 4) must be 0", report)
        checkPresence(segment, report)
    }
}
