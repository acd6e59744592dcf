// The packets that begin with q.

extension GDBServer {
    func answerQuery(_ packet: inout PacketReader) -> Answer {
        if packet.take("Supported") { return agree(&packet) }
        if packet.take("Xfer:features:read:") { return describe(&packet) }
        if packet.take("Rcmd,") { return perform(&packet) }
        if packet.take("fThreadInfo"), packet.isAtEnd { return listThreads() }
        if packet.take("sThreadInfo"), packet.isAtEnd { return .reply("l") }
        if packet.take("ThreadExtraInfo,") { return nameThread(&packet) }
        // A guest is not of the debugger's making: it detaches in the end, rather than kill.
        if packet.take("Attached"), packet.isAtEnd || packet.take(":") { return .reply("1") }
        if packet.take("C"), packet.isAtEnd {
            var reply: PacketText = "QC"
            reply.write(hex: selected)
            return .reply(reply)
        }
        return .unknown
    }

    /// What each side can do.
    private func agree(_ packet: inout PacketReader) -> Answer {
        knowsBreakReasons = false
        _ = packet.take(":")
        while !packet.isAtEnd {
            if packet.take("swbreak+") { knowsBreakReasons = true }
            packet.skip(through: ";")
        }
        var reply: PacketText = "PacketSize="
        reply.write(hex: PacketConnection.capacity)
        reply.write(";QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+")
        return .reply(reply)
    }

    /// "annex:offset,length" of the target description, which is renewed when its start is requested.
    private func describe(_ packet: inout PacketReader) -> Answer {
        guard packet.take("target.xml:"), let offset = packet.number(), packet.take(","), let length = packet.number(),
            packet.isAtEnd
        else { return .failure(.malformed) }
        needGuest()
        let layout = if offset > 0, let layout { layout } else { chooseLayout() }
        let text = Array(layout.description.utf8)
        let start = Int(min(offset, UInt64(text.count)))
        var reply: PacketText = "l"
        var end = start
        // A byte may need an escape.
        while end < text.count, UInt64(end - start) < length, reply.bytes.count < PacketConnection.capacity - 2 {
            reply.write(binary: text[end])
            end += 1
        }
        guard end < text.count else { return .reply(reply) }
        return .reply(reply.replacingFirst(with: "m"))  // there is more
    }

    private func listThreads() -> Answer {
        needGuest()
        return .reply(
            PacketText(stringLiteral: "m" + (1...target.threadCount).map { String($0, radix: 16) }.joined(separator: ",")))
    }

    private func nameThread(_ packet: inout PacketReader) -> Answer {
        needGuest()
        guard case .one(let thread) = threadName(&packet), packet.isAtEnd else { return .failure(.malformed) }
        guard exists(thread) else { return .failure(.refused) }
        var reply = PacketText()
        for byte in "virtual CPU \(thread - 1)".utf8 { reply.write(hexByte: byte) }
        return .reply(reply)
    }

    /// A command of the monitor's, in hexadecimal digits. What it says goes to the debugger's console.
    private func perform(_ packet: inout PacketReader) -> Answer {
        guard let command = packet.hexBytes() else { return .failure(.malformed) }
        needGuest()
        let (lines, answer) = target.perform(String(decoding: command, as: UTF8.self))
        say(lines)
        return answer == .resume ? .resume(.command) : .success
    }
}
