import Memory
import Text
import X86

/// A server of GDB's remote protocol ("Remote Protocol" in its manual): `target remote` leads here.
///
/// It is called when the guest has stopped and answers the debugger until that lets the guest run:
///
///     var stop = DebugStop(.start)
///     while true {
///         switch server.serve(stop, of: &target, over: &channel) { ... }  // run the guest
///         stop = ...                                                     // and say why it stopped
///     }
///
/// While the guest runs, bytes of the line go to `isInterruptRequested`. Guests that are not stopped by the debugger need
/// nothing of it.
///
/// A debugger that detaches leaves nothing behind, and the guest runs on. One whose connection is lost leaves all as it is: a
/// guest that stands still does so until the next comes, which lifts its breakpoints. Whoever connects finds the guest
/// stopped, and has a line without a history: what the last one left half-sent does no harm.
///
/// Nothing that a debugger sends makes it trap. What it does not know is answered with an empty packet, what is malformed
/// with E01, memory that is not there with E0E, room that is not there with E1C, a register that cannot be told with E16, a
/// value that a register does not take with E. and why.
public struct GDBServer: ~Copyable {
    var connection: PacketConnection
    var breakpoints = SoftwareBreakpoints()
    /// What the debugger knows of the registers, since it asked for it.
    var layout: RegisterLayout?
    /// The layout that would fit the guest, of which the debugger has been told last.
    private var announced: RegisterLayout?
    /// The debugger understands "swbreak" and "hwbreak" in stop replies.
    var knowsBreakReasons = false
    /// The virtual CPU that registers and memory are asked of.
    var selected: UInt32 = 1
    var stop = DebugStop(.start)
    private var awaited = Awaited.nothing

    /// What the debugger waits for while the guest runs.
    private enum Awaited { case nothing, stop, command }

    /// - Parameter memory: for one packet in each direction, of half its size; 4096 bytes are enough for every reply.
    public init(memory: UnsafeMutableRawBufferPointer) {
        connection = PacketConnection(memory)
    }

    /// Whether an exit of the guest's at each #BP is needed: there are software breakpoints in its memory.
    public var usesSoftwareBreakpoints: Bool { breakpoints.count > 0 }

    /// Whether the INT3 at a linear address is one of the debugger's: any other #BP is the guest's own.
    public func ownsBreakpoint(
        at address: GuestVirtualAddress, of thread: UInt32, in target: inout some DebugTarget
    ) -> Bool {
        guard let place = target.translate(address, of: thread) else { return false }
        return breakpoints.contains(place)
    }

    /// Whether there is one of the debugger's at a place in memory.
    public func ownsBreakpoint(at place: GuestPhysicalAddress) -> Bool { breakpoints.contains(place) }

    /// Whether the guest is to stop for a byte that has come while it runs: the break character, or a packet, which comes
    /// of a new debugger.
    public mutating func isInterruptRequested(by byte: UInt8) -> Bool {
        switch connection.takesInterrupt(byte) {
        case .nothing: return false
        case .stop: return true
        case .attention:
            awaited = .nothing
            return true
        }
    }

    /// Tells the debugger why the guest has stopped, if it waits for that, and does what it asks until the guest is to run.
    public mutating func serve(
        _ stop: DebugStop, of target: inout some DebugTarget, over channel: inout some DebugChannel
    ) -> Resumption {
        self.stop = stop
        select(stop.thread, of: &target)
        tellStop(of: &target, over: &channel)
        if case .exit = stop.reason { return end(.detach, of: &target) }
        while true {
            let answer: Answer
            let received = connection.receive(over: &channel)
            connection.reply.clear()
            switch received {
            case .packet(let content): answer = handle(PacketReader(content), of: &target, over: &channel)
            case .unusable: answer = fail(.malformed)
            case .gone: return end(.detach, of: &target)
            }
            switch answer {
            case .reply:
                if connection.reply.isCut { _ = fail(.noRoom) }
                connection.send(over: &channel)
            case .stopAcknowledging:
                connection.send(over: &channel)
                connection.stopAcknowledging()
            case .resume(let resumption):
                awaited = resumption == .command ? .command : .stop
                return resumption
            case .end(let resumption, let isAnswered):
                if isAnswered { connection.send(over: &channel) }
                return end(resumption, of: &target)
            }
        }
    }

    /// The debugger goes: the guest is as if it had never been.
    private mutating func end(_ resumption: Resumption, of target: inout some DebugTarget) -> Resumption {
        removeAllBreakpoints(of: &target)
        connection.reset()
        awaited = .nothing
        layout = nil
        announced = nil
        knowsBreakReasons = false
        return resumption
    }

