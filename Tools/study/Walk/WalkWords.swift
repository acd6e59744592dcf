import Memory
import Text
import VMX

/// The entries of guest page tables in few words.
///
/// Intel SDM vol. 3, the tables of formats in "32-Bit Paging", "PAE Paging", "4-Level Paging and 5-Level
/// Paging".
enum GuestEntryWords {
    static func name(_ mode: GuestPagingMode, shift: UInt64) -> StaticString {
        switch shift {
        case 48: "guest PML5E"
        case 39: "guest PML4E"
        case 30: "guest PDPTE"
        case 12: "guest PTE"
        default: "guest PDE"
        }
    }

    static func line(_ entry: UInt64, shift: UInt64, _ paging: GuestPaging) -> Line {
        guard entry & GuestEntryBits.present != 0 else { return "not present" }
        var line = Line(entry & GuestEntryBits.writable != 0 ? "writable" : "read-only")
        line.write(entry & GuestEntryBits.user != 0 ? " user" : " supervisor")
        if entry & GuestEntryBits.executeDisable != 0, paging.hasExecuteDisable { line.write(" no-execute") }
        if entry & GuestEntryBits.writeThrough != 0 { line.write(" PWT") }
        if entry & GuestEntryBits.cacheDisable != 0 { line.write(" PCD") }
        if entry & GuestEntryBits.accessed != 0 { line.write(" accessed") }
        let reserved = paging.reservedBits(of: entry, shift: shift)
        guard paging.isLeaf(entry, shift: shift) else {
            writeReserved(reserved, to: &line)
            line.write(", table \(hex: paging.target(of: entry, shift: shift).rawValue)" as Line)
            return line
        }
        if entry & GuestEntryBits.dirty != 0 { line.write(" dirty") }
        if entry & (shift == 12 ? GuestEntryBits.pageAttribute : GuestEntryBits.largePageAttribute) != 0 { line.write(" PAT") }
        if entry & GuestEntryBits.global != 0 { line.write(" global") }
        let isLong = paging.mode == .fourLevel || paging.mode == .fiveLevel
        if isLong, entry >> 59 & 15 != 0 { line.write(" key \(entry >> 59 & 15)" as Line) }
        writeReserved(reserved, to: &line)
        let size: StaticString =
            switch shift {
            case 12: "4 KiB"
            case 21: "2 MiB"
            case 22: "4 MiB"
            case 30: "1 GiB"
            default: "large"
            }
        line.write(", \(size) page \(hex: paging.target(of: entry, shift: shift).rawValue)" as Line)
        return line
    }

    private static func writeReserved(_ bits: UInt64, to line: inout Line) {
        if bits != 0 { line.write(", reserved bits \(hex: bits)" as Line) }
    }
}

/// The entries of the EPT in few words.
enum NestedEntryWords {
    static func name(level: Int) -> StaticString {
        switch level {
        case 1: "EPT PTE"
        case 2: "EPT PDE"
        case 3: "EPT PDPTE"
        case 4: "EPT PML4E"
        default: "EPT PML5E"
        }
    }

    static func line(_ entry: EPTEntry, level: Int, _ format: EPTFormat) -> Line {
        guard format.isPresent(entry) else { return "not present" }
        var line = ExtendedPagePermissions(bits: entry.rawValue).words(format)
        if entry.isAccessed { line.write(" accessed") }
        guard format.misconfiguration(of: entry, level: level) == nil else {
            line.write(", misconfigured")
            return line
        }
        guard format.isLeaf(entry, level: level) else {
            line.write(", table \(hex: entry.address.rawValue)" as Line)
            return line
        }
        let leaf = format.leaf(entry, level: level)
        if entry.isDirty { line.write(" dirty") }
        if entry.ignoresPAT { line.write(" ignore-PAT") }
        line.write(", ")
        line.write(MemoryTypeWords.line(entry.memoryTypeBits))
        line.write(", \(leaf.size) page \(hex: leaf.output.rawValue)" as Line)
        return line
    }
}

extension GuestPagingMode {
    var words: StaticString {
        switch self {
        case .none: "no paging"
        case .bits32: "32-bit paging"
        case .pae: "PAE paging"
        case .fourLevel: "4-level paging"
        case .fiveLevel: "5-level paging"
        case .direct: "4-level paging by machine addresses"
        }
    }
}

extension GuestAccess {
    var words: Line {
        var line = Line(isUser ? "user " : "supervisor ")
        switch kind {
        case .read: line.write("read")
        case .write: line.write("write")
        case .fetch: line.write("fetch")
        }
        return line
    }
}
