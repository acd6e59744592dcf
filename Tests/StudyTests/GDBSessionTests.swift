import StudyTools
import Testing
import X86

/// GDB: stops, threads, monitor commands.
@Suite struct GDBSessionTests {
    // MARK: What is known

    @Test(arguments: [
        "", "!", "R00", "b", "vMustReplyEmpty", "vCtrlC", "vAttach;1", "qOffsets", "qSymbol::", "qTStatus", "QNonStop:0",
        "QThreadEvents:1", "x", "qCx", "\u{1}",
    ])
    func `what is not known is answered with nothing`(packet: String) {
        let session = GDBSession()
        #expect(session.ask(packet) == [""])
    }

    @Test func `what the server can do`() {
        let session = GDBSession()
        let answer = session.ask("qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386")[0]
        #expect(answer == "PacketSize=4000;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+")
        #expect(session.ask("vCont?", "qAttached", "qAttached:1", "qSupported") == ["vCont;c;C;s;S", "1", "1", answer])
    }

    // MARK: Resuming

    @Test(arguments: [
        ("c", Resumption.continue), ("C05", .continue), ("C0b;1234", .continue), ("s", .step(thread: 1)),
        ("S02", .step(thread: 1)),
        ("s1234", .step(thread: 1)), ("vCont;c", .continue), ("vCont;c:-1", .continue), ("vCont;s", .step(thread: 1)),
        ("vCont;s:2;c", .step(thread: 2)),
        ("vCont;s:2;c:1", .step(thread: 2)), ("vCont;C05:1;c", .continue), ("vCont;S05:2", .step(thread: 2)),
        ("vCont;c:1;s:2", .step(thread: 2)),
        ("vCont;c:1;c", .continue), ("vCont;s:0;c", .step(thread: 1)), ("k", .kill), ("D", .detach), ("D;1", .detach),
        ("vKill;1", .kill),
    ])
    func `what lets the guest run`(packet: String, resumption: Resumption) {
        let session = GDBSession()
        session.target.modes = [.long64, .long64]
        let output = session.send(ScriptedChannel.packet(packet) + [0x2B])
        #expect(session.resumption == resumption)
        #expect(session.target.registers[.rip] == (packet.hasSuffix("1234") ? 0x1234 : nil))
        let answers = GDBSession.contents(Array(output.utf8))
        #expect(answers == (["D", "D;1", "vKill;1"].contains(packet) ? ["OK"] : []))
    }

    @Test(arguments: [
        "cx", "c1x", "s-1", "C", "C0", "Cxx", "C05x", "S05;", "vCont", "vCont;", "vCont;x", "vCont;c:", "vCont;c:x",
        "vCont;C", "vCont;Cxx:1", "vContc",
        "vCont;c:-2", "vCont;c:1x", "D1", "vCont;t", "vCont;r1000,1010:1",
    ])
    func `a malformed wish lets nothing run`(packet: String) {
        let session = GDBSession()
        #expect(session.ask(packet) == ["E01"])
    }

    @Test func `an address that RIP does not take lets nothing run`() {
        let session = GDBSession()
        session.target.frozen = [.rip]
        #expect(session.ask("c1000") == ["E.?frozen?: ?GP?"])
    }

    // MARK: Stops

    @Test func `a debugger hears of a stop once it has let the guest run, and not before`() {
        let session = GDBSession()
        #expect(session.ask("?") == ["T05thread:1;"])
        #expect(session.ask(stop: DebugStop(.interrupt)) == ["T02thread:1;"])
        #expect(session.ask("D", stop: DebugStop(.step)) == ["T05thread:1;", "OK"])
        #expect(session.ask("?", stop: DebugStop(.interrupt)) == ["T02thread:1;"])
    }

    @Test(arguments: [
        (DebugStop.Reason.step, "T05thread:1;"), (.softwareBreakpoint, "T05swbreak:;thread:1;"),
        (.hardwareBreakpoint, "T05hwbreak:;thread:1;"),
        (.watchpoint(.write, 0xFFFF_8000_0000_1000), "T05watch:ffff800000001000;thread:1;"),
        (.watchpoint(.read, 0), "T05rwatch:0;thread:1;"), (.watchpoint(.access, 0x10), "T05awatch:10;thread:1;"),
        (.interrupt, "T02thread:1;"), (.signal(.segmentation), "T0bthread:1;"),
    ])
    func `why the guest stopped`(reason: DebugStop.Reason, answer: String) {
        let session = GDBSession()
        _ = session.ask("qSupported:swbreak+;hwbreak+")
        #expect(session.ask("vMustReplyEmpty", stop: DebugStop(reason)) == [answer, ""])
    }

