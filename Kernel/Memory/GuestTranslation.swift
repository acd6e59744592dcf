/// A guest page that an access may use.
public struct GuestPage: Equatable, Sendable {
    /// Where the accessed byte is.
    public let address: GuestPhysicalAddress
    /// The page's size. Without paging, 4 KiB.
    public let size: PageSize
    /// All the entries combined, as the bits of an entry: 1 writable, 2 user, 63 executable, and 6 of the leaf.
    let rights: UInt64

    /// Every entry on the way allows writes.
    public var isWritable: Bool { rights & 1 << 1 != 0 }
    /// Every entry on the way allows user-mode accesses.
    public var isUser: Bool { rights & 1 << 2 != 0 }
    /// No entry on the way disables instruction fetches.
    public var isExecutable: Bool { rights & 1 << 63 != 0 }
    /// The leaf's dirty bit is set, perhaps by this access.
    public var isDirty: Bool { rights & 1 << 6 != 0 }
}

/// What became of a guest's access to a linear address.
public enum GuestTranslation: Equatable, Sendable {
    /// The access may use this page; accessed and dirty bits are set as the processor would have.
    case page(GuestPage)
    /// The access causes a page fault with this error code. CR2 becomes the linear address. No entry was changed.
    case fault(PageFaultErrorCode)
    /// The address is not canonical: #GP(0), or #SS(0) for an access through SS, and no page fault.
    case notCanonical
    /// An entry would lie outside the guest's RAM. A real processor would read whatever answers there.
    case tableOutsideRAM(GuestPhysicalAddress)
}

extension GuestPaging {
    /// Translates `address` for `access` as the guest's processor would, and sets accessed and dirty bits as it would.
    ///
    /// They are set only if the access succeeds, so a walk that faults changes nothing. (A processor is free to set the
    /// accessed bit of an entry it used before it came to the fault; no software can count on it.) In every mode without
    /// long mode, linear addresses have 32 bits, and the rest of `address` is not looked at.
    ///
    /// Intel SDM vol. 3, "Paging" (4.3 to 4.8).
    ///
    /// Nearly always, the accessed and dirty bits are already set, and nothing need be remembered on the way. When one is
    /// not, the walk is repeated from the start, keeping the places of the entries it uses.
    @inline(__always)
    public func translate(
        _ address: GuestVirtualAddress, for access: GuestAccess, in memory: some GuestTableMemory
    ) -> GuestTranslation {
        var path = NoEntryPath()
        return follow(address, for: access, in: memory, path: &path) ?? translateAndMark(address, for: access, in: memory)
    }

    @inline(never)
    private func translateAndMark(
        _ address: GuestVirtualAddress, for access: GuestAccess, in memory: some GuestTableMemory
    ) -> GuestTranslation {
        var path = MarkedEntryPath()
        guard let result = follow(address, for: access, in: memory, path: &path) else {
            preconditionFailure("a path that marks its entries always ends")
        }
        return result
    }

    /// One walk; nil when bits must be set and `path` cannot.
    @inline(__always)
    func follow(
        _ address: GuestVirtualAddress, for access: GuestAccess, in memory: some GuestTableMemory,
        path: inout some GuestEntryPath
    ) -> GuestTranslation? {
        switch mode {
        case .fourLevel, .fiveLevel:
            let topShift: UInt64 = mode == .fourLevel ? 39 : 48
            let unused = 55 &- topShift
            let extended = Int64(bitPattern: address.rawValue &<< unused) &>> Int64(bitPattern: unused)
            guard UInt64(bitPattern: extended) == address.rawValue else { return .notCanonical }
            return follow(
                LongModeEntries.self, address.rawValue, table: cr3 & GuestEntryBits.address, topShift: topShift,
                access: access, memory: memory, path: &path)
        case .pae:
            let linear = address.rawValue & 0xFFFF_FFFF
            let pdpte = pageDirectoryPointer(for: linear)
            guard pdpte & GuestEntryBits.present != 0 else { return .fault(errorCode(0, for: access)) }
            return follow(
                PAEEntries.self, linear, table: pdpte & GuestEntryBits.address, topShift: 21,
                access: access, memory: memory, path: &path)
        case .bits32:
            return follow(
                Bits32Entries.self, address.rawValue & 0xFFFF_FFFF, table: cr3 & 0xFFFF_F000, topShift: 22,
                access: access, memory: memory, path: &path)
        case .direct: return followDirect(address, for: access, in: memory)
        case .none:
            let everything =
                GuestEntryBits.writable | GuestEntryBits.user | GuestEntryBits.executeDisable
                | GuestEntryBits.dirty
            return .page(
                GuestPage(
                    address: GuestPhysicalAddress(address.rawValue & 0xFFFF_FFFF), size: .fourKibibytes, rights: everything))
        }
    }

