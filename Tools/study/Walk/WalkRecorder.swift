import Memory
import Text
import VMX

/// Follows a guest's walk: translates the place of every entry by the EPT before it is loaded, and writes a line a load.
struct WalkRecorder<Host: PhysicalMemory>: GuestWalkObserver {
    let paging: GuestPaging
    let nested: PageTableView<EPTFormat, Host>
    let pointer: EPTPointer
    private(set) var lines: [Line] = []
    /// How many loads there were.
    var loads = 0
    var cost = WalkCost()
    /// Why the EPT ended the walk.
    var failure = Failure.none
    /// The first entry of the guest's whose accessed or dirty bit the processor would have to set and may not.
    var unmarkable: GuestPhysicalAddress?
    var unmarkablePermissions = ExtendedPagePermissions.all
    /// What the EPT allow at the entry that was loaded last.
    private var entryPermissions = ExtendedPagePermissions.all
    let isWrite: Bool

    init(
        paging: GuestPaging, nested: PageTableView<EPTFormat, Host>, pointer: EPTPointer,
        isWrite: Bool
    ) {
        self.paging = paging
        self.nested = nested
        self.pointer = pointer
        self.isWrite = isWrite
    }

    enum Failure {
        case none
        case violation(GuestPhysicalAddress, NestedAccess, permissions: ExtendedPagePermissions)
        case misconfiguration(GuestPhysicalAddress, EPTMisconfiguration)
    }

    // MARK: The guest's entries

    mutating func willLoad(_ address: GuestPhysicalAddress, shift: UInt64) -> Bool {
        let access: NestedAccess = pointer.usesAccessedAndDirty ? .tableWithFlags : .table
        guard let leaf = translate(address, for: access) else { return false }
        entryPermissions = leaf.permissions
        return true
    }

    mutating func didLoad(_ entry: UInt64, from address: GuestPhysicalAddress, shift: UInt64) {
        cost.countGuestEntry(shift: shift)
        var line = beginLine(GuestEntryWords.name(paging.mode, shift: shift), address.rawValue, entry)
        line.write(GuestEntryWords.line(entry, shift: shift, paging))
        writeLine(line)
        let due =
            isWrite && paging.isLeaf(entry, shift: shift)
            ? GuestEntryBits.accessed | GuestEntryBits.dirty : GuestEntryBits.accessed
        if entry & due != due, !entryPermissions.contains(.write), unmarkable == nil {
            unmarkable = address
            unmarkablePermissions = entryPermissions
        }
    }

    // MARK: The EPT's entries

    /// Walks the EPT, an entry a line.
    /// - Returns: the page there with what all the entries together allow, or nil, and `failure` says why.
    mutating func translate(
        _ address: GuestPhysicalAddress, for access: NestedAccess
    ) -> PageLeaf<ExtendedPagePermissions>? {
        var leaf: PageLeaf<ExtendedPagePermissions>?
        var rights = UInt64.max
        cost.beginTranslation()
        failure = .violation(address, access, permissions: .none)
        nested.trace(address) { step in
            writeNestedEntry(step)
            if let wrong = nested.format.misconfiguration(of: step.entry, level: step.level) {
                failure = .misconfiguration(address, wrong)
                return false
            }
            guard nested.format.isPresent(step.entry) else { return false }
            rights &= step.entry.rawValue
            if nested.format.isLeaf(step.entry, level: step.level) {
                leaf = nested.format.leaf(step.entry, level: step.level)
            }
            return true
        }
        guard var leaf else { return nil }
        leaf.permissions = .init(bits: rights)
        guard leaf.permissions.allow(access, nested.format) else {
            failure = .violation(address, access, permissions: leaf.permissions)
            return nil
        }
        failure = .none
        return leaf
    }

    private mutating func writeNestedEntry(_ step: PageWalkStep<EPTEntry>) {
        cost.countNestedLoad()
        var line = beginLine(NestedEntryWords.name(level: step.level), step.address.rawValue, step.entry.rawValue)
        line.write(NestedEntryWords.line(step.entry, level: step.level, nested.format))
        writeLine(line)
    }

    // MARK: Lines

    private mutating func beginLine(_ name: StaticString, _ address: UInt64, _ value: UInt64) -> Line {
        loads += 1
        var line: Line = "\(loads, width: 2)  "
        line.write(name)
        line.pad(to: Column.address)
        line.write(hex: address)
        line.write(" ")
        line.pad(to: Column.value)
        line.write(hex: value)
        line.write(" ")
        line.pad(to: Column.words)
        return line
    }

    mutating func writeLine(_ line: Line) { lines.append(line) }
}

/// Where the columns of a walk begin: after the number and the name, the address, the value and the words.
enum Column {
    static var address: Int { 17 }
    static var value: Int { 31 }
    static var words: Int { 50 }
}
