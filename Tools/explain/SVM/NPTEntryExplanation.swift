import Memory
import SVM
import StudyTools
import Text

/// An entry of the nested page tables in words.
struct NPTEntryExplanation {
    let entry: NPTEntry
    /// Of its table, 1 (leaves of 4 KiB) to 5.
    let level: Int

    /// What a processor with every feature takes.
    private var format: NPTFormat {
        .init(
            levelCount: 5, leafSizes: .upToOneGibibyte, physicalAddressWidth: 52, hasExecuteDisable: true, attributes: .atReset)
    }

    func report(to print: (Line) -> Void) {
        print("NPT entry \(hex: entry.rawValue) in a table of level \(level) (APM volume 2, \"Nested Table Walk\")")
        var table = BitTable(entry.rawValue)
        table.flag(0, "P: present", else: "P: not present", to: print)
        guard format.isPresent(entry) else {
            print("  every access is a nested page fault; the other bits are the hypervisor's own")
            return
        }
        table.flag(1, "RW: writes allowed", else: "RW: no writes", to: print)
        table.flag(2, "US: user", else: "US: supervisor, which lets no access of the guest's through", to: print)
        let isLeaf = level <= 3 && format.isLeaf(entry, level: level)
        if isLeaf { reportLeaf(&table, to: print) } else { reportTable(&table, to: print) }
        table.flag(63, "NX: no fetches (with the host's EFER.NXE, else reserved)", to: print)
        for bit in [9, 10, 11] + Array(52...62) { table.flag(bit, "ignored: the hypervisor's own", to: print) }
        let reserved = format.reservedBits(of: entry, level: level)
        table.finish(to: print)
        if reserved != 0 {
            print("  reserved bits \(hex: reserved) are set: an access is a nested page fault with RSV (bit 3 of EXITINFO1)")
        }
    }

    private func reportLeaf(_ table: inout BitTable, to print: (Line) -> Void) {
        table.cover(4, 3)
        table.flag(5, "A: accessed", else: "A: not accessed", to: print)
        table.flag(6, "D: dirty", else: "D: not dirty", to: print)
        if level > 1 { table.flag(7, "PS: a large page", else: "PS: no large page", to: print) } else { table.cover(7, 7) }
        table.flag(8, "G: ignored", to: print)
        if level > 1 { table.cover(12, 12) }
        let leaf = format.leaf(entry, level: level)
        let high = level == 3 ? 30 : level == 2 ? 21 : 12
        let size: StaticString = level == 3 ? "1 GiB" : level == 2 ? "2 MiB" : "4 KiB"
        table.row(51, high, "the page of \(size) at host-physical \(hex: leaf.output.rawValue)", to: print)
        print("  memory type: number \(entry.attributeIndex(level: level)) of the host's PAT (PAT, PCD and PWT)")
    }

    private func reportTable(_ table: inout BitTable, to print: (Line) -> Void) {
        table.flag(3, "PWT: the table is written through", to: print)
        table.flag(4, "PCD: the table is not cached", to: print)
        table.flag(5, "A: accessed", else: "A: not accessed", to: print)
        table.flag(6, "ignored: the hypervisor's own", to: print)
        if level == 2 { table.flag(8, "ignored: the hypervisor's own", to: print) }
        table.row(
            51, 12, "the table of level \(UInt64(level - 1)) at host-physical \(hex: entry.address.rawValue)", to: print)
    }
}