    /// A walk of tables that hold machine addresses, to a page's guest-physical address. It always sets the bits that are due:
    /// nothing observes walks under direct paging, and one walk is code enough.
    @inline(never)
    private func followDirect(
        _ address: GuestVirtualAddress, for access: GuestAccess, in memory: some GuestTableMemory
    ) -> GuestTranslation? {
        guard UInt64(bitPattern: Int64(bitPattern: address.rawValue << 16) >> 16) == address.rawValue else {
            return .notCanonical
        }
        var path = MarkedEntryPath()
        let result = follow(
            LongModeEntries.self, address.rawValue, table: cr3 & GuestEntryBits.address, topShift: 39, access: access,
            memory: MachineMemory(guest: memory, start: ramStart), path: &path)
        guard case .page(let page) = result else { return result }
        return .page(
            GuestPage(address: GuestPhysicalAddress(page.address.rawValue &- ramStart), size: page.size, rights: page.rights))
    }

    /// The PDPTE register for a 32-bit address, in PAE paging. Constant indices: a variable one would copy the whole
    /// structure.
    public func pageDirectoryPointer(for linear: UInt64) -> UInt64 {
        switch linear >> 30 {
        case 0: pdptes[0]
        case 1: pdptes[1]
        case 2: pdptes[2]
        default: pdptes[3]
        }
    }

    /// The error code for a fault of `access`; `cause` is 0 (not present), 1 (rights), 21H (protection key) or
    /// 9 (reserved bit).
    func errorCode(_ cause: UInt32, for access: GuestAccess) -> PageFaultErrorCode {
        var code = cause
        if access.kind == .write { code |= 2 }
        if access.isUser { code |= 4 }
        let showsFetch = preventsSupervisorExecution || (hasExecuteDisable && mode != .bits32)
        if access.kind == .fetch, showsFetch { code |= 16 }
        return PageFaultErrorCode(rawValue: code)
    }

    /// Whether entries with the combined `rights` permit the access.
    ///
    /// Intel SDM vol. 3, "Determination of Access Rights".
    @inline(__always)
    func permits(_ access: GuestAccess, _ rights: UInt64) -> Bool {
        let isUserPage = rights & GuestEntryBits.user != 0
        if access.isUser {
            guard isUserPage else { return false }
            switch access.kind {
            case .read: return true
            case .write: return rights & GuestEntryBits.writable != 0
            case .fetch: return rights & GuestEntryBits.executeDisable != 0
            }
        }
        if access.kind == .fetch {
            return rights & GuestEntryBits.executeDisable != 0 && !(isUserPage && preventsSupervisorExecution)
        }
        if isUserPage, preventsSupervisorAccess, !access.overridesSMAP { return false }
        return access.kind == .read || !writeProtects || rights & GuestEntryBits.writable != 0
    }
    /// Whether the protection key of a user page forbids a data access, by supervisor or user.
    ///
    /// Intel SDM vol. 3, "Protection Keys".
    @inline(__always)
    func protectionKeyForbids(_ access: GuestAccess, _ rights: UInt64, leaf: UInt64) -> Bool {
        guard protectionKeyRights != 0, access.kind != .fetch, rights & GuestEntryBits.user != 0 else { return false }
        let forbidden = protectionKeyRights &>> UInt32(truncatingIfNeeded: leaf &>> 58 & 0x1E)
        if forbidden & 1 != 0 { return true }
        return forbidden & 2 != 0 && access.kind == .write && (access.isUser || writeProtects)
    }
}
