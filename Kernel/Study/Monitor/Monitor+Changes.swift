import Machine
import Text
import Trace
import VMX
import Virtualization
import X86

// Commands that change the guest.

extension Monitor {
    func set<Access: VMCSAccess, Services: HostServices>(
        _ text: CommandText, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost
    ) throws(Complaint) {
        guard let name = text.word(1), let word = text.word(2) else { throw Complaint("set needs a register and a value") }
        guard let value = word.number else { throw Complaint("\"\(word)\" is no number: 16 and 0x10 are") }
        try end(text, 3)
        var search = NameSearch(name)
        for number in UInt8(0)..<16 { search.offer(RegisterNumber(number).name, Int(number)) }
        search.offer("rip", 16)
        search.offer("rflags", 17)
        let number = try search.result("register to set", "there are rax to r15, rip and rflags")
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

    /// An event for the next VM entry, which must not have one yet.
    func inject<Access: VMCSAccess, Services: HostServices>(
        _ text: CommandText, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost
    ) throws(Complaint) {
        let processor = cpu.pointee.processor
        let event = try event(text)
        guard processor.entryEvent == 0 else { throw Complaint("the next VM entry delivers an event already: step first") }
        switch event.kind {
        case .externalInterrupt:
            guard processor.canTakeInterrupt else {
                throw Complaint("the guest cannot take an interrupt now: RFLAGS.IF is clear, or STI or MOV SS blocks it")
            }
        case .nonMaskableInterrupt:
            guard processor.canTakeNonMaskableInterrupt else { throw Complaint("NMIs are blocked now") }
        default: break
        }
        processor.inject(event)
        say("injected \(event)", on: &line)
    }

    private func event(_ text: CommandText) throws(Complaint) -> Event {
        guard let word = text.word(1) else { throw Complaint("inject needs interrupt N, exception N or nmi") }
        var search = NameSearch(word)
        search.offer("interrupt", 0)
        search.offer("exception", 1)
        search.offer("nmi", 2)
        let kind = try search.result("kind of event", "there are interrupt, exception and nmi")
        if kind == 2 {
            try end(text, 2)
            return Event(kind: .nonMaskableInterrupt, vector: 2)
        }
        let limit: UInt64 = kind == 0 ? 255 : 31
        let least: UInt64 = kind == 0 ? 32 : 0
        guard let number = text.word(2)?.number, number >= least, number <= limit else {
            throw Complaint("inject \(word) needs a vector from \(least) to \(limit)")
        }
        if kind == 0 {
            try end(text, 3)
            return .interrupt(UInt8(number))
        }
        let vector = ExceptionVector(UInt8(number))
        guard number != 2 else { throw Complaint("vector 2 is the NMI's: inject nmi") }
        guard let code = text.word(3) else {
            guard !vector.hasErrorCode else { throw Complaint("exception \(number) has an error code, which must follow") }
            return .exception(vector)
        }
        guard vector.hasErrorCode else { throw Complaint("exception \(number) has no error code") }
        guard let value = code.number, value <= 0x7FFF else { throw Complaint("\"\(code)\" is no error code up to 0x7fff") }
        try end(text, 4)
        return .exception(vector, errorCode: UInt32(value))
    }

    /// Types a line on the guest's COM1.
    func type<Access: VMCSAccess, Services: HostServices>(
        _ text: CommandText, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost
    ) throws(Complaint) {
        guard text.word(1) != nil else { throw Complaint("type needs a text") }
        cpu.pointee.expectInput()
        var typed = text.rest(from: 1)
        typed.write(byte: 0x0D)
        for position in 0..<typed.count {
            guard line.type(typed[position]) else { throw Complaint("the guest has not yet read what was typed before: continue") }
        }
    }

    mutating func setTrace(_ text: CommandText, on line: inout some MonitorHost) throws(Complaint) {
        if let word = text.word(1) {
            try end(text, 2)
            var search = NameSearch(word)
            search.offer("off", 0)
            search.offer("exits", 2)
            search.offer("full", 3)
            trace = TraceLevel(rawValue: UInt8(try search.result("level", "there are off, exits and full"))) ?? .off
        }
        say(trace == .off ? "trace off" : trace == .full ? "trace full" : "trace exits", on: &line)
    }
}
