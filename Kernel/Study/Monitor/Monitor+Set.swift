import Machine
import Text
import VMX
import Virtualization

// `set REGISTER VALUE` and `set FIELD VALUE`.

extension Monitor {
    /// The last word is the value, all before it the name.
    func set<Access: VMCSAccess, Services: HostServices>(
        _ text: CommandText, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost
    ) throws(Complaint) {
        guard var name = text.word(1), var word = text.word(2) else {
            throw Complaint("set needs a register, or a field of the guest's state, and a value")
        }
        var index = 3
        while let next = text.word(index) {
            name.write(" ")
            name.write(word)
            word = next
            index += 1
        }
        let value = try word.requiredNumber()
        guard let register = GuestRegister(named: name) else { return try setField(name, value, cpu, on: &line) }
        let registers = GuestRegisters(cpu, line)
        let old = registers.read(register)
        try registers.write(value, to: register)
        say("\(register.name) \(hex: old) -> \(hex: registers.read(register))", on: &line)
    }

    /// A field of the guest's state, whatever the VM entry will say to its value: the others keep Martlet itself.
    private func setField<Access: VMCSAccess, Services: HostServices>(
        _ name: Line, _ value: UInt64, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost
    ) throws(Complaint) {
        guard let field = name.withBytes({ FieldName($0).field }) else {
            throw Complaint("\"\(name)\" is neither a register nor the name of one field: \"vmcs guest\" lists them")
        }
        let encoding = field.encoding
        guard encoding.area == .guestState, encoding.exists(line.capabilities) else {
            throw Complaint("\"\(field.name)\" cannot be set: it is not of the guest's state, or not on this processor")
        }
        guard encoding != VMCSField<ActivityState, Writable>.guestActivityState.encoding else {
            throw Complaint("Martlet enters no guest that is not active: the activity state cannot be set")
        }
        guard encoding.bitCount == 64 || value >> UInt64(encoding.bitCount) == 0 else {
            throw Complaint("\"\(field.name)\" has \(encoding.bitCount) bits")
        }
        let vmcs = cpu.pointee.processor.vmcs
        say("\(field.name) \(hex: vmcs.bits(of: encoding)) -> \(hex: value)", on: &line)
        vmcs.setBits(of: encoding, to: value)
    }
}
