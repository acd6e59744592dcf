import Debug
import Foundation
import Memory
import Text
import Trace
import VMX
import Virtualization
import X86

// Commands that show the stopped guest.

extension Study {
    func inspect(_ command: Command, _ text: CommandText, _ output: inout Answer) throws(Complaint) {
        switch command {
        case .vmcs:
            if guest.isFresh, FieldName(text.rest(from: 1)).group == .exitInformation {
                return output.line("there has been no VM exit yet, so the VM-exit information means nothing")
            }
            FieldInspection.write(text.rest(from: 1), try guest.state(), guest.capabilities, to: &output)
        case .controls: ControlInspection.write(text.rest(from: 1), try guest.state(), guest.capabilities, to: &output)
        case .check:
            try text.end(1)
            EntryInspection.write(try guest.state(), guest.capabilities, guest.circumstances, to: &output)
        case .changes:
            try text.end(1)
            guard let last = guest.lastStop else { return output.line("this is the first stop") }
            ChangeInspection.write(last, try guest.state(), to: &output)
        case .why:
            try text.end(1)
            guard let last = try guest.lastExit() else { return ExitInspection.writeNothingYet(try guest.state(), to: &output) }
            ExitInspection.write(
                last.exit, last.outcome, before: try guest.state(.before), after: try guest.state(.after), to: &output)
        case .disassemble:
            let address = try number(text, 1)
            let count = try number(text, 2)
            try text.end(3)
            try disassemble(from: address, count: count ?? Disassembly.usualCount, &output)
        default:
            try text.end(1)
            RegisterInspection.write(try guest.state(), guestCR3: try guest.value(of: .cr3), to: &output)
        }
    }

    func disassemble(from address: UInt64?, count: UInt64, _ output: inout Answer) throws(Complaint) {
        let state = try guest.state()
        findSymbols()
        try Disassembly.write(
            from: address, count: count, next: state.codeAddress, in: state.mode, try guest.bytes(.virtual), by: disassembler,
            symbols,
            to: &output)
    }

    /// The instruction that the guest executes next, for the words of a stop; nothing where there is none or no disassembler.
    public func nextInstruction() -> [String] {
        guard let report = guest.report, !guest.connection.isLost else { return [] }
        let bytes = MemoryCache(guest.connection, .virtual, hasShortAddresses: !report.place.mode.isLong)
        var output = Answer()
        findSymbols()
        try? Disassembly.write(
            from: report.linear, count: 1, next: report.linear, in: report.place.mode, bytes, by: disassembler, symbols,
            to: &output)
        return output.lines
    }

    /// `memory ADDRESS [COUNT] [physical]`
    func showMemory(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        guard let address = try number(text, 1) else { throw Complaint("memory needs an address") }
        var next = 2
        var count = MemoryInspection.usualCount
        if let word = text.word(2), let value = try? number(word) {
            count = value
            next = 3
        }
        guard let word = text.word(next) else {
            return MemoryInspection.write(address, count: count, in: try guest.bytes(.virtual), to: &output)
        }
        let wanted = NameSearch.folded(word)
        guard !wanted.isEmpty, "physical".hasPrefix(wanted) else {
            throw Complaint("\"\(word)\" is neither a number of bytes nor \"physical\"")
        }
        try text.end(next + 1)
        MemoryInspection.write(address, count: count, in: try guest.bytes(.physical), to: &output)
    }

