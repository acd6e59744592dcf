import Machine
import Text
import Trace
import VMX
import Virtualization
import X86

// Commands that change what comes to the guest.

extension Monitor {
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
