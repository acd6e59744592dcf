import Debug
import Trace
import VMX
import Virtualization
import X86

// Commands that change the guest, or send it events.

extension Study {
    /// `set`: the last word is the value, all before it the name.
    func set(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        guard text.words.count > 2 else { throw Complaint("set needs a register, or a field of the guest state, and a value") }
        let name = text.words[1..<text.words.count - 1].joined(separator: " ")
        let value = try number(text.words[text.words.count - 1])
        if let part = NamedRegister(name), part.part != .all { return try set(part, to: value, &output) }
        let named = NamedRegister(name)?.register ?? GuestRegister(named: name)
        guard let register = named else { return try setField(name, to: value, &output) }
        try set(register, to: value, from: try guest.value(of: register), &output)
    }

    private func set(_ register: GuestRegister, to value: UInt64, from old: UInt64, _ output: inout Answer) throws(Complaint) {
        output.line("\(register.name) \(hex: old) -> \(hex: try guest.set(register, to: value))")
    }

    /// A part of a register: EAX clears the upper half as an instruction would, the smaller ones leave the rest.
    private func set(_ part: NamedRegister, to value: UInt64, _ output: inout Answer) throws(Complaint) {
        let (size, shift): (UInt64, UInt64) =
            switch part.part {
            case .all: (64, 0)
            case .low32: (32, 0)
            case .low16: (16, 0)
            case .low8: (8, 0)
            case .high8: (8, 8)
            }
        guard size == 64 || value >> size == 0 else { throw Complaint("\(part.name) has \(size) bits") }
        let old = try guest.value(of: part.register)
        let mask: UInt64 = ((1 << size) - 1) << shift
        let whole = part.part == .low32 ? value : old & ~mask | value << shift
        try set(part.register, to: whole, from: old, &output)
    }

    /// A field of the guest's state, whatever the VM entry will say to its value: the others keep Martlet itself.
    private func setField(_ name: String, to value: UInt64, _ output: inout Answer) throws(Complaint) {
        guard let field = FieldName(name).field else {
            throw Complaint("\"\(name)\" is neither a register nor the name of one field: \"vmcs guest\" lists them")
        }
        let encoding = field.encoding
        guard encoding.area == .guestState, encoding.exists(guest.capabilities) else {
            throw Complaint("\"\(field.name)\" cannot be set: it is not in the guest state, or not on this processor")
        }
        guard encoding.bitCount == 64 || value >> UInt64(encoding.bitCount) == 0 else {
            throw Complaint("\"\(field.name)\" has \(encoding.bitCount) bits")
        }
        let old = try guest.state()[encoding]
        try guest.set(encoding, to: value)
        output.line("\(field.name) \(hex: old) -> \(hex: value)")
    }

    /// An event for the next VM entry, which must not have one yet.
    func inject(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        let event = try event(text)
        defer { guest.forget() }
        try guest.connection.ask(.inject(event))
        output.line("injected \(event)")
    }

    private func event(_ text: CommandText) throws(Complaint) -> Event {
        guard let word = text.word(1) else { throw Complaint("inject needs interrupt N, exception N or nmi") }
        let kind = try NameSearch.find(
            word, "kind of event", "use interrupt, exception or nmi",
            among: [("interrupt", Event.Kind.externalInterrupt), ("exception", .exception), ("nmi", .nonMaskableInterrupt)])
        if kind == .nonMaskableInterrupt {
            try text.end(2)
            return Event(kind: .nonMaskableInterrupt, vector: 2)
        }
        let isInterrupt = kind == .externalInterrupt
        let range: ClosedRange<UInt64> = isInterrupt ? 32...255 : 0...31
        guard let value = text.word(2), let number = try? number(value), range.contains(number) else {
            throw Complaint("inject \(word) needs a vector from \(range.lowerBound) to \(range.upperBound)")
        }
        if isInterrupt {
            try text.end(3)
            return .interrupt(UInt8(number))
        }
        let vector = ExceptionVector(UInt8(number))
        guard number != 2 else { throw Complaint("vector 2 is the NMI's: inject nmi") }
        guard let code = text.word(3) else {
            guard !vector.hasErrorCode else { throw Complaint("exception \(number) has an error code, which must follow") }
            return .exception(vector)
        }
        guard vector.hasErrorCode else { throw Complaint("exception \(number) has no error code") }
        guard let value = try? self.number(code), value <= 0x7FFF else {
            throw Complaint("\"\(code)\" is not an error code up to 0x7fff")
        }
        try text.end(4)
        return .exception(vector, errorCode: UInt32(value))
    }

    /// Types a line on the guest's COM1.
    func type(_ text: CommandText) throws(Complaint) {
        guard text.word(1) != nil else { throw Complaint("type needs a text") }
        let typed = Array(text.rest(from: 1).utf8) + [0x0D]
        _ = try typed.withBytes { (bytes) throws(Complaint) in try guest.connection.ask(.type(bytes)) }
        guest.forget()
    }

    func setTrace(_ text: CommandText, _ output: inout Answer) throws(Complaint) {
        if let word = text.word(1) {
            try text.end(2)
            let level = try NameSearch.find(
                word, "level", "use off, exits or full",
                among: [("off", TraceLevel.off), ("exits", .exits), ("full", .full)])
            try guest.connection.ask(.trace(level))
            trace = level
        }
        output.line(trace >= .full ? "trace full" : trace == .exits ? "trace exits" : "trace off")
    }
}
