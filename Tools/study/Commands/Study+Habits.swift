import Debug
import VMX
import X86

// What fingers know from gdb.

extension Study {
    /// `print VALUE` and `print FIELD`
    func print(_ text: CommandText, _ format: Format, _ output: inout Answer) throws(Complaint) {
        let typed = text.rest(from: 1)
        guard !typed.isEmpty else { throw Complaint("print needs a register, a sum, or the name of a field: \"help print\"") }
        do throws(Complaint) {
            let value = try number(typed)
            let name = symbols.words(value).map { " <\($0)>" } ?? ""
            guard format == Format() else { return output.line("\(typed) = \(shown(value, format))") }
            return output.line("\(typed) = \(hex: value) = \(value)\(name)")
        } catch {
            // gdb has the fields by such names: $guest_cr3.
            let name = typed.replacing("$", with: "").replacing("_", with: " ")
            guard FieldName(name).field != nil else { throw error }
            FieldInspection.write(name, try guest.state(), guest.capabilities, to: &output)
        }
    }

    private func shown(_ value: UInt64, _ format: Format) -> String {
        switch format.letter {
        case "x": "\(hex: value)"
        case "t": String(value, radix: 2)
        default: format.words(value, size: format.size ?? 8)
        }
    }

    /// `x/NFU ADDRESS`
    func examine(_ text: CommandText, _ format: Format, _ output: inout Answer) throws(Complaint) {
        let typed = text.rest(from: 1)
        let address: UInt64
        if typed.isEmpty, let nextExamined {
            address = nextExamined
        } else {
            address = typed.isEmpty ? try guest.state().codeAddress : try number(typed)
        }
        switch format.letter {
        case "i": try disassemble(from: address, count: UInt64(format.count), &output)
        case "s": try showStrings(at: address, format.count, &output)
        default: try showUnits(at: address, format, &output)
        }
    }

    private func showUnits(at address: UInt64, _ format: Format, _ output: inout Answer) throws(Complaint) {
        let bytes = try guest.bytes(.virtual)
        let size = format.letter == "c" ? 1 : format.size ?? 4
        let perLine = [1: 8, 2: 8, 4: 4][size] ?? 2
        bytes.expect(format.count * size, from: address)
        for start in stride(from: 0, to: format.count, by: perLine) {
            let place = bytes.wrapped(address &+ UInt64(start * size))
            let name = symbols.words(place).map { " <\($0)>" } ?? ""
            var line = "\(hex: place)\(name):"
            for index in start..<min(start + perLine, format.count) {
                let unit = bytes.wrapped(address &+ UInt64(index * size))
                guard let value = bytes.number(at: unit, size: size) else {
                    if index > start { output.line("\(line)") }
                    throw Complaint("memory at \(hex: unit) cannot be read")
                }
                line += "  " + format.words(value, size: size)
            }
            output.line("\(line)")
        }
        nextExamined = address &+ UInt64(format.count * size)
    }

    private func showStrings(at address: UInt64, _ count: Int, _ output: inout Answer) throws(Complaint) {
        let bytes = try guest.bytes(.virtual)
        var place = address
        for _ in 0..<count {
            var text = ""
            var length: UInt64 = 0
            while length < 200 {
                guard case .value(let byte) = bytes.byte(at: bytes.wrapped(place &+ length)) else {
                    throw Complaint("memory at \(hex: place &+ length) cannot be read")
                }
                length += 1
                if byte == 0 { break }
                text += (0x20..<0x7F).contains(byte) ? String(Unicode.Scalar(byte)) : "\\x" + String(byte, radix: 16)
            }
            output.line("\(hex: place):  \"\(text)\"")
            place &+= length
        }
        nextExamined = place
    }

    /// `backtrace`: by the chain of frames that begin with PUSH RBP.
    func backtrace(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        try text.end(1)
        let state = try guest.state()
        findSymbols()
        let bytes = try guest.bytes(.virtual)
        let size = state.mode.is64Bit ? 8 : state.mode.defaultAddressSize
        let mask: UInt64 = size == 8 ? .max : 1 << UInt64(8 * size) - 1
        let stackBase = state.mode.is64Bit ? 0 : state[.guestSSBase]
        let codeBase = state.mode.is64Bit ? 0 : state[.guestCSBase]
        var place = state.codeAddress
        var frame = state.registers.rbp & mask
        for number in 0..<32 {
            output.line("#\(number)  \(hex: place, digits: size == 8 ? 16 : 8)\(symbols.words(place).map { " in \($0)" } ?? "")")
            let start = bytes.wrapped(stackBase &+ frame)
            guard frame != 0, let next = bytes.number(at: start, size: size),
                let address = bytes.number(at: bytes.wrapped(start &+ UInt64(size)), size: size), address != 0
            else { return }
            place = bytes.wrapped(codeBase &+ address)
            // The frames of callers lie above.
            guard next > frame else { return }
            frame = next
        }
    }

    /// `info registers [NAME | vmcs] | breakpoints | symbol ADDRESS`
    func info(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        enum Subject { case registers, breakpoints, symbol }
        let advice = "use registers, breakpoints or symbol"
        guard let word = text.word(1) else { throw Complaint("info needs a subject: \(advice)") }
        let subject = try NameSearch.find(
            word, "subject", advice,
            among: [("registers", Subject.registers), ("breakpoints", .breakpoints), ("symbol", .symbol)])
        switch subject {
        case .breakpoints:
            try text.end(2)
            try listBreakpoints(&output)
        case .symbol:
            guard text.word(2) != nil else { throw Complaint("info symbol needs an address") }
            findSymbols()
            let address = try number(text.rest(from: 2))
            output.line("\(symbols.words(address) ?? "no symbol is at \("\(hex: address)") or near before it")")
        case .registers:
            guard let name = text.word(2) else {
                return RegisterInspection.write(try guest.state(), guestCR3: try guest.value(of: .cr3), to: &output)
            }
            try text.end(3)
            if name == "vmcs" { return FieldInspection.write("", try guest.state(), guest.capabilities, to: &output) }
            guard let register = NamedRegister(name) ?? GuestRegister(named: name).map({ NamedRegister($0) }) else {
                throw Complaint("there is no register \"\(name)\"")
            }
            output.line("\(register.name) \(hex: register.part.value(of: try guest.value(of: register.register)))")
        }
    }
}

extension StopCondition.Operand.Part {
    /// What of a register it is.
    func value(of whole: UInt64) -> UInt64 { StopCondition.Operand(.register(.rax), self).value(of: whole) }
}
