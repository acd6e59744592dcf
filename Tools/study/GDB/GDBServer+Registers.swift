import Debug
import VMX
import X86

// The packets g, G, p and P: registers in the layout that the debugger knows.

extension GDBServer {
    /// The layout that the debugger knows; if it has never asked for it, the one of the guest's mode, from now on.
    private var knownLayout: RegisterLayout { layout ?? chooseLayout() }

    /// Takes the layout of the guest's mode, for the debugger that asks for its description.
    func chooseLayout() -> RegisterLayout {
        let chosen = RegisterLayout(.init(target.mode(of: selected)), fields: target.fields)
        layout = chosen
        return chosen
    }

    /// All but the VMCS fields, which GDB requests one by one when needed.
    func readRegisters(_ packet: PacketReader) -> Answer {
        guard packet.isAtEnd else { return .failure(.malformed) }
        var reply = PacketText()
        for register in knownLayout.common { write(register, to: &reply) }
        return .reply(reply)
    }

    func readRegister(_ packet: inout PacketReader) -> Answer {
        guard let number = packet.number(), packet.isAtEnd, let register = knownLayout.register(number) else {
            return .failure(.malformed)
        }
        var reply = PacketText()
        write(register, to: &reply)
        return .reply(reply)
    }

    /// Appends a register's bytes; "x" for each digit of one that cannot be read.
    private func write(_ register: DescribedRegister, to reply: inout PacketText) {
        if case .fields(let fields) = register.source {
            for field in fields { reply.writeLittleEndian(target.read(field, of: selected) ?? 0, size: 8) }
        } else if let value = value(of: register.source) {
            reply.writeLittleEndian(value, size: register.size)
        } else {
            reply.write(String(repeating: "x", count: 2 * register.size))
        }
    }

    func writeRegister(_ packet: inout PacketReader) -> Answer {
        guard let number = packet.number(), packet.take("="), let register = knownLayout.register(number),
            let value = packet.littleEndian(size: register.size), packet.isAtEnd
        else { return .failure(.malformed) }
        if case .fields = register.source { return .refusal(Complaint("change the fields one by one")) }
        guard register.source != .untold else { return .failure(.refused) }
        do throws(Complaint) {
            try change(register.source, to: value)
            return .success
        } catch {
            return .refusal(error)
        }
    }

    /// All registers at once: those that have the value already are left alone, and so are those that the target does not
    /// tell.
    func writeRegisters(_ packet: inout PacketReader) -> Answer {
        let registers = knownLayout.common
        guard packet.count == registers.reduce(0, { $0 + 2 * $1.size }) else { return .failure(.malformed) }
        var digits = packet
        guard digits.hexBytes() != nil else { return .failure(.malformed) }
        var complaint: Complaint?
        for register in registers {
            guard let value = packet.littleEndian(size: register.size), let present = self.value(of: register.source) else {
                continue
            }
            let mask: UInt64 = register.size < 8 ? 0xFFFF_FFFF : .max
            guard present & mask != value else { continue }
            do throws(Complaint) { try change(register.source, to: value) } catch { complaint = error }
        }
        if let complaint { return .refusal(complaint) }
        return .success
    }

    /// A register as the debugger takes it: the program counter is linear.
    private func value(of source: DescribedRegister.Source) -> UInt64? {
        switch source {
        case .untold, .fields: return nil
        case .field(let field): return target.read(field, of: selected)
        case .register(let register):
            guard let value = target.read(register, of: selected) else { return nil }
            guard register == .rip, let base = codeBase else { return value }
            return (value &+ base) & 0xFFFF_FFFF
        }
    }

    private func change(_ source: DescribedRegister.Source, to value: UInt64) throws(Complaint) {
        switch source {
        case .untold, .fields: break
        case .field(let field): try target.write(value, to: field, of: selected)
        case .register(let register):
            guard register == .rip, let base = codeBase else { return try target.write(value, to: register, of: selected) }
            try target.write((value &- base) & 0xFFFF_FFFF, to: register, of: selected)
        }
    }

    /// The base of CS, where it counts; nil in 64-bit mode.
    private var codeBase: UInt64? { target.mode(of: selected).is64Bit ? nil : target.read(.csBase, of: selected) ?? 0 }

    func writeProgramCounter(_ address: UInt64) throws(Complaint) { try change(.register(.rip), to: address) }
}
