import Memory
import Text

// One case for each packet that the server knows.

extension GDBServer {
    mutating func handle(
        _ packet: PacketReader, of target: inout some DebugTarget, over channel: inout some DebugChannel
    ) -> Answer {
        var packet = packet
        guard let command = packet.next() else { return .reply }
        switch Unicode.Scalar(command) {
        case "?":
            // Only a new debugger asks. It knows of no breakpoints that another has left behind.
            removeAllBreakpoints(of: &target)
            writeStop()
            return .reply
        case "g": return readRegisters(packet, of: &target)
        case "G": return writeRegisters(&packet, of: &target)
        case "p": return readRegister(&packet, of: &target)
        case "P": return writeRegister(&packet, of: &target)
        case "m": return readMemory(&packet, of: &target)
        case "M": return writeMemory(&packet, isBinary: false, of: &target)
        case "X": return writeMemory(&packet, isBinary: true, of: &target)
        case "Z": return changeBreakpoint(&packet, isInsertion: true, of: &target)
        case "z": return changeBreakpoint(&packet, isInsertion: false, of: &target)
        case "c": return resume(&packet, isStep: false, of: &target)
        case "s": return resume(&packet, isStep: true, of: &target)
        case "C", "S": return resumeWithSignal(&packet, isStep: Unicode.Scalar(command) == "S", of: &target)
        case "v": return handleLongName(&packet, of: &target)
        case "H": return selectThread(&packet, of: &target)
        case "T": return isAlive(&packet, of: &target)
        case "q": return answerQuery(&packet, of: &target, over: &channel)
        case "Q":
            guard packet.take("StartNoAckMode"), packet.isAtEnd else { return .reply }
            connection.reply.write("OK")
            return .stopAcknowledging
        case "D":
            guard packet.isAtEnd || packet.take(";") else { return fail(.malformed) }
            connection.reply.write("OK")
            return .end(.detach, isAnswered: true)
        case "k": return .end(.kill, isAnswered: false)
        default: return .reply
        }
    }

    private mutating func handleLongName(_ packet: inout PacketReader, of target: inout some DebugTarget) -> Answer {
        if packet.take("Cont") {
            if packet.take("?") {
                connection.reply.write("vCont;c;C;s;S")
                return .reply
            }
            return resumeThreads(&packet, of: &target)
        }
        if packet.take("Kill;") {
            connection.reply.write("OK")
            return .end(.kill, isAnswered: true)
        }
        return .reply
    }

    // MARK: Threads

    /// The threads that a packet speaks of.
    enum ThreadName: Equatable {
        case all, any
        case one(UInt32)
    }

    /// "-1", "0" or a number; nil for anything else.
    func threadName(_ packet: inout PacketReader) -> ThreadName? {
        if packet.take("-") { return packet.take("1") ? .all : nil }
        guard let number = packet.number(), let thread = UInt32(exactly: number) else { return nil }
        return thread == 0 ? .any : .one(thread)
    }

    private mutating func selectThread(_ packet: inout PacketReader, of target: inout some DebugTarget) -> Answer {
        guard let operation = packet.next(), let thread = threadName(&packet), packet.isAtEnd else {
            return fail(.malformed)
        }
        guard case .one(let number) = thread else { return succeed() }
        guard exists(number, in: &target) else { return fail(.refused) }
        // For "c" and "s" it counts only with debuggers that do not know vCont: for them too it is the selected one.
        if operation == 0x67 || operation == 0x63 { selected = number }
        return succeed()
    }

    private mutating func isAlive(_ packet: inout PacketReader, of target: inout some DebugTarget) -> Answer {
        guard case .one(let number) = threadName(&packet), packet.isAtEnd else { return fail(.malformed) }
        return exists(number, in: &target) ? succeed() : fail(.refused)
    }

    // MARK: Resuming

    /// "c" and "s", with an address to go on at or without.
    private mutating func resume(
        _ packet: inout PacketReader, isStep: Bool, of target: inout some DebugTarget
    ) -> Answer {
        if !packet.isAtEnd {
            guard let address = packet.number(), packet.isAtEnd else { return fail(.malformed) }
            do { try writeProgramCounter(address, of: &target) } catch { return refuse(error) }
        }
        return .resume(isStep ? .step(thread: selected) : .continue)
    }

    /// "C" and "S": a guest has no signals, so that the number says nothing here.
    private mutating func resumeWithSignal(
        _ packet: inout PacketReader, isStep: Bool, of target: inout some DebugTarget
    ) -> Answer {
        guard packet.byte() != nil, packet.isAtEnd || packet.take(";") && !packet.isAtEnd else { return fail(.malformed) }
        return resume(&packet, isStep: isStep, of: &target)
    }

    /// "vCont": the first thread that is to step is stepped; otherwise all go on.
    private mutating func resumeThreads(_ packet: inout PacketReader, of target: inout some DebugTarget) -> Answer {
        var stepped: UInt32?
        var named = false  // some thread has an action of its own, so that a later one for all is not for it
        var isFirst = true
        while packet.take(";") {
            isFirst = false
            guard let action = packet.next() else { return fail(.malformed) }
            let isStep: Bool
            switch Unicode.Scalar(action) {
            case "c": isStep = false
            case "s": isStep = true
            case "C", "S":
                guard packet.byte() != nil else { return fail(.malformed) }
                isStep = Unicode.Scalar(action) == "S"
            default: return fail(.malformed)
            }
            var thread = ThreadName.all
            if packet.take(":") {
                guard let name = threadName(&packet) else { return fail(.malformed) }
                thread = name
            }
            if case .one(let number) = thread, !exists(number, in: &target) { return fail(.refused) }
            if isStep, stepped == nil {
                switch thread {
                case .one(let number): stepped = number
                case .all, .any: if !named { stepped = selected }
                }
            }
            if thread != .any { named = true }
        }
        guard packet.isAtEnd, !isFirst else { return fail(.malformed) }
        if let stepped { return .resume(.step(thread: stepped)) }
        return .resume(.continue)
    }
}
