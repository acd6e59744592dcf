@testable import Memory

/// Guest RAM for tests: `words` from guest-physical 0 on. Remembers which entries were changed.
final class FakeGuestRAM: GuestTableMemory {
    var words: [UInt64]
    private(set) var changes: [UInt64: UInt64] = [:]

    init(frames: Int) { words = Array(repeating: 0, count: frames * 512) }

    func forgetChanges() { changes = [:] }

    func readUInt64(at address: GuestPhysicalAddress) -> UInt64? {
        precondition(address.rawValue % 8 == 0, "misaligned read")
        return address.rawValue / 8 < words.count ? words[Int(address.rawValue / 8)] : nil
    }

    func readUInt32(at address: GuestPhysicalAddress) -> UInt32? {
        precondition(address.rawValue % 4 == 0, "misaligned read")
        guard address.rawValue / 8 < words.count else { return nil }
        return UInt32(truncatingIfNeeded: words[Int(address.rawValue / 8)] >> ((address.rawValue & 4) * 8))
    }

    func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) {
        let old = words[Int(address.rawValue / 8)]
        let new = old | UInt64(bits) << ((address.rawValue & 4) * 8)
        words[Int(address.rawValue / 8)] = new
        if new != old { changes[address.rawValue, default: 0] |= UInt64(bits) & ~(old >> ((address.rawValue & 4) * 8)) }
    }
}

extension FakeGuestRAM: ComparedTableMemory {
    func copyPage(at address: GuestPhysicalAddress, to words: UnsafeMutablePointer<UInt64>) {
        for index in 0..<512 { words[index] = readUInt64(at: GuestPhysicalAddress(address.rawValue + UInt64(8 * index)))! }
    }

    func difference(at address: GuestPhysicalAddress, to words: UnsafePointer<UInt64>, from start: Int) -> Int {
        (start..<512).first { readUInt64(at: GuestPhysicalAddress(address.rawValue + UInt64(8 * $0))) != words[$0] } ?? 512
    }
}

/// An access in the manual's words.
struct AccessDescription {
    var kind: GuestAccess.Kind
    var privilegeLevel: Int
    var isImplicit: Bool
    var alignmentCheck: Bool

    var isUser: Bool { privilegeLevel == 3 && !isImplicit }
}

/// A second, slow translation, written from the manual's text and tables level by level, with nothing shared.
struct GuestPagingReference {
    enum Outcome: Equatable {
        case address(UInt64, PageSize, writable: Bool, user: Bool, executable: Bool, dirty: Bool)
        case fault(UInt32)
        case notCanonical
        case outside(UInt64)
    }

    let paging: GuestPaging
    let ram: FakeGuestRAM
    /// What the walk must set, by address of the entry.
    private(set) var expectedChanges: [UInt64: UInt64] = [:]

    init(paging: GuestPaging, ram: FakeGuestRAM) {
        self.paging = paging
        self.ram = ram
    }

    private func bits(_ value: UInt64, _ high: Int, _ low: Int) -> UInt64 {
        var result: UInt64 = 0
        for bit in low...high where value >> UInt64(bit) & 1 == 1 { result |= 1 << UInt64(bit - low) }
        return result
    }

    private func anySet(_ value: UInt64, _ high: Int, _ low: Int) -> Bool { high >= low && bits(value, high, low) != 0 }

    mutating func translate(_ linear: UInt64, _ access: AccessDescription) -> Outcome {
        switch paging.mode {
        case .none:
            return .address(bits(linear, 31, 0), .fourKibibytes, writable: true, user: true, executable: true, dirty: true)
        case .bits32:
            return walk([(31, 22), (21, 12)], linear, bits(paging.cr3, 31, 12) << 12, access)
        case .pae:
            let pdpte = paging.pdptes[Int(bits(linear, 31, 30))]
            if bits(pdpte, 0, 0) == 0 { return .fault(code(present: false, reserved: false, access)) }
            return walk([(29, 21), (20, 12)], linear, bits(pdpte, 51, 12) << 12, access)
        case .fourLevel, .direct:
            let top = bits(linear, 63, 47)
            if top != 0 && top != (1 << 17) - 1 { return .notCanonical }
            return walk([(47, 39), (38, 30), (29, 21), (20, 12)], linear, bits(paging.cr3, 51, 12) << 12, access)
        case .fiveLevel:
            let top = bits(linear, 63, 56)
            if top != 0 && top != 0xFF { return .notCanonical }
            return walk([(56, 48), (47, 39), (38, 30), (29, 21), (20, 12)], linear, bits(paging.cr3, 51, 12) << 12, access)
        }
    }

    private mutating func walk(
        _ indices: [(high: Int, low: Int)], _ linear: UInt64, _ root: UInt64, _ access: AccessDescription
    ) -> Outcome {
        var table = root
        var passed: [(address: UInt64, entry: UInt64)] = []
        let size: UInt64 = paging.mode == .bits32 ? 4 : 8
        for (high, low) in indices {
            let address = table + bits(linear, high, low) * size
            let read =
                size == 4
                ? ram.readUInt32(at: GuestPhysicalAddress(address)).map(UInt64.init)
                : ram.readUInt64(at: GuestPhysicalAddress(address))
            guard let entry = read else { return .outside(address) }
            if bits(entry, 0, 0) == 0 { return .fault(code(present: false, reserved: false, access)) }
            passed.append((address, entry))
            let pageSizeBit = bits(entry, 7, 7) == 1
            let isLarge = low > 12 && pageSizeBit && (paging.mode != .bits32 || paging.hasPageSizeExtensions)
            if isReservedSet(entry, low: low, isLarge: isLarge) {
                return .fault(code(present: true, reserved: true, access))
            }
            if low > 12 && !isLarge {
                table = bits(entry, size == 4 ? 31 : 51, 12) << 12
                continue
            }
            return finish(passed, entry, low, linear, access)
        }
        fatalError("a walk ends at the last level")
    }

