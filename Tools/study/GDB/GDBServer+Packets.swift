// One case for each packet that the server knows.

extension GDBServer {
    func handle(_ packet: PacketReader) -> Answer {
        var packet = packet
        guard let command = packet.next() else { return .unknown }
        switch Unicode.Scalar(command) {
        case "q", "Q", "v", "D", "k": break
        default: needGuest()
        }
        switch Unicode.Scalar(command) {
        case "?":
            // Only a new debugger asks this. It does not know of breakpoints that another has left behind.
            target.removeAllWatches()
            return .reply(stopReply)
        case "g": return readRegisters(packet)
        case "G": return writeRegisters(&packet)
        case "p": return readRegister(&packet)
        case "P": return writeRegister(&packet)
        case "m": return readMemory(&packet)
        case "M": return writeMemory(&packet, isBinary: false)
        case "X": return writeMemory(&packet, isBinary: true)
        case "Z": return changeBreakpoint(&packet, isInsertion: true)
        case "z": return changeBreakpoint(&packet, isInsertion: false)
        case "c": return resume(&packet, isStep: false)
        case "s": return resume(&packet, isStep: true)
        case "C", "S": return resumeWithSignal(&packet, isStep: Unicode.Scalar(command) == "S")
        case "v": return handleLongName(&packet)
        case "H": return selectThread(&packet)
        case "T": return isAlive(&packet)
        case "q": return answerQuery(&packet)
        case "Q":
            guard packet.take("StartNoAckMode"), packet.isAtEnd else { return .unknown }
            return .stopAcknowledging
        case "D":
            guard packet.isAtEnd || packet.take(";") else { return .failure(.malformed) }
            return .end(.detach, isAnswered: true)
        case "k": return .end(.kill, isAnswered: false)
        default: return .unknown
        }
    }

    private func handleLongName(_ packet: inout PacketReader) -> Answer {
        if packet.take("Cont") {
            if packet.take("?") { return .reply("vCont;c;C;s;S") }
            needGuest()
            return resumeThreads(&packet)
        }
        if packet.take("Kill;") {
            return .end(.kill, isAnswered: true)
        }
        return .unknown
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

    private func selectThread(_ packet: inout PacketReader) -> Answer {
        guard let operation = packet.next(), let thread = threadName(&packet), packet.isAtEnd else {
            return .failure(.malformed)
        }
        guard case .one(let number) = thread else { return .success }
        guard exists(number) else { return .failure(.refused) }
        // For "c" and "s" it counts only with debuggers that do not know vCont: for them too it is the selected one.
        if operation == 0x67 || operation == 0x63 { selected = number }
        return .success
    }

    private func isAlive(_ packet: inout PacketReader) -> Answer {
        guard case .one(let number) = threadName(&packet), packet.isAtEnd else { return .failure(.malformed) }
        return exists(number) ? .success : .failure(.refused)
    }

    // MARK: Resuming

    /// "c" and "s", with an address to go on at or without.
    private func resume(_ packet: inout PacketReader, isStep: Bool) -> Answer {
        if !packet.isAtEnd {
            guard let address = packet.number(), packet.isAtEnd else { return .failure(.malformed) }
            do throws(Complaint) { try writeProgramCounter(address) } catch { return .refusal(error) }
        }
        return .resume(isStep ? .step(thread: selected) : .continue)
    }

    /// "C" and "S": a guest has no signals, so that the number says nothing here.
    private func resumeWithSignal(_ packet: inout PacketReader, isStep: Bool) -> Answer {
        guard packet.byte() != nil, packet.isAtEnd || packet.take(";") && !packet.isAtEnd else { return .failure(.malformed) }
        return resume(&packet, isStep: isStep)
    }

    /// "vCont": the first thread that is to step is stepped; otherwise all go on.
    private func resumeThreads(_ packet: inout PacketReader) -> Answer {
        var stepped: UInt32?
        var named = false  // some thread has an action of its own, so that a later one for all is not for it
        var isFirst = true
        while packet.take(";") {
            isFirst = false
            guard let action = packet.next() else { return .failure(.malformed) }
            let isStep: Bool
            switch Unicode.Scalar(action) {
            case "c": isStep = false
            case "s": isStep = true
            case "C", "S":
                guard packet.byte() != nil else { return .failure(.malformed) }
                isStep = Unicode.Scalar(action) == "S"
            default: return .failure(.malformed)
            }
            var thread = ThreadName.all
            if packet.take(":") {
                guard let name = threadName(&packet) else { return .failure(.malformed) }
                thread = name
            }
            if case .one(let number) = thread, !exists(number) { return .failure(.refused) }
            if isStep, stepped == nil {
                switch thread {
                case .one(let number): stepped = number
                case .all, .any: if !named { stepped = selected }
                }
            }
            if thread != .any { named = true }
        }
        guard packet.isAtEnd, !isFirst else { return .failure(.malformed) }
        if let stepped { return .resume(.step(thread: stepped)) }
        return .resume(.continue)
    }
}
