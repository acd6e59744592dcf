import Memory
import Text

/// The walk of a guest-virtual address while shadow tables translate: of each level the guest's entry, which Martlet has read, and the
/// shadow entry, which the processor loads.
///
/// Both walks are looked at: no accessed or dirty bit is set, and nothing is filled in.
struct ShadowWalk {
    let paging: GuestPaging
    let book: ShadowBook
    let address: GuestVirtualAddress
    let access: GuestAccess

    /// - Parameters:
    ///   - memory: the guest's RAM.
    ///   - entries: the machine's memory.
    func write(_ memory: GuestTables, _ entries: ShadowEntries, to output: inout Answer) {
        var guest = LoadRecorder()
        var shadow = LoadRecorder()
        let seen = paging.foretell(address, for: access, in: memory, observer: &guest)
        let shadowPaging = shadowPaging(entries)
        let found = shadowPaging.foretell(address, for: access, in: entries, observer: &shadow)
        output.line(
            "walk of \(hex: address.rawValue) for a \(access.words): \(paging.mode.words), CR3 \(hex: paging.cr3), shadow root \(hex: book.root)"
        )
        if paging.shadowLevelCount == 3 { writePointers(shadowPaging, to: &output) }
        var number = 0
        for load in guest.loads {
            output.line(
                row(
                    nil, GuestEntryWords.name(paging.mode, shift: load.shift), load,
                    GuestEntryWords.line(load.entry, shift: load.shift, paging)))
            guard number < shadow.loads.count else { continue }
            output.line(shadowRow(number, shadow.loads[number], of: load, shadowPaging))
            number += 1
        }
        // Parts of a large page of the guest's.
        while number < shadow.loads.count {
            output.line(shadowRow(number, shadow.loads[number], of: nil, shadowPaging))
            number += 1
        }
        finish(seen, found, loads: number, to: &output)
    }

    /// Shadow tables are in the format of PAE paging where the guest's are not those of long mode.
    private func shadowPaging(_ entries: ShadowEntries) -> GuestPaging {
        var shadow = paging
        shadow.cr3 = book.root
        shadow.hasGibibytePages = true
        guard paging.shadowLevelCount == 3 else { return shadow }
        shadow.mode = .pae
        for part in 0..<4 {
            shadow.pdptes[part] = entries.readUInt64(at: GuestPhysicalAddress(book.root + UInt64(8 * part))) ?? 0
        }
        return shadow
    }

    /// The page-directory-pointer registers, which are loaded with CR3.
    private func writePointers(_ shadow: GuestPaging, to output: inout Answer) {
        let part = address.rawValue >> 30 & 3
        if paging.mode == .pae {
            output.line(pointer("guest", part, paging.pageDirectoryPointer(for: address.rawValue & 0xFFFF_FFFF)))
        }
        output.line(pointer("shadow", part, shadow.pageDirectoryPointer(for: address.rawValue & 0xFFFF_FFFF)))
    }

    private func pointer(_ whose: StaticString, _ part: UInt64, _ value: UInt64) -> Line {
        var line = Line()
        line.write("    \(whose) PDPTE\(part)" as Line)
        line.pad(to: Column.value)
        line.write(hex: value)
        line.write(" ")
        line.pad(to: Column.words)
        line.write(value & 1 == 0 ? "not present" as Line : "table \(hex: value & 0x000F_FFFF_FFFF_F000)" as Line)
        line.write(" (a register: no load)")
        return line
    }

    // MARK: Lines

    private func row(_ number: Int?, _ name: StaticString, _ load: LoadRecorder.Load, _ words: Line) -> Line {
        var line: Line = "    "
        if let number { line = "\(number, width: 2)  " }
        line.write(name)
        line.write(" ")
        line.pad(to: Column.address)
        line.write(hex: load.address)
        line.write(" ")
        line.pad(to: Column.value)
        line.write(hex: load.entry)
        line.write(" ")
        line.pad(to: Column.words)
        line.write(words)
        return line
    }

    /// - Parameter guest: the guest's entry that it was made from; nil for a part of a large page.
    private func shadowRow(_ number: Int, _ load: LoadRecorder.Load, of guest: LoadRecorder.Load?, _ shadow: GuestPaging) -> Line
    {
        var words = GuestEntryWords.line(load.entry, shift: load.shift, shadow)
        if let guest {
            if isOther(load, guest, shadow) { words.write("; the guest's leads elsewhere") }
            if let step = book.stepWords(of: guest.address & ~0xFFF) { words.write("; \(step)" as Line) }
        } else {
            words.write("; a part of the guest's large page")
        }
        return row(number + 1, Self.name(load.shift), load, words)
    }

