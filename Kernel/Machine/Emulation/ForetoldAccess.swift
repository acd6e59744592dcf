import Memory
import Virtualization
import X86

/// An access to the guest's memory that an instruction is about to make, for a monitor that watches memory.
public struct ForetoldAccess: Equatable, Sendable {
    public var first: UInt64
    /// The last byte; in the same page.
    public var last: UInt64
    public var isRead: Bool
    public var isWrite: Bool
    /// An entry of the guest's page tables, on the way to another access.
    public var isTable: Bool
    /// Of an element after the first of a repeated instruction.
    public var isLater: Bool

    public init(first: UInt64, last: UInt64, isRead: Bool, isWrite: Bool, isTable: Bool = false, isLater: Bool = false) {
        self.first = first
        self.last = last
        self.isRead = isRead
        self.isWrite = isWrite
        self.isTable = isTable
        self.isLater = isLater
    }
}

/// How an operand is accessed.
struct OperandUse {
    var isRead: Bool
    var isWrite: Bool
    var isLater = false

    static var read: Self { .init(isRead: true, isWrite: false) }
    static var write: Self { .init(isRead: false, isWrite: true) }

    /// The kind for which page tables and segments check it.
    var kind: GuestAccess.Kind { isWrite ? .write : .read }

    func later(_ isLater: Bool) -> Self { .init(isRead: isRead, isWrite: isWrite, isLater: isLater) }
}

/// The entries that a walk loads: no walk has more than five.
struct TableEntries: GuestWalkObserver {
    private(set) var count = 0
    private var addresses: [5 of UInt64] = .init(repeating: 0)
    private var values: [5 of UInt64] = .init(repeating: 0)

    mutating func willLoad(_ address: GuestPhysicalAddress, shift: UInt64) -> Bool { true }

    mutating func didLoad(_ entry: UInt64, from address: GuestPhysicalAddress, shift: UInt64) {
        guard count < 5 else { return }
        addresses[count] = address.rawValue
        values[count] = entry
        count += 1
    }

    func address(_ index: Int) -> UInt64 { addresses[index] }

    /// Whether a successful walk sets the accessed bit, or the dirty bit of the last entry.
    func isMarked(_ index: Int, for kind: GuestAccess.Kind) -> Bool {
        let due =
            kind == .write && index == count - 1
            ? GuestEntryBits.accessed | GuestEntryBits.dirty : GuestEntryBits.accessed
        return values[index] & due != due
    }
}

extension VirtualCPU {
    /// Reports the accesses to an operand, one for each page, and those of the walks to it. The guest is not changed.
    /// - Returns: false if the guest faults instead.
    mutating func foretell(
        _ address: GuestVirtualAddress, size: Int, _ use: OperandUse, to report: (ForetoldAccess) -> Void
    ) -> Bool {
        var done = 0
        while done < size {
            let linear = (address.rawValue &+ UInt64(done)) & linearMask
            guard let place = foretellWalk(GuestVirtualAddress(linear), use, to: report) else { return false }
            let count = min(size - done, Int(0x1000 - linear & 0xFFF))
            report(
                ForetoldAccess(
                    first: place.rawValue, last: place.rawValue &+ UInt64(count - 1), isRead: use.isRead, isWrite: use.isWrite,
                    isLater: use.isLater))
            done += count
        }
        return true
    }

    /// Reports the entries that a walk loads and marks.
    /// - Returns: where it leads; nil for a fault.
    mutating func foretellWalk(
        _ address: GuestVirtualAddress, _ use: OperandUse, to report: (ForetoldAccess) -> Void
    ) -> GuestPhysicalAddress? {
        walk(address, access(use.kind), isLater: use.isLater, marks: true, to: report)
    }

    /// The same for any access.
    /// - Parameter marks: sets accessed and dirty bits.
    mutating func walk(
        _ address: GuestVirtualAddress, _ access: GuestAccess, isLater: Bool, marks: Bool, to report: (ForetoldAccess) -> Void
    ) -> GuestPhysicalAddress? {
        var entries = TableEntries()
        let paging = paging
        let result = paging.foretell(address, for: access, in: memory, observer: &entries)
        var place: GuestPhysicalAddress?
        if case .page(let page) = result { place = page.address }
        let size: UInt64 = paging.mode == .bits32 ? 4 : 8
        for index in 0..<entries.count {
            let first = entries.address(index)
            report(
                ForetoldAccess(
                    first: first, last: first &+ size &- 1, isRead: true,
                    isWrite: marks && place != nil && entries.isMarked(index, for: access.kind), isTable: true, isLater: isLater))
        }
        return place
    }

    /// Reports the accesses to an operand in a segment whose checks may fail.
    mutating func foretell(
        offset: UInt64, size: Int, in register: SegmentRegister, _ use: OperandUse, _ mode: ProcessorMode,
        to report: (ForetoldAccess) -> Void
    ) -> Bool {
        guard case .address(let address) = linear(offset, size: size, in: register, use.kind, mode) else { return false }
        return foretell(address, size: size, use, to: report)
    }
}
