import Memory
import Text
import VMX

/// The two-dimensional page walk of a guest-virtual address, load by load: each entry of the guest's tables is at a
/// guest-physical address, which the EPT translates first, and so is the walk's result.
///
/// It is the guest's walk and the EPT's own, looked at: no accessed or dirty bit is set, and nothing is cached.
///
/// Intel SDM vol. 3, "EPT Translation Mechanism".
public enum TwoDimensionalWalk {
    /// - Parameters:
    ///   - paging: how the guest translates now.
    ///   - memory: the guest's RAM, where the values of its entries are read.
    ///   - nested: the extended page tables.
    ///   - pointer: the EPT pointer in use: whether the processor keeps accessed and dirty flags decides which rights it
    ///     needs for the guest's tables.
    public static func write(
        _ address: GuestVirtualAddress, for access: GuestAccess, paging: GuestPaging, memory: some GuestTableMemory,
        nested: PageTableView<EPTFormat, some PhysicalMemory>, pointer: EPTPointer,
        to output: inout Answer
    ) {
        var walk = WalkRecorder(paging: paging, nested: nested, pointer: pointer, isWrite: access.kind == .write)
        walk.writeHeading(address, access)
        let result = paging.foretell(address, for: access, in: memory, observer: &walk)
        switch result {
        case .page(let page): walk.finish(page, access)
        case .fault(let code): walk.finish(code, address)
        case .notCanonical:
            walk.writeLine("#GP(0), or #SS(0) through SS: the address is not canonical; nothing is loaded")
        case .tableOutsideRAM(let place): walk.finishWithoutEntry(at: place)
        }
        for line in walk.lines { output.line(line) }
    }
}

extension WalkRecorder {
    mutating func writeHeading(_ address: GuestVirtualAddress, _ access: GuestAccess) {
        var line: Line = "walk of \(hex: address.rawValue) for a \(access.words): "
        line.write(paging.mode.words)
        if paging.mode != .none { line.write(", CR3 \(hex: paging.cr3)" as Line) }
        line.write(", EPTP \(hex: pointer.rawValue)" as Line)
        writeLine(line)
        guard paging.mode == .pae else { return }
        let linear = address.rawValue & 0xFFFF_FFFF
        let register = paging.pageDirectoryPointer(for: linear)
        line = "    PDPTE\(linear >> 30)"
        line.pad(to: Column.value)
        line.write(hex: register)
        line.write(" ")
        line.pad(to: Column.words)
        line.write(
            register & 1 == 0
                ? "not present (a register: no load)" as Line
                : "table \(hex: register & 0x000F_FFFF_FFFF_F000) (a register: no load)" as Line)
        writeLine(line)
    }

    /// The guest's tables permit the access.
    mutating func finish(_ page: GuestPage, _ access: GuestAccess) {
        let kind = NestedAccess(access, isUserPage: page.isUser)
        guard let leaf = translate(page.address, for: kind) else {
            writeFailure()
            return
        }
        if let place = unmarkable {
            failure = .violation(place, .marking, permissions: unmarkablePermissions)
            writeFailure()
            return
        }
        var line: Line = "guest-physical \(hex: page.address.rawValue)"
        if paging.mode != .none {
            line.write(" in a page of \(page.size): " as Line)
            line.write(page.isWritable ? "writable, " : "read-only, ")
            line.write(page.isUser ? "user, " : "supervisor, ")
            line.write(page.isExecutable ? "executable" : "not executable")
        }
        writeLine(line)
        let host = leaf.output.rawValue + (page.address.rawValue & leaf.size.offsetMask)
        line = "host-physical  \(hex: host) in a page of \(leaf.size): "
        line.write(leaf.permissions.words(nested.format))
        line.write(", ")
        line.write(MemoryTypeWords.line(UInt64(leaf.memoryType.rawValue)))
        writeLine(line)
        let cost = cost
        cost.report(paging, nested.format) { writeLine($0) }
    }

    mutating func finish(_ code: PageFaultErrorCode, _ address: GuestVirtualAddress) {
        let isLong = paging.mode == .fourLevel || paging.mode == .fiveLevel
        let linear = isLong ? address.rawValue : address.rawValue & 0xFFFF_FFFF
        writeLine("#PF, error code \(hex: code.rawValue) (\(code)), CR2 \(hex: linear)")
        writeCount()
    }

    /// An entry of the guest's could not be loaded.
    mutating func finishWithoutEntry(at place: GuestPhysicalAddress) {
        if case .none = failure {
            writeLine(
                "the guest's entry at guest-physical \(hex: place.rawValue) is not in its RAM: Martlet does not read there")
            writeCount()
        } else {
            writeFailure()
        }
    }

    private mutating func writeFailure() {
        switch failure {
        case .none: break
        case .violation(let place, let access, let permissions):
            let qualification = access.qualification | permissions.qualification(nested.format)
            writeLine(
                "EPT violation (exit reason 48) at guest-physical \(hex: place.rawValue), qualification \(hex: qualification):"
            )
            var line: Line = "  "
            line.write(access.words)
            if nested.format.position(of: place) == nil {
                line.write("; the address is too wide for \(count: nested.format.levelCount, "level")" as Line)
            } else if permissions.qualification(nested.format) == 0 {
                line.write("; nothing is mapped there")
            } else {
                line.write("; the EPT allow ")
                line.write(permissions.words(nested.format))
            }
            writeLine(line)
        case .misconfiguration(let place, let wrong):
            let words = NestedPageEntryExplanation.words(wrong)
            writeLine("EPT misconfiguration (exit reason 49) at guest-physical \(hex: place.rawValue): \(words)")
        }
        writeCount()
    }

    private mutating func writeCount() {
        writeLine("\(count: loads, "load")")
    }
}