    /// `walk ADDRESS [read | write | fetch] [user | supervisor]`
    func walk(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        guard let address = try number(text, 1) else { throw Complaint("walk needs an address") }
        let state = try guest.state()
        var kind = GuestAccess.Kind.read
        var level = state.privilegeLevel
        enum Word { case kind(GuestAccess.Kind), level(Int) }
        let names: [(String, Word)] = [
            ("read", .kind(.read)), ("write", .kind(.write)), ("fetch", .kind(.fetch)), ("user", .level(3)),
            ("supervisor", .level(0)),
        ]
        for word in text.words.dropFirst(2) {
            switch try NameSearch.find(word, "kind of access", "use read, write, fetch, user or supervisor", among: names)
            {
            case .kind(let wanted): kind = wanted
            case .level(let wanted): level = wanted
            }
        }
        let access = GuestAccess.explicit(
            kind, privilegeLevel: level, alignmentCheck: state[.guestRFLAGS].contains(.alignmentCheck))
        if state.hasShadowTables {
            let walk = ShadowWalk(
                paging: try guest.paging(), book: try guest.shadowBook(), address: GuestVirtualAddress(address), access: access)
            return walk.write(GuestTables(guest.words(.physical)), ShadowEntries(guest.words(.host)), to: &output)
        }
        TwoDimensionalWalk.write(
            GuestVirtualAddress(address), for: access, paging: try guest.paging(), memory: GuestTables(guest.words(.physical)),
            nested: try guest.nestedTables(), pointer: state[.extendedPageTablePointer], to: &output)
    }

    /// `shadow`
    func showShadow(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        try text.end(1)
        ShadowInspection.write(try guest.shadowBook(), try guest.paging(), to: &output)
    }

    /// `ept [FIRST [LAST]]`
    func showMap(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        let view = try guest.nestedTables()
        if try guest.state().hasShadowTables {
            output.line(
                "the EPT is not in use now, shadow tables are (\"shadow\", \"walk\"); for a guest without paging it would be:"
            )
        }
        guard let first = try number(text, 1) else { return NestedMap.write(view, to: &output) }
        let last = try number(text, 2) ?? first
        try text.end(3)
        guard last >= first, last < view.format.inputLimit else {
            throw Complaint("the range must end below \(hex: view.format.inputLimit), and not before it begins")
        }
        NestedMap.write(
            AddressRange(start: GuestPhysicalAddress(first), count: ByteCount(last &- first &+ 1)), of: view, to: &output)
    }

    /// `statistics`
    func showStatistics(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        try text.end(1)
        var rows: [(reason: Int, row: ExitStatistics.Row)] = []
        var totals: StatisticsTotals?
        var first: UInt8 = 0
        while true {
            let answer = try guest.connection.ask(.statistics(firstReason: first))
            let part = answer.withReader { reader in
                if let read = StatisticsTotals(&reader) { totals = read }
                var part: [StatisticsRow] = []
                while !reader.isAtEnd, let row = StatisticsRow(&reader) { part.append(row) }
                return part
            }
            rows += part.map { (Int($0.reason), $0.figures) }
            guard let last = part.last?.reason, last < ExitStatistics.capacity - 1 else { break }
            first = UInt8(last + 1)
        }
        guard let totals else { throw .damagedAnswer }
        let statistics = ExitStatistics(count: totals.count, total: totals.total, guestTotal: totals.guestTotal, rows: rows)
        statistics.print(nameOf: { ExitReason(rawValue: $0).name }, to: { output.line($0) })
    }

    // MARK: Symbols

    /// `symbols [FILE]`
    func takeSymbols(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        if text.word(1) != nil {
            symbols = try Symbols(file: URL(fileURLWithPath: (text.rest(from: 1) as NSString).expandingTildeInPath))
        }
        guard !symbols.isEmpty else {
            return output.line("no symbols: \"symbols FILE\" reads those of an ELF file or a System.map")
        }
        findSymbols()
        output.line("\(count: symbols.count, "symbol"), \(hex: symbols.slide) above the file's addresses")
    }

    /// Finds out where Linux has put itself, once the guest has an interrupt descriptor table.
    func findSymbols() {
        guard symbols.mayMove, let report = guest.report, report.place.mode.isLong, let state = try? guest.state(),
            state[.guestIDTRLimit] >= 16 * 15 - 1, let bytes = try? guest.bytes(.virtual)
        else { return }
        let gate = state[.guestIDTRBase] &+ 16 * 14
        guard let low = bytes.number(at: gate, size: 8), let high = bytes.number(at: gate &+ 8, size: 4) else { return }
        symbols.findSlide(pageFaultHandler: low & 0xFFFF | low >> 32 & 0xFFFF_0000 | high << 32)
    }
}