    private func isReservedSet(_ entry: UInt64, low: Int, isLarge: Bool) -> Bool {
        let width = paging.physicalAddressWidth
        if paging.mode == .bits32 {
            guard isLarge else { return false }
            return anySet(entry, 21, (paging.hasPSE36 ? min(40, width) : 32) - 19)
        }
        if anySet(entry, 51, width) { return true }
        if bits(entry, 63, 63) == 1 && !paging.hasExecuteDisable { return true }
        if paging.mode == .pae && anySet(entry, 62, 52) { return true }
        switch low {
        case 48, 39: return isLarge
        case 30: return isLarge && (!paging.hasGibibytePages || anySet(entry, 29, 13))
        case 21: return isLarge && anySet(entry, 20, 13)
        default: return false
        }
    }

    private mutating func finish(
        _ passed: [(address: UInt64, entry: UInt64)], _ leaf: UInt64, _ low: Int, _ linear: UInt64, _ access: AccessDescription
    ) -> Outcome {
        let writable = passed.allSatisfy { bits($0.entry, 1, 1) == 1 }
        let user = passed.allSatisfy { bits($0.entry, 2, 2) == 1 }
        let executable = passed.allSatisfy { bits($0.entry, 63, 63) == 0 }
        let isForbiddenByKey = user && keyForbids(access, bits(leaf, 62, 59))
        guard allowed(access, writable, user, executable), !isForbiddenByKey else {
            return .fault(code(present: true, reserved: false, access) + (isForbiddenByKey ? 0x20 : 0))
        }
        for (index, step) in passed.enumerated() {
            var set: UInt64 = 1 << 5
            if index == passed.count - 1 && access.kind == .write { set |= 1 << 6 }
            set &= ~step.entry
            // An entry can serve two levels, when a table refers to itself.
            if set != 0 { expectedChanges[step.address, default: 0] |= set }
        }
        var page = bits(leaf, paging.mode == .bits32 ? 31 : 51, low) << UInt64(low)
        var pageSize = PageSize.fourKibibytes
        switch low {
        case 30: pageSize = .oneGibibyte
        case 22:
            pageSize = .fourMebibytes
            page |= bits(leaf, 20, 13) << 32
        case 21: pageSize = .twoMebibytes
        default: break
        }
        let dirty = access.kind == .write || bits(leaf, 6, 6) == 1
        return .address(
            page + bits(linear, low - 1, 0), pageSize,
            writable: writable, user: user, executable: executable, dirty: dirty)
    }

    /// "Determination of Access Rights", case by case.
    private func allowed(_ access: AccessDescription, _ writable: Bool, _ user: Bool, _ executable: Bool) -> Bool {
        let implicit = access.isImplicit
        let ac = access.alignmentCheck
        if !access.isUser {
            switch access.kind {
            case .read:
                if !user { return true }
                if !paging.preventsSupervisorAccess { return true }
                return ac && !implicit
            case .write:
                switch (user, paging.writeProtects) {
                case (false, false): return true
                case (false, true): return writable
                case (true, false): return !paging.preventsSupervisorAccess || (ac && !implicit)
                case (true, true): return writable && (!paging.preventsSupervisorAccess || (ac && !implicit))
                }
            case .fetch:
                if user && paging.preventsSupervisorExecution { return false }
                if paging.mode == .bits32 || !paging.hasExecuteDisable { return true }
                return executable
            }
        }
        guard user else { return false }
        switch access.kind {
        case .read: return true
        case .write: return writable
        case .fetch: return paging.mode == .bits32 || !paging.hasExecuteDisable || executable
        }
    }

    /// "Protection Keys".
    private func keyForbids(_ access: AccessDescription, _ key: UInt64) -> Bool {
        guard paging.mode == .fourLevel || paging.mode == .fiveLevel, access.kind != .fetch else { return false }
        let accessDisable = bits(UInt64(paging.protectionKeyRights), Int(2 * key), Int(2 * key)) == 1
        let writeDisable = bits(UInt64(paging.protectionKeyRights), Int(2 * key + 1), Int(2 * key + 1)) == 1
        if accessDisable { return true }
        guard writeDisable, access.kind == .write else { return false }
        return access.isUser || paging.writeProtects
    }

    private func code(present: Bool, reserved: Bool, _ access: AccessDescription) -> UInt32 {
        let isPAEOrLonger = paging.mode != .bits32 && paging.mode != .none
        let showsFetch = paging.preventsSupervisorExecution || (isPAEOrLonger && paging.hasExecuteDisable)
        return (present ? 0x01 : 0) + (access.kind == .write ? 0x02 : 0) + (access.isUser ? 0x04 : 0)
            + (reserved ? 0x08 : 0) + (access.kind == .fetch && showsFetch ? 0x10 : 0)
    }
}