    @Test func `a debugger that does not know of breakpoint reasons is not told them`() {
        let session = GDBSession()
        _ = session.ask("qSupported:xmlRegisters=i386")
        #expect(session.ask(stop: DebugStop(.softwareBreakpoint)) == ["T05thread:1;"])
    }

    @Test func `the end of the guest is the end of the session`() {
        let session = GDBSession()
        _ = session.ask("Z0,1000,1")
        #expect(session.send(Array("+".utf8), stop: DebugStop(.exit(3))) == "$W03#ba")
        #expect(session.resumption == .detach && session.target.watches.isEmpty)
    }

    @Test func `a key of the debugger's stops a running guest, and nothing else that it may send then`() {
        let session = GDBSession()
        _ = session.ask()
        #expect(!session.isInterruptRequested(by: 0x2B) && !session.isInterruptRequested(by: 0x2D))
        #expect(!session.isInterruptRequested(by: 0x00) && !session.isInterruptRequested(by: 0x67))
        #expect(session.isInterruptRequested(by: 0x03))
        #expect(session.ask("g", stop: DebugStop(.interrupt)).count == 2)
    }

    @Test
    func `a debugger that comes before the guest is there is asked for patience, and what needs no guest is answered at once`() {
        let session = GDBSession()
        session.target.delay = 3
        let start = ScriptedChannel.packet("qSupported") + [0x2B] + ScriptedChannel.packet("QStartNoAckMode") + [0x2B]
        let output = session.send(start + ScriptedChannel.packet("?") + ScriptedChannel.packet("c"))
        #expect(output.hasPrefix("+$PacketSize=") && output.hasSuffix("+$OK#9a+++$T05thread:1;#d7"))
    }

    // MARK: Threads

    @Test func `virtual CPUs are threads`() {
        let session = GDBSession()
        session.target.modes = Array(repeating: .long64, count: 12)
        #expect(session.ask("qfThreadInfo", "qsThreadInfo") == ["m1,2,3,4,5,6,7,8,9,a,b,c", "l"])
        #expect(session.ask("qC", "Tc", "Td", "T0", "T") == ["QC1", "OK", "E16", "E01", "E01"])
        #expect(
            session.ask("Hg3", "p1", "Hg0", "p1", "Hc-1", "Hgd", "Hg", "H", "Hgx") == [
                "OK", "0300000000000000", "OK", "0300000000000000", "OK", "E16", "E01", "E01", "E01",
            ])
        #expect(
            session.ask("qThreadExtraInfo,c", "qThreadExtraInfo,d", "qThreadExtraInfo,") == [
                GDBSession.hex("virtual CPU 11"), "E16", "E01",
            ])
        // A stop selects the one that stopped.
        #expect(session.ask("p1", "qC", stop: DebugStop(.step, thread: 5)) == ["T05thread:5;", "0500000000000000", "QC5"])
        #expect(session.ask("p1", stop: DebugStop(.step, thread: 77)).last == "0500000000000000")
    }

    // MARK: Monitor commands

    @Test func `a command reaches the monitor, and what it says comes to the debugger's console`() {
        let session = GDBSession()
        let answers = session.ask("qRcmd," + GDBSession.hex("help me"))
        #expect(GDBSession.console(answers) == "you said help me\n" && answers.last == "OK" && answers.count == 2)
        #expect(session.target.commands == ["help me"])
        #expect(session.ask("qRcmd," + GDBSession.hex("quiet")) == ["OK"])
        #expect(session.ask("qRcmd,").last == "OK" && session.target.commands.last == "")
        #expect(session.ask("qRcmd,6", "qRcmd,xx", "qRcmd") == ["E01", "E01", ""])
    }

    @Test func `what a command says is not lost, however long it is`() {
        let session = GDBSession()
        let output = session.send(
            ScriptedChannel.packet("QStartNoAckMode") + [0x2B] + ScriptedChannel.packet("qRcmd," + GDBSession.hex("long")))
        let answers = GDBSession.contents(Array(output.utf8))
        #expect(GDBSession.console(answers) == String(repeating: String(repeating: "0123456789", count: 10) + "\n", count: 500))
        #expect(answers.last == "OK")
    }

    @Test func `a command that lets the guest run is answered at the next stop`() {
        let session = GDBSession()
        #expect(session.send(ScriptedChannel.packet("qRcmd," + GDBSession.hex("run"))) == "+")
        #expect(session.resumption == .command)
        let answers = session.ask(stop: DebugStop(.step))
        #expect(
            GDBSession.console(answers) == "stopped at exit 7\nthe guest has run: type \"maintenance flush register-cache\"\n")
        #expect(answers.last == "OK")
    }
}