    mutating func removeAllBreakpoints(of target: inout some DebugTarget) {
        breakpoints.removeAll(in: &target)
        target.removeAllWatches()
    }

    /// Takes a virtual CPU for the next questions, if there is such a one.
    mutating func select(_ thread: UInt32, of target: inout some DebugTarget) {
        if exists(thread, in: &target) { selected = thread }
    }

    func exists(_ thread: UInt32, in target: inout some DebugTarget) -> Bool { thread > 0 && thread <= target.threadCount }

    // MARK: Stops

    /// Ends what the debugger waits for.
    private mutating func tellStop(of target: inout some DebugTarget, over channel: inout some DebugChannel) {
        let awaited = awaited
        self.awaited = .nothing
        guard awaited != .nothing else { return }
        announceMode(of: &target, over: &channel)
        connection.reply.clear()
        if awaited == .command {
            say(over: &channel) { output in
                target.reportStop(to: &output)
                output.write("the guest has run: type \"maintenance flush register-cache\"\n")
            }
            connection.reply.clear()
            connection.reply.write("OK")
        } else {
            writeStop()
        }
        connection.send(over: &channel)
    }

    /// Says on the debugger's console that the guest has gone to a mode which the debugger does not know of.
    private mutating func announceMode(of target: inout some DebugTarget, over channel: inout some DebugChannel) {
        if case .exit = stop.reason { return }
        guard let layout else { return }
        let fitting = RegisterLayout(target.mode(of: selected))
        guard fitting != layout else {
            announced = nil
            return
        }
        guard announced != fitting else { return }
        announced = fitting
        say(over: &channel) { output in
            output.write("The guest executes ")
            output.write(fitting.words)
            output.write(" code now, and this is set up for ")
            output.write(layout.words)
            output.write(" code: type \"unset tdesc filename\".\n")
        }
    }

    /// Sends text to the debugger's console, which takes it while it waits for the guest or for a command.
    mutating func say<Channel: DebugChannel>(
        over channel: inout Channel, _ write: (inout ConsolePackets<Channel>) -> Void
    ) {
        withUnsafeMutablePointer(to: &connection) { connection in
            withUnsafeMutablePointer(to: &channel) { channel in
                var output = ConsolePackets(connection, channel)
                write(&output)
                output.flush()
            }
        }
    }

    /// Writes the stop reply.
    mutating func writeStop() {
        if case .exit(let status) = stop.reason {
            connection.reply.write("W")
            connection.reply.write(hexByte: status)
            return
        }
        connection.reply.write("T")
        connection.reply.write(hexByte: stop.signal.rawValue)
        switch stop.reason {
        case .softwareBreakpoint where knowsBreakReasons: connection.reply.write("swbreak:;")
        case .hardwareBreakpoint where knowsBreakReasons: connection.reply.write("hwbreak:;")
        case .watchpoint(let kind, let address):
            switch kind {
            case .write: connection.reply.write("watch:")
            case .read: connection.reply.write("rwatch:")
            case .access, .execute: connection.reply.write("awatch:")
            }
            connection.reply.write(hexDigits: address.rawValue)
            connection.reply.write(";")
        default: break
        }
        connection.reply.write("thread:")
        connection.reply.write(hexDigits: UInt64(stop.thread))
        connection.reply.write(";")
    }

    // MARK: Answers

    /// What follows on a packet.
    enum Answer {
        /// The reply is sent; empty for what is not known here.
        case reply
        /// Likewise, and from then on nothing is acknowledged.
        case stopAcknowledging
        /// The guest runs, and its next stop is the reply.
        case resume(Resumption)
        /// The debugger goes.
        case end(Resumption, isAnswered: Bool)
    }

    /// Error numbers: those of Linux where one fits.
    enum Failure: UInt8 {
        case malformed = 0x01
        case noMemory = 0x0E
        case refused = 0x16
        case noRoom = 0x1C
    }

    mutating func fail(_ failure: Failure) -> Answer {
        connection.reply.clear()
        connection.reply.write("E")
        connection.reply.write(hexByte: failure.rawValue)
        return .reply
    }

    /// An error in words, which GDB shows as they are.
    mutating func refuse(_ complaint: Complaint) -> Answer {
        connection.reply.clear()
        connection.reply.write("E.")
        for position in 0..<complaint.words.count {
            let byte = complaint.words[position]
            // Text has no escapes.
            connection.reply.write(byte: PacketWriter.isSpecial(byte) ? 0x3F : byte)
        }
        return .reply
    }

    mutating func succeed() -> Answer {
        connection.reply.write("OK")
        return .reply
    }
}