    /// Whether a reference is to the shadow of another table than the guest's entry refers to now.
    private func isOther(_ load: LoadRecorder.Load, _ guest: LoadRecorder.Load, _ shadow: GuestPaging) -> Bool {
        guard load.entry & 1 != 0, !shadow.isLeaf(load.entry, shift: load.shift) else { return false }
        guard guest.entry & 1 != 0 else { return true }
        guard let number = book.number(of: load.entry), let page = book.page(number), !page.isDirect else { return false }
        return UInt64(page.frame) != paging.target(of: guest.entry, shift: guest.shift).rawValue >> 12
    }

    private static func name(_ shift: UInt64) -> StaticString {
        switch shift {
        case 48: "shadow PML5E"
        case 39: "shadow PML4E"
        case 30: "shadow PDPTE"
        case 12: "shadow PTE"
        default: "shadow PDE"
        }
    }

    // MARK: The end

    private func finish(_ seen: GuestTranslation, _ found: GuestTranslation, loads: Int, to output: inout Answer) {
        switch seen {
        case .page(let page): finish(page, found, to: &output)
        case .fault(let code):
            let isLong = paging.mode == .fourLevel || paging.mode == .fiveLevel
            let linear = isLong ? address.rawValue : address.rawValue & 0xFFFF_FFFF
            output.line("#PF by the guest's tables, error code \(hex: code.rawValue) (\(code)), CR2 \(hex: linear)")
            if case .page(let stale) = found {
                writeStale(stale, to: &output)
            } else {
                output.line("it exits (exit reason 0), and Martlet injects it")
            }
        case .notCanonical: output.line("#GP(0), or #SS(0) through SS: the address is not canonical; nothing is loaded")
        case .tableOutsideRAM(let place):
            output.line(
                "the guest's entry at guest-physical \(hex: place.rawValue) is not in its RAM: Martlet does not read there")
        }
        if case .page = found {
            output.line("\(count: loads, "load"), and the access itself: \(loads + 1)")
        } else {
            output.line("\(count: loads, "load")")
        }
    }

    /// The guest's tables permit the access.
    private func finish(_ page: GuestPage, _ found: GuestTranslation, to output: inout Answer) {
        var line: Line = "guest-physical \(hex: page.address.rawValue) in a page of \(page.size): "
        line.write(Self.rights(page))
        output.line(line)
        let use = book.use(of: page.address.rawValue >> 12)
        guard case .page(let shadow) = found else {
            let reason: StaticString =
                use == nil
                ? "there is no RAM, and Martlet makes the access on the guest's behalf"
                : access.kind == .write && use?.tableCount ?? 0 > 0 && use?.isOutOfStep == false
                    ? "the page is a table in step, which the write puts out of step"
                    : "Martlet fills in the shadow tables, and the access is repeated"
            return output.line("page fault by the shadow tables alone (exit reason 0): \(reason)")
        }
        guard book.guestAddress(of: shadow.address.rawValue) == page.address.rawValue else {
            return writeStale(shadow, to: &output)
        }
        line = "host-physical  \(hex: shadow.address.rawValue) in a page of \(shadow.size): "
        line.write(Self.rights(shadow))
        output.line(line)
    }

    private func writeStale(_ page: GuestPage, to output: inout Answer) {
        let place = book.guestAddress(of: page.address.rawValue)
        output.line("the shadow tables still lead to guest-physical \(hex: place), until the guest invalidates the translation")
    }

    private static func rights(_ page: GuestPage) -> Line {
        var line = Line(page.isWritable ? "writable, " : "read-only, ")
        line.write(page.isUser ? "user, " : "supervisor, ")
        line.write(page.isExecutable ? "executable" : "not executable")
        return line
    }
}

/// Takes down the entries that a walk loads.
struct LoadRecorder: GuestWalkObserver {
    struct Load {
        var shift: UInt64
        var address: UInt64
        var entry: UInt64
    }

    private(set) var loads: [Load] = []

    mutating func willLoad(_ address: GuestPhysicalAddress, shift: UInt64) -> Bool { true }

    mutating func didLoad(_ entry: UInt64, from address: GuestPhysicalAddress, shift: UInt64) {
        loads.append(Load(shift: shift, address: address.rawValue, entry: entry))
    }
}
