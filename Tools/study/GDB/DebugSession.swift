import Debug
import Foundation
import Machine

/// Debuggers one after the other, at the guest that one machine has. Whoever connects first may do so before the machine has
/// started, and is asked for patience.
final class DebugSession {
    private let machine: MachineLink
    private let poller: Poller
    private let listener: Int32
    private var arrivals: [Int32] = []
    private let symbols: Symbols
    private var isKilled = false
    private lazy var target = GuestTarget { [unowned self] patience in meetGuest(patience) }
    /// Why the guest is stopped; nil while it runs.
    private var stop: DebugStop?
    private var isStarted = false

    init(_ machine: MachineLink, _ poller: Poller, listener: Int32, _ symbols: Symbols) {
        self.machine = machine
        self.poller = poller
        self.listener = listener
        self.symbols = symbols
        poller.add(listener) { [unowned self] in
            if let file = Port.accept(listener) { arrivals.append(file) }
        }
    }

    /// Serves debuggers until the machine is gone.
    func run() -> Int32 {
        while !machine.isLost, !isKilled || machine.isOwn {
            if !arrivals.isEmpty {
                serve(DebugSocket(arrivals.removeFirst(), poller) { [unowned self] in machine.isLost })
            } else if isKilled || isStarted && stop == nil {
                follow(machine.connection.event(timeout: 0.2))
            } else if isStarted {
                _ = machine.connection.event(timeout: 0.2)
            } else {
                _ = meetGuest({}, isWanted: { arrivals.isEmpty })
            }
        }
        machine.drain()
        return StudySession.Status.done
    }

    /// Waits for the guest.
    private func meetGuest(_ patience: () -> Void, isWanted: () -> Bool = { true }) -> Study? {
        if let study { return study }
        var last = Date()
        let isThere = try? machine.awaitGuest(while: {
            if last.timeIntervalSinceNow < -1 {
                patience()
                last = Date()
            }
            return isWanted()
        })
        guard isThere == true, let guest = try? StudiedGuest(machine.connection) else { return nil }
        let study = Study(guest, symbols: symbols)
        self.study = study
        isStarted = true
        if let report = try? machine.currentStop() {
            guest.stand(report)
            stop = DebugStop(.start)
        }
        return study
    }

    private var study: Study?

    // MARK: One debugger

    private func serve(_ channel: DebugSocket) {
        let server = GDBServer(of: target, over: channel)
        // A running guest is stopped for a new debugger.
        if isStarted, stop == nil, !isKilled {
            machine.connection.announce(.stop)
            while stop == nil, !machine.isLost { follow(machine.connection.event(timeout: 0.2), hasDebugger: true) }
        }
        while !machine.isLost {
            let resumption = server.serve(stop ?? DebugStop(.start))
            guard let study else { return channel.close() }
            do throws(Complaint) {
                switch resumption {
                case .lost: return channel.close()
                case .kill:
                    try study.guest.connection.ask(.quit)
                    isKilled = true
                    stop = nil
                    return channel.close()
                case .detach:
                    try goOn(study, .never)
                    return channel.close()
                case .continue: try goOn(study, .never)
                case .step: try goOn(study, .instructions(1))
                case .command:
                    study.guest.report = nil
                    stop = nil
                    if target.consequence == .quit { isKilled = true }
                }
            } catch {
                server.say(["error: \(error.words)"])
                continue
            }
            guard watch(server, channel) else { return channel.close() }
        }
        channel.close()
    }

    private func goOn(_ study: Study, _ goal: Goal) throws(Complaint) {
        try study.guest.run(goal)
        stop = nil
    }

    /// Waits until the guest is stopped.
    /// - Returns: false if the debugger went away.
    private func watch(_ server: GDBServer, _ channel: DebugSocket) -> Bool {
        while stop == nil, !machine.isLost {
            follow(machine.connection.event(timeout: 0.2), hasDebugger: true)
            while stop == nil, let byte = channel.takeWaiting() {
                if server.isInterruptRequested(by: byte) { machine.connection.announce(.stop) }
            }
            if channel.isGone { return false }
        }
        return true
    }

    /// Takes up what happens to the guest.
    private func follow(_ event: GuestEvent?, hasDebugger: Bool = false) {
        switch event {
        case .stopped(let report):
            study?.guest.stand(report)
            stop = DebugStop(reason(report))
        case .ended(let end):
            study?.guest.ending = end
            if let report = try? machine.currentStop() { study?.guest.stand(report) }
            var status: UInt8 = 0
            if case .debugExit(let value)? = end.ending { status = UInt8(truncatingIfNeeded: value) }
            stop = DebugStop(.exit(status))
            // No debugger waits for this.
            if !hasDebugger, let study { try? goOn(study, .never) }
        case .trace, .starting, .ready, nil: break
        }
    }

    private func reason(_ report: StopReport) -> DebugStop.Reason {
        switch report.cause {
        case .start: return .start
        case .request: return .interrupt
        case .trap: return .softwareBreakpoint
        case .stop(let number):
            // Others are breakpoints of the monitor's own.
            guard let watch = target.watch(number) else { return .step }
            return watch.kind == .execute ? .hardwareBreakpoint : .watchpoint(watch.kind, watch.address)
        case .exits, .instructions, .reason, .displaced, .end: return .step
        }
    }
}

/// The connection to a debugger.
private final class DebugSocket: DebugChannel {
    private let polled: PolledFile
    private let poller: Poller
    private let isOver: () -> Bool

    /// - Parameter isOver: whether the conversation has ended.
    init(_ file: Int32, _ poller: Poller, isOver: @escaping () -> Bool) {
        polled = PolledFile(file, poller)
        self.poller = poller
        self.isOver = isOver
    }

    var isGone: Bool { polled.isAtEnd && polled.bytes.isEmpty }

    func read() -> UInt8? {
        while polled.bytes.isEmpty, !polled.isAtEnd, !isOver() { poller.wait(0.2) }
        return polled.takeFirst()
    }

    /// A byte that has come already.
    func takeWaiting() -> UInt8? { polled.takeFirst() }

    func write(_ bytes: [UInt8]) { if !polled.isAtEnd { Poller.write(bytes, to: polled.file) } }

    func close() { polled.close() }
}
