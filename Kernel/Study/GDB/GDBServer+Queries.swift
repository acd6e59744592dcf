import Text

// The packets that begin with q.

extension GDBServer {
    mutating func answerQuery(
        _ packet: inout PacketReader, of target: inout some DebugTarget, over channel: inout some DebugChannel
    ) -> Answer {
        if packet.take("Supported") { return agree(&packet) }
        if packet.take("Xfer:features:read:") { return describe(&packet, of: &target) }
        if packet.take("Rcmd,") { return perform(&packet, of: &target, over: &channel) }
        if packet.take("fThreadInfo"), packet.isAtEnd { return listThreads(of: &target) }
        if packet.take("sThreadInfo"), packet.isAtEnd {
            connection.reply.write("l")
            return .reply
        }
        if packet.take("ThreadExtraInfo,") { return nameThread(&packet, of: &target) }
        // A guest is not of the debugger's making: it detaches in the end, rather than kill.
        if packet.take("Attached"), packet.isAtEnd || packet.take(":") {
            connection.reply.write("1")
            return .reply
        }
        if packet.take("C"), packet.isAtEnd {
            connection.reply.write("QC")
            connection.reply.write(hexDigits: UInt64(selected))
            return .reply
        }
        return .reply
    }

    /// What each side can do.
    private mutating func agree(_ packet: inout PacketReader) -> Answer {
        knowsBreakReasons = false
        _ = packet.take(":")
        while !packet.isAtEnd {
            if packet.take("swbreak+") { knowsBreakReasons = true }
            packet.skip(through: ";")
        }
        connection.reply.write("PacketSize=")
        connection.reply.write(hexDigits: UInt64(connection.capacity))
        connection.reply.write(";QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+")
        return .reply
    }

    /// "annex:offset,length" of the target description, which is made anew when its start is asked for.
    private mutating func describe(_ packet: inout PacketReader, of target: inout some DebugTarget) -> Answer {
        guard packet.take("target.xml:"), let offset = packet.number(), packet.take(","), let length = packet.number(),
            packet.isAtEnd
        else { return fail(.malformed) }
        let layout = if offset > 0, let layout { layout } else { chooseLayout(of: &target) }
        connection.reply.write("l")
        var window = TextWindow(connection.reply, skipping: offset, room: length)
        layout.describe(to: &window)
        connection.reply = window.packet
        if window.isCut { connection.reply.replaceFirst(with: 0x6D) }  // "m": there is more
        return .reply
    }

    private mutating func listThreads(of target: inout some DebugTarget) -> Answer {
        for thread in 0..<target.threadCount where connection.reply.room >= 9 {
            connection.reply.write(thread == 0 ? "m" : ",")
            connection.reply.write(hexDigits: UInt64(thread) + 1)
        }
        return .reply
    }

    private mutating func nameThread(_ packet: inout PacketReader, of target: inout some DebugTarget) -> Answer {
        guard case .one(let thread) = threadName(&packet), packet.isAtEnd else { return fail(.malformed) }
        guard exists(thread, in: &target) else { return fail(.refused) }
        let name: Line = "virtual CPU \(thread - 1)"
        for position in 0..<name.count { connection.reply.write(hexByte: name[position]) }
        return .reply
    }

    /// A command of the monitor's, in hexadecimal digits. What it says goes to the debugger's console as it comes.
    private mutating func perform(
        _ packet: inout PacketReader, of target: inout some DebugTarget, over channel: inout some DebugChannel
    ) -> Answer {
        guard let command = connection.decodeHex(&packet) else { return fail(.malformed) }
        var answer = CommandAnswer.done
        say(over: &channel) { output in answer = target.perform(command, saying: &output) }
        if answer == .resume { return .resume(.command) }
        return succeed()
    }
}
