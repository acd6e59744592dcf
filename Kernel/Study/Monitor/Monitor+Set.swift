import Machine
import Text
import VMX
import Virtualization
import X86

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
        var isOneWord = true
        var index = 3
        while let next = text.word(index) {
            name.write(" ")
            name.write(word)
            word = next
            isOneWord = false
            index += 1
        }
        let value = try word.requiredNumber()
        if isOneWord, let register = Monitor.register(name) {
            try set(register, value, cpu, on: &line)
        } else {
            try setField(name, value, cpu, on: &line)
        }
    }

    /// 0 to 15 are the general registers; nil if it is none that can be set by its name.
    private static func register(_ name: Line) -> Int? {
        var search = NameSearch(name)
        for number in UInt8(0)..<16 { search.offer(RegisterNumber(number).name, Int(number)) }
        search.offer("rip", 16)
        search.offer("rflags", 17)
        return try? search.result("register", "")
    }

    private func set<Access: VMCSAccess, Services: HostServices>(
        _ number: Int, _ value: UInt64, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost
    ) throws(Complaint) {
        let processor = cpu.pointee.processor
        let old: UInt64
        switch number {
        case 4:
            old = processor.stackPointer
            processor.stackPointer = value
        case 16:
            old = processor.instructionPointer
            processor.instructionPointer = value
        case 17:
            old = processor.flags.rawValue
            guard value & ~Monitor.flagBits == 0, value & 2 != 0 else {
                throw Complaint("RFLAGS \(hex: value) would fail the VM entry: bit 1 is 1, reserved bits are 0")
            }
            guard (value ^ old) & RFlags.virtual8086.rawValue == 0 else {
                throw Complaint("RFLAGS.VM cannot be changed alone: segments and mode hang on it")
            }
            processor.flags = RFlags(rawValue: value)
        default:
            let register = RegisterNumber(UInt8(number))
            old = cpu.pointee.registers[register]
            cpu.pointee.registers.set(register, to: value)
        }
        let shown: StaticString = number < 16 ? RegisterNumber(UInt8(number)).name : number == 16 ? "RIP" : "RFLAGS"
        say("\(shown) \(hex: old) -> \(hex: value)", on: &line)
    }

    /// The bits of RFLAGS that are not reserved.
    private static var flagBits: UInt64 { 0x3F_7FD7 }

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
