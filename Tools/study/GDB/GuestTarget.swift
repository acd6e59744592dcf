import Debug
import VMX
import X86

/// The studied guest as a debugger sees it. What debuggers have set stays when one of them is lost.
///
/// Watches of data are the agent's stops on guest-physical memory, so that a range may not leave its page; those of
/// instructions are its stops on linear addresses, or INT3 in memory.
final class GuestTarget: DebugTarget {
    private let meet: (() -> Void) -> Study?
    private(set) var study: Study?
    private var breakpoints = SoftwareBreakpoints()
    /// The agent's number of each watch.
    private var watches: [DebugWatch: UInt8] = [:]
    /// What a command of the monitor's has decided last.
    private(set) var consequence = Study.Consequence.stay

    /// - Parameter meet: waits for the guest.
    init(meet: @escaping (() -> Void) -> Study?) { self.meet = meet }

    private var guest: StudiedGuest? { study?.guest }

    func awaitGuest(_ isPatient: () -> Void) { if study == nil { study = meet(isPatient) } }

    var threadCount: UInt32 { 1 }

    func mode(of thread: UInt32) -> ProcessorMode { guest?.report?.place.mode ?? .real }

    // MARK: Registers

    func read(_ register: GuestRegister, of thread: UInt32) -> UInt64? { try? guest?.value(of: register) }

    func write(_ value: UInt64, to register: GuestRegister, of thread: UInt32) throws(Complaint) {
        _ = try guest?.set(register, to: value)
        try studyStopAnew()
    }

    /// The mode may be another now.
    private func studyStopAnew() throws(Complaint) { try guest?.refreshPlace() }

    var fields: [VMCSFieldDescription] {
        guard let capabilities = guest?.capabilities else { return [] }
        return VMCSFieldDescription.all.filter { $0.exists(capabilities) }
    }

    func read(_ field: VMCSFieldEncoding, of thread: UInt32) -> UInt64? {
        guard let state = try? guest?.state() else { return nil }
        return state[field]
    }

    func write(_ value: UInt64, to field: VMCSFieldEncoding, of thread: UInt32) throws(Complaint) {
        try guest?.set(field, to: value)
        try studyStopAnew()
    }

    // MARK: Memory

    func read(_ count: Int, at address: UInt64, of thread: UInt32) -> [UInt8] {
        guard let memory = try? guest?.bytes(.virtual) else { return [] }
        memory.expect(count, from: address)
        var bytes: [UInt8] = []
        for offset in 0..<UInt64(count) {
            guard case .value(let byte) = memory.byte(at: memory.wrapped(address &+ offset)) else { break }
            bytes.append(byte)
        }
        if !breakpoints.isEmpty {
            for (offset, byte) in bytes.enumerated() where byte == SoftwareBreakpoints.instruction {
                guard let place = physical(address &+ UInt64(offset)), let own = breakpoints.byte(at: place) else { continue }
                bytes[offset] = own
            }
        }
        return bytes
    }

    func write(_ bytes: [UInt8], at address: UInt64, of thread: UInt32) -> Bool {
        var written = bytes
        var hidden: [(UInt64, UInt8)] = []
        if !breakpoints.isEmpty {
            for (offset, byte) in bytes.enumerated() {
                guard let place = physical(address &+ UInt64(offset)), breakpoints.byte(at: place) != nil else { continue }
                written[offset] = SoftwareBreakpoints.instruction
                hidden.append((place, byte))
            }
        }
        guard let guest, (try? guest.write(written, .virtual, at: address)) != nil else { return false }
        for (place, byte) in hidden { breakpoints.set(byte, at: place) }
        return true
    }

    /// What a linear address is mapped to, whatever its access rights; nil for nothing.
    private func physical(_ address: UInt64) -> UInt64? {
        guard let answer = try? guest?.connection.ask(.translate(linear: address)) else { return nil }
        return answer.withReader { $0.uint64() }
    }

