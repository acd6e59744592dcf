import Memory
import Text
import VMX

/// An entry of the extended page tables in words.
public struct NestedPageEntryExplanation {
    let entry: EPTEntry
    let level: Int

    /// - Parameter level: the level of its table, 1 (leaves of 4 KiB) to 5.
    public init(_ entry: EPTEntry, level: Int) {
        self.entry = entry
        self.level = level
    }

    /// What a processor with every feature takes.
    private var format: EPTFormat {
        .init(
            levelCount: 5, leafSizes: .upToOneGibibyte, physicalAddressWidth: 52, offersExecuteOnly: true,
            hasModeBasedExecute: true, ignoresPAT: false)
    }

    public func report(to print: (Line) -> Void) {
        print(
            "EPT entry \(hex: entry.rawValue) in a table of level \(level) (SDM volume 3, \"EPT Translation Mechanism\")")
        var table = BitTable(entry.rawValue)
        table.flag(0, "reads allowed", else: "no reads", to: print)
        table.flag(1, "writes allowed", else: "no writes", to: print)
        table.flag(2, "fetches allowed", else: "no fetches", to: print)
        table.flag(
            10, "fetches from user-mode addresses allowed (with mode-based execute control, else ignored)", to: print)
        guard format.isPresent(entry) else {
            table.flag(63, "an EPT violation here exits even with \"EPT-violation #VE\"", to: print)
            print("  not present: every access is an EPT violation; the other bits are the hypervisor's own")
            return
        }
        let isLeaf = format.isLeaf(entry, level: level)
        if isLeaf { reportLeaf(&table, to: print) } else { reportTable(&table, to: print) }
        table.finish(to: print)
        if let wrong = format.misconfiguration(of: entry, level: level) {
            print("  misconfigured, an access exits with reason 49: \(Self.words(wrong)) (\"EPT Misconfigurations\")")
        }
    }

    private func reportLeaf(_ table: inout BitTable, to print: (Line) -> Void) {
        table.row(5, 3, MemoryTypeWords.line(entry.memoryTypeBits), to: print)
        table.flag(6, "the guest's PAT is ignored", else: "the guest's PAT counts too", to: print)
        if level > 1 { table.flag(7, "a large page", else: "no large page", to: print) }
        reportUse(&table, to: print)
        table.flag(9, "dirty", else: "not dirty (or not recorded: EPTP bit 6)", to: print)
        let low = level == 3 ? 30 : level == 2 ? 21 : 12
        let address = entry.rawValue & 0x000F_FFFF_FFFF_FFFF & ~((1 << UInt64(low)) - 1)
        let size: StaticString = level == 3 ? "1 GiB" : level == 2 ? "2 MiB" : "4 KiB"
        table.row(51, low, "the page of \(size) at host-physical \(hex: address)", to: print)
        table.flag(57, "guest-paging verification (where offered, else ignored)", to: print)
        table.flag(58, "paging-write access (where offered, else ignored)", to: print)
        table.flag(60, "supervisor shadow stacks may lie here (where offered, else ignored)", to: print)
        table.flag(61, "sub-page write permissions (where offered, else ignored)", to: print)
        table.flag(63, "an EPT violation here exits even with \"EPT-violation #VE\"", to: print)
        ignore(&table, 0x49F0_0000_0000_0800 | (level == 1 ? 1 << 7 : 0), to: print)
    }

    private func reportTable(_ table: inout BitTable, to print: (Line) -> Void) {
        reportUse(&table, to: print)
        let address = entry.rawValue & 0x000F_FFFF_FFFF_F000
        table.row(51, 12, "the table of level \(level - 1) at host-physical \(hex: address)", to: print)
        ignore(&table, 0xFFF0_0000_0000_0A00, to: print)
    }

    private func reportUse(_ table: inout BitTable, to print: (Line) -> Void) {
        table.flag(8, "accessed", else: "not accessed (or not recorded: EPTP bit 6)", to: print)
    }

    /// Tells of those set bits of a mask that the processor does not look at.
    private func ignore(_ table: inout BitTable, _ mask: UInt64, to print: (Line) -> Void) {
        for bit in 0..<64 where mask >> UInt64(bit) & 1 != 0 { table.flag(bit, "ignored: the hypervisor's own", to: print) }
    }

    static func words(_ wrong: EPTMisconfiguration) -> Line {
        switch wrong {
        case .writableButNotReadable: "writes are allowed and reads are not"
        case .executeOnlyNotOffered: "fetches are allowed and reads are not, which the processor does not offer"
        case .reservedBits(let bits): "the reserved bits \(hex: bits) are set"
        case .reservedMemoryType(let type): "memory type \(type) is reserved"
        }
    }
}

/// The EPT pointer in words.
public struct NestedPagePointerExplanation {
    let pointer: EPTPointer

    public init(_ pointer: EPTPointer) { self.pointer = pointer }

    public func report(to print: (Line) -> Void) {
        print("EPT pointer \(hex: pointer.rawValue) (SDM volume 3, \"Extended-Page-Table Pointer (EPTP)\")")
        var table = BitTable(pointer.rawValue)
        var type = MemoryTypeWords.line(pointer.rawValue & 7)
        type.write(" for the processor's accesses to the tables")
        if pointer.memoryType != .uncacheable && pointer.memoryType != .writeBack {
            type.write(": only 0 and 6 are valid")
        }
        table.row(2, 0, type, to: print)
        let isOffered = pointer.levelCount == 4 || pointer.levelCount == 5
        table.row(
            5, 3,
            isOffered
                ? "a walk of \(count: pointer.levelCount, "level")" as Line
                : "a walk of \(count: pointer.levelCount, "level"): only 4 and 5 are valid (3 and 4 here)", to: print)
        table.flag(6, "accessed and dirty flags are kept", else: "no accessed and dirty flags", to: print)
        table.flag(7, "access rights of supervisor shadow-stack pages are enforced", to: print)
        table.row(51, 12, "the root table at host-physical \(hex: pointer.root.rawValue)", to: print)
        table.finish(to: print)
    }
}

/// Memory types by the manual's names.
enum MemoryTypeWords {
    static func line(_ bits: UInt64) -> Line {
        switch MemoryType(rawValue: UInt8(truncatingIfNeeded: bits)) {
        case .uncacheable: "uncacheable (UC)"
        case .writeCombining: "write-combining (WC)"
        case .writeThrough: "write-through (WT)"
        case .writeProtected: "write-protected (WP)"
        case .writeBack: "write-back (WB)"
        case nil: "reserved memory type"
        }
    }
}
