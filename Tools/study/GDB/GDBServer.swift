import Text
import X86

/// A server of GDB's remote protocol ("Remote Protocol" in its manual) for one debugger: `target remote` leads here.
///
/// It is called when the guest has stopped and answers the debugger until that lets the guest run:
///
///     var stop = DebugStop(.start)
///     while true {
///         switch server.serve(stop) { ... }  // run the guest
///         stop = ...                         // and say why it stopped
///     }
///
/// While the guest runs, bytes of the line go to `isInterruptRequested`.
///
/// A debugger that detaches leaves nothing behind, and the guest runs on. If a connection is lost, everything stays as it is: a
/// stopped guest stays stopped until the next debugger connects, which removes its breakpoints.
///
/// Nothing that a debugger sends makes it trap. What it does not know is answered with an empty packet, what is malformed
/// with E01, missing memory with E0E, missing room with E1C, a register that cannot be read with E16, a
/// value that a register does not take with E. and why.
public final class GDBServer {
    var connection: PacketConnection
    let target: any DebugTarget
    /// What the debugger knows of the registers, since it asked for it.
    var layout: RegisterLayout?
    /// The code width that fits the guest, as last reported to the debugger.
    private var announced: RegisterLayout.Code?
    /// The debugger understands "swbreak" and "hwbreak" in stop replies.
    var knowsBreakReasons = false
    /// The virtual CPU that registers and memory are asked of.
    var selected: UInt32 = 1
    var stop = DebugStop(.start)
    private var awaited = Awaited.nothing
    private var hasGuest = false

    /// What the debugger waits for while the guest runs.
    private enum Awaited { case nothing, stop, command }

    public init(of target: any DebugTarget, over channel: any DebugChannel) {
        self.target = target
        connection = PacketConnection(channel)
    }

    /// Whether the guest is to stop for a byte that has come while it runs: the break character.
    public func isInterruptRequested(by byte: UInt8) -> Bool { connection.takesInterrupt(byte) }

    /// Tells the debugger why the guest has stopped, if it waits for that, and does what it asks until the guest is to run.
    public func serve(_ stop: DebugStop) -> Resumption {
        self.stop = stop
        tellStop()
        if case .exit = stop.reason { return end(.detach) }
        while true {
            let answer: Answer
            switch connection.receive() {
            case .packet(let content): answer = handle(PacketReader(content))
            case .unusable: answer = .failure(.malformed)
            case .gone: return .lost
            }
            switch answer {
            case .reply(let text): connection.send(text)
            case .stopAcknowledging:
                connection.send("OK")
                connection.stopAcknowledging()
            case .resume(let resumption):
                awaited = resumption == .command ? .command : .stop
                return resumption
            case .end(let resumption, let isAnswered):
                if isAnswered { connection.send("OK") }
                return end(resumption)
            }
        }
    }

    /// The debugger goes: the guest is as if it had never been.
    private func end(_ resumption: Resumption) -> Resumption {
        if hasGuest { target.removeAllWatches() }
        awaited = .nothing
        return resumption
    }

    /// Waits for the machine, which may start when the debugger is there already.
    func needGuest() {
        guard !hasGuest else { return }
        target.awaitGuest { connection.askForPatience() }
        hasGuest = true
        if exists(stop.thread) { selected = stop.thread }
    }

    func exists(_ thread: UInt32) -> Bool { thread > 0 && thread <= target.threadCount }

    // MARK: Stops

    /// Ends what the debugger waits for.
    private func tellStop() {
        let awaited = awaited
        self.awaited = .nothing
        guard awaited != .nothing else { return }
        if exists(stop.thread) { selected = stop.thread }
        announceMode()
        if awaited == .command {
            say(target.stopReport + ["the guest has run: type \"maintenance flush register-cache\""])
            connection.send("OK")
        } else {
            connection.send(stopReply)
        }
    }

    /// Prints on the debugger's console that the guest has switched to a mode that the debugger does not know about.
    private func announceMode() {
        if case .exit = stop.reason { return }
        guard let layout else { return }
        let fitting = RegisterLayout.Code(target.mode(of: selected))
        guard fitting != layout.code else {
            announced = nil
            return
        }
        guard announced != fitting else { return }
        announced = fitting
        say([
            "The guest executes \(fitting.words) code now, and this is set up for \(layout.code.words) code: type \"unset tdesc filename\"."
        ])
    }

    /// Sends lines to the debugger's console, which takes them while it waits for the guest or for a command.
    func say(_ lines: [String]) {
        for line in lines {
            var packet: PacketText = "O"
            for byte in line.utf8 { packet.write(hexByte: byte) }
            packet.write(hexByte: 10)
            connection.send(packet)
        }
    }

    var stopReply: PacketText {
        var reply = PacketText()
        if case .exit(let status) = stop.reason {
            reply.write("W")
            reply.write(hexByte: status)
            return reply
        }
        reply.write("T")
        reply.write(hexByte: stop.signal.rawValue)
        switch stop.reason {
        case .softwareBreakpoint where knowsBreakReasons: reply.write("swbreak:;")
        case .hardwareBreakpoint where knowsBreakReasons: reply.write("hwbreak:;")
        case .watchpoint(let kind, let address):
            reply.write(kind == .write ? "watch:" : kind == .read ? "rwatch:" : "awatch:")
            reply.write(hex: address)
            reply.write(";")
        default: break
        }
        reply.write("thread:")
        reply.write(hex: stop.thread)
        reply.write(";")
        return reply
    }

    // MARK: Answers

    /// What follows on a packet.
    enum Answer {
        /// The reply is sent; empty for what is not known here.
        case reply(PacketText)
        /// It is "OK", and from then on nothing is acknowledged.
        case stopAcknowledging
        /// The guest runs, and its next stop is the reply.
        case resume(Resumption)
        /// The debugger goes.
        case end(Resumption, isAnswered: Bool)

        static var unknown: Answer { .reply(PacketText()) }
        static var success: Answer { .reply("OK") }

        static func failure(_ failure: Failure) -> Answer {
            var reply: PacketText = "E"
            reply.write(hexByte: failure.rawValue)
            return .reply(reply)
        }

        /// An error in words, which GDB shows as they are. Text has no escapes.
        static func refusal(_ complaint: Complaint) -> Answer {
            let words = complaint.words.utf8.map { PacketText.isSpecial($0) ? 0x3F : $0 }
            return .reply(PacketText(stringLiteral: "E." + String(decoding: words, as: UTF8.self)))
        }
    }

    /// Error numbers: those of Linux where one fits.
    enum Failure: UInt8 {
        case malformed = 0x01
        case noMemory = 0x0E
        case refused = 0x16
        case noRoom = 0x1C
    }
}