    // MARK: Watches

    func insert(_ watch: DebugWatch) -> WatchAnswer {
        if watch.kind == .software { return insertBreakpoint(at: watch.address) }
        guard watches[watch] == nil else { return .done }
        guard let guest, let kind = stopKind(of: watch),
            let answer = try? guest.connection.ask(.setStop(Stop(kind, isToldAfterwards: watch.kind != .execute))),
            let number = answer.first
        else { return .refused }
        watches[watch] = number
        return .done
    }

    func remove(_ watch: DebugWatch) -> WatchAnswer {
        if watch.kind == .software {
            lift(breakpoints.remove(linear: watch.address))
        } else if let number = watches.removeValue(forKey: watch) {
            _ = try? guest?.connection.ask(.deleteStop(number))
        }
        return .done
    }

    func removeAllWatches() {
        lift(breakpoints.remove(linear: nil))
        for number in watches.values { _ = try? guest?.connection.ask(.deleteStop(number)) }
        watches = [:]
    }

    /// The watch that a stop of the agent's is.
    func watch(_ number: UInt8) -> DebugWatch? { watches.first { $0.value == number }?.key }

    private func stopKind(of watch: DebugWatch) -> Stop.Kind? {
        let kind: MemoryWatch.Kind
        switch watch.kind {
        case .software, .execute: return .address(watch.address)
        case .write: kind = .write
        case .read: kind = .read
        case .access: kind = .access
        }
        guard watch.length > 0, watch.length <= 0x1000 - watch.address & 0xFFF, let place = physical(watch.address) else {
            return nil
        }
        return .memory(MemoryWatch(first: place, last: place &+ watch.length &- 1, kind: kind))
    }

    /// Sets a breakpoint; one that is already set stays as it is.
    private func insertBreakpoint(at linear: UInt64) -> WatchAnswer {
        guard let guest, let physical = physical(linear) else { return .noMemory }
        guard !breakpoints.contains(linear: linear, physical: physical) else { return .done }
        if let byte = breakpoints.byte(at: physical) {  // at another linear address that leads there
            breakpoints.insert(.init(linear: linear, physical: physical, byte: byte))
            return .done
        }
        guard let memory = try? guest.bytes(.physical), case .value(let byte) = memory.byte(at: physical) else {
            return .noMemory
        }
        guard (try? guest.connection.ask(.setTrap(physical: physical))) != nil else { return .refused }
        guard (try? guest.write([SoftwareBreakpoints.instruction], .physical, at: physical)) != nil else {
            _ = try? guest.connection.ask(.deleteTrap(physical: physical))
            return .noMemory
        }
        breakpoints.insert(.init(linear: linear, physical: physical, byte: byte))
        return .done
    }

    /// Gives the guest its bytes back, unless it has written there itself.
    private func lift(_ places: [SoftwareBreakpoints.Place]) {
        guard let guest else { return }
        for place in places {
            _ = try? guest.connection.ask(.deleteTrap(physical: place.physical))
            guard let memory = try? guest.bytes(.physical),
                memory.byte(at: place.physical) == .value(SoftwareBreakpoints.instruction)
            else { continue }
            try? guest.write([place.byte], .physical, at: place.physical)
        }
    }

    // MARK: Commands

    func perform(_ command: String) -> (lines: [String], answer: CommandAnswer) {
        guard let study else { return (["error: there is no guest yet"], .done) }
        var output = Answer()
        do throws(Complaint) {
            consequence = try study.perform(command, saying: &output)
        } catch {
            output.text("error: \(error.words)")
            consequence = .stay
        }
        if consequence == .stay { try? studyStopAnew() }
        return (output.lines.flatMap { wrapped($0, to: 100) }, consequence == .stay ? .done : .resume)
    }

    var stopReport: [String] { guest?.report.map { ["stopped at \("\($0.place)")"] } ?? [] }
}
