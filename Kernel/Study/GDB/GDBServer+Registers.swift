import Text
import X86

// The packets g, G, p and P: registers in the layout that the debugger knows.

extension GDBServer {
    /// The layout that the debugger knows; if it has never asked for it, the one of the guest's mode, from now on.
    private mutating func knownLayout(of target: inout some DebugTarget) -> RegisterLayout {
        if let layout { return layout }
        return chooseLayout(of: &target)
    }

    /// Takes the layout of the guest's mode, for the debugger that asks for its description.
    mutating func chooseLayout(of target: inout some DebugTarget) -> RegisterLayout {
        let chosen = RegisterLayout(target.mode(of: selected))
        layout = chosen
        return chosen
    }

    mutating func readRegisters(_ packet: PacketReader, of target: inout some DebugTarget) -> Answer {
        guard packet.isAtEnd else { return fail(.malformed) }
        let layout = knownLayout(of: &target)
        for number in 0..<layout.count {
            if let register = layout.register(UInt64(number)) { write(register, of: &target) }
        }
        return .reply
    }

    mutating func readRegister(_ packet: inout PacketReader, of target: inout some DebugTarget) -> Answer {
        guard let number = packet.number(), packet.isAtEnd, let register = knownLayout(of: &target).register(number) else {
            return fail(.malformed)
        }
        write(register, of: &target)
        return .reply
    }

    /// Appends a register's bytes; "x" for each digit of one that cannot be told.
    private mutating func write(_ register: DescribedRegister, of target: inout some DebugTarget) {
        if let name = register.register, let value = value(of: name, in: &target) {
            connection.reply.writeLittleEndian(value, size: register.size)
        } else {
            for _ in 0..<2 * register.size { connection.reply.write("x") }
        }
    }

    mutating func writeRegister(_ packet: inout PacketReader, of target: inout some DebugTarget) -> Answer {
        guard let number = packet.number(), packet.take("="), let register = knownLayout(of: &target).register(number),
            let value = packet.littleEndian(size: register.size), packet.isAtEnd
        else { return fail(.malformed) }
        guard let name = register.register else { return fail(.refused) }
        do {
            try change(name, to: value, in: &target)
            return succeed()
        } catch {
            return refuse(error)
        }
    }

    /// All registers at once: those that have the value already are left alone, and so are those that the target does not
    /// tell.
    mutating func writeRegisters(_ packet: inout PacketReader, of target: inout some DebugTarget) -> Answer {
        let layout = knownLayout(of: &target)
        var length = 0
        for number in 0..<layout.count { length += 2 * (layout.register(UInt64(number))?.size ?? 0) }
        guard packet.count == length else { return fail(.malformed) }
        var digits = packet
        while !digits.isAtEnd { guard digits.byte() != nil else { return fail(.malformed) } }
        var complaint: Complaint?
        for number in 0..<layout.count {
            guard let register = layout.register(UInt64(number)), let value = packet.littleEndian(size: register.size),
                let name = register.register, let present = self.value(of: name, in: &target)
            else { continue }
            let mask: UInt64 = register.size < 8 ? 0xFFFF_FFFF : .max
            guard present & mask != value else { continue }
            do { try change(name, to: value, in: &target) } catch { complaint = error }
        }
        if let complaint { return refuse(complaint) }
        return succeed()
    }

    /// A register as the debugger takes it: the program counter is linear.
    private func value(of register: GuestRegister, in target: inout some DebugTarget) -> UInt64? {
        guard let value = target.read(register, of: selected) else { return nil }
        guard register == .rip, let base = codeBase(in: &target) else { return value }
        return (value &+ base) & 0xFFFF_FFFF
    }

    private func change(_ register: GuestRegister, to value: UInt64, in target: inout some DebugTarget) throws(Complaint) {
        guard register == .rip, let base = codeBase(in: &target) else {
            return try target.write(value, to: register, of: selected)
        }
        try target.write((value &- base) & 0xFFFF_FFFF, to: register, of: selected)
    }

    /// The base of CS, where it counts; nil in 64-bit mode.
    private func codeBase(in target: inout some DebugTarget) -> UInt64? {
        target.mode(of: selected).is64Bit ? nil : target.read(.csBase, of: selected) ?? 0
    }

    func writeProgramCounter(_ address: UInt64, of target: inout some DebugTarget) throws(Complaint) {
        try change(.rip, to: address, in: &target)
    }
}
