import Debug
import VMX

extension Study {
    /// `break`: without arguments, a list.
    func setBreakpoint(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        guard let word = text.word(1) else { return try listBreakpoints(&output) }
        let (kind, next) = try stopKind(word, text)
        let stop = Stop(kind, try condition(text, next))
        let answer = try guest.connection.ask(.setStop(stop))
        guest.forgetTables()
        output.line("\(UInt64(answer.first ?? 0)): \(stop.words(symbols))")
    }

    private enum Word { case exit, port, register, leaf, memory(MemoryWatch.Kind), address }

    private func stopKind(_ word: String, _ text: CommandText) throws(Complaint) -> (Stop.Kind, next: Int) {
        let names: [(String, Word)] = [
            ("exit", .exit), ("port", .port), ("msr", .register), ("cpuid", .leaf), ("read", .memory(.read)),
            ("write", .memory(.write)),
            ("fetch", .memory(.fetch)), ("address", .address),
        ]
        // As in gdb: break *0x1000, break main.
        if word.hasPrefix("*") { return (.address(try linearAddress(String(word.dropFirst()))), 2) }
        let kind: Word
        do throws(Complaint) {
            kind = try NameSearch.find(
                word, "kind of breakpoint", "use exit, port, msr, cpuid, read, write, fetch or address", among: names)
        } catch {
            guard (try? number(word)) != nil else { throw error }
            return (.address(try linearAddress(word)), 2)
        }
        guard let value = text.word(2) else {
            var wanted = "a number"
            if case .exit = kind { wanted = "an exit reason" }
            throw Complaint("break \(word) needs \(wanted) after it: \"help break\"")
        }
        switch kind {
        case .exit:
            let reason = text.name(from: 2) ?? (value, 3)
            return (.exit(try exitReason(reason.name)), reason.end)
        case .port: return (.port(UInt16(try number(value, upTo: 0xFFFF))), 3)
        case .register: return (.register(UInt32(try number(value, upTo: 0xFFFF_FFFF))), 3)
        case .leaf: return (.leaf(UInt32(try number(value, upTo: 0xFFFF_FFFF))), 3)
        case .address: return (.address(try linearAddress(value)), 3)
        case .memory(let kind):
            guard let first = try? number(value) else { throw Complaint("a guest-physical address must follow, such as 0x1000") }
            guard let word = text.word(3), word != "if" else {
                return (.memory(MemoryWatch(first: first, last: first, kind: kind)), 3)
            }
            guard let last = try? number(word), last >= first else {
                throw Complaint("\"\(word)\" is not an address from \(hex: first) on: the range's last byte")
            }
            return (.memory(MemoryWatch(first: first, last: last, kind: kind)), 4)
        }
    }

    /// Linear addresses have 57 bits at most, and the others repeat the highest.
    private func linearAddress(_ word: String) throws(Complaint) -> UInt64 {
        let address = try number(word)
        guard (Int64(bitPattern: address) << 7) >> 7 == Int64(bitPattern: address) else {
            throw Complaint("no instruction can be at \(hex: address): the address is not canonical")
        }
        return address
    }

    /// All stops by their numbers.
    func stops() throws(Complaint) -> [(number: UInt8, stop: Stop)] {
        var stops: [(UInt8, Stop)] = []
        var first: UInt8 = 1
        while true {
            let answer = try guest.connection.ask(.stops(first: first))
            let part = answer.withReader { reader in
                var part: [(UInt8, Stop)] = []
                while !reader.isAtEnd {
                    guard let number = reader.uint8(), let stop = Stop(&reader) else { break }
                    part.append((number, stop))
                }
                return part
            }
            stops += part
            guard let last = part.last?.0, last < UInt8(Stop.capacity) else { return stops }
            first = last + 1
        }
    }

    func listBreakpoints(_ output: inout Answer) throws(Complaint) {
        // What a debugger has set is its own affair.
        let stops = try stops().filter { !$0.stop.isToldAfterwards }
        for (number, stop) in stops { output.line("\(UInt64(number)): \(stop.words(symbols))") }
        if stops.isEmpty { output.line("no breakpoints") }
    }

    func deleteBreakpoint(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        guard let word = text.word(1) else { throw Complaint("delete needs the number of a breakpoint, or all") }
        try text.end(2)
        defer { guest.forgetTables() }
        if word == "all" {
            try guest.connection.ask(.deleteAllStops)
            return output.line("no breakpoints")
        }
        let complaint = Complaint("there is no breakpoint \(word): \"break\" lists them")
        guard let number = word.number, number > 0, number <= UInt64(Stop.capacity) else { throw complaint }
        if case .failure(let failure) = try guest.connection.tryToAsk(.deleteStop(UInt8(number))) {
            throw failure.error == .noSuchStop ? complaint : Complaint(failure)
        }
        output.line("deleted \(number)")
    }
}

extension Stop {
    /// As it is typed.
    func words(_ symbols: Symbols) -> String {
        let words =
            switch kind {
            case .exit(let reason): "exit \"\(ExitReason(rawValue: UInt32(reason)))\""
            case .port(let port): "port \(hex: port)"
            case .register(let number): "msr \(hex: number)"
            case .leaf(let leaf): "cpuid \(hex: leaf)"
            case .address(let address): "address \(hex: address)" + (symbols.words(address).map { " <\($0)>" } ?? "")
            case .memory(let watch):
                "\(watch.kind.name) \(hex: watch.first)" + (watch.last == watch.first ? "" : " \(hex: watch.last)")
            }
        return words + (condition.map { " if \($0.words)" } ?? "")
    }
}

extension MemoryWatch.Kind {
    var name: String {
        switch self {
        case .read: "read"
        case .write: "write"
        case .fetch: "fetch"
        case .access: "access"
        }
    }
}
