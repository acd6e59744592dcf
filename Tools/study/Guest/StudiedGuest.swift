import Debug
import Machine
import Memory
import Trace
import VMX
import VMXChecks
import Virtualization
import X86

/// The guest that the agent has in its hands, as the commands look at it. What was asked for is kept until the guest has run or
/// something was changed: a byte of a serial line is dear.
public final class StudiedGuest {
    public let connection: GuestConnection
    public let facts: AgentFacts
    public let capabilities: VMXCapabilities
    /// What the VM-entry checks have to know of the processor besides.
    public let circumstances: EntryCircumstances
    private let abilities: Abilities
    private let decoder: ExitDecoder

    /// Why and where it is stopped; nil while it runs.
    public internal(set) var report: StopReport?
    /// How it ended, if it has.
    public internal(set) var ending: EndReport?
    private var states: [StateMoment: StateSnapshot] = [:]
    /// The state when the guest was last let run.
    private(set) var lastStop: StateSnapshot?
    private var registers: [UInt64]?
    private var memories: [AddressSpace: MemoryCache] = [:]
    private var words: [AddressSpace: WordCache] = [:]
    private var shadow: ShadowBook?

    /// Asks what there is to know of the machine.
    public init(_ connection: GuestConnection) throws(Complaint) {
        self.connection = connection
        let hello = try connection.ask(.hello(version: AgentFacts.currentVersion))
        let answer = try connection.ask(.capabilities)
        guard let facts = hello.withReader({ AgentFacts(&$0) }), let processor = answer.withReader({ CapabilityFacts(&$0) })
        else {
            throw .damagedAnswer
        }
        self.facts = facts
        capabilities = VMXCapabilities(
            reading: processor, physicalAddressWidth: Int(processor.physicalAddressWidth),
            linearAddressWidth: Int(processor.linearAddressWidth))
        var circumstances = EntryCircumstances(processor)
        circumstances.currentVMCS = processor.currentVMCS
        self.circumstances = circumstances
        abilities = Abilities(has1GiBPages: facts.guestHasGibibytePages, physicalAddressWidth: Int(facts.guestAddressWidth))
        decoder = ExitDecoder(capabilities)
    }

    // MARK: Running

    /// The guest is let run.
    public func run(_ goal: Goal) throws(Complaint) {
        // What it is now is what its next stop is compared with.
        let left = try state()
        if case .failure(let failure) = try connection.tryToAsk(.run(goal)) {
            guard failure.error == .noDebugRegister else { throw Complaint(failure) }
            throw Complaint("the guest's DR7 leaves too few debug registers for the breakpoints on addresses: delete some")
        }
        lastStop = left
        forget()
        report = nil
    }

    /// It is stopped now.
    public func stand(_ report: StopReport) {
        forget()
        self.report = report
        if report.cause == .start {
            lastStop = nil
            ending = nil
        }
    }

    /// The mode may be another, after a register was changed.
    func refreshPlace() throws(Complaint) {
        guard let old = report else { return }
        let state = try state()
        report = StopReport(
            old.cause, isBefore: old.isBefore, isAsleep: old.isAsleep, exitCount: old.exitCount,
            CodeAddress(selector: state[.guestCSSelector].rawValue, pointer: state[.guestRIP], mode: state.mode),
            linear: state.codeAddress)
    }

    /// The extended page tables may be others now.
    func forgetTables() {
        words[.host] = nil
        shadow = nil
    }

    /// Nothing of it is known any more.
    func forget() {
        states = [:]
        registers = nil
        memories = [:]
        words = [:]
        shadow = nil
    }

    /// It has not run yet since it was started.
    public var isFresh: Bool { report?.cause == .start }

    // MARK: State

    /// All of it at a moment.
    public func state(_ moment: StateMoment = .now) throws(Complaint) -> StateSnapshot {
        if let state = states[moment] { return state }
        var state = StateSnapshot()
        let base: StateMoment? = moment == .before && states[.after] != nil ? .after : nil
        if let base, let known = states[base] { state = known }
        let answer = try connection.ask(.state(moment, changesSince: base))
        guard answer.withReader({ state.take(&$0) }) else { throw .damagedAnswer }
        states[moment] = state
        return state
    }

    /// A register, CR8 too.
    public func value(of register: GuestRegister) throws(Complaint) -> UInt64 {
        if let value = try state().value(of: register) { return value }
        if registers == nil {
            let answer = try connection.ask(.registers)
            registers = answer.withReader { reader in (0..<GuestRegister.count).compactMap { _ in reader.uint64() } }
        }
        guard let registers, registers.count == GuestRegister.count else { throw .damagedAnswer }
        return registers[Int(register.rawValue)]
    }

    public func set(_ register: GuestRegister, to value: UInt64) throws(Complaint) -> UInt64 {
        switch try connection.tryToAsk(.setRegister(register, value)) {
        case .success(let answer):
            forget()
            guard let value = answer.withReader({ $0.uint64() }) else { throw .damagedAnswer }
            return value
        case .failure(let failure): throw try complaint(failure, register, value)
        }
    }

    /// Why a register does not take a value.
    private func complaint(_ failure: AgentFailure, _ register: GuestRegister, _ value: UInt64) throws(Complaint) -> Complaint {
        let state = try state()
        switch failure.error {
        case .wouldFault:
            return Complaint(
                "a \(register == .efer ? "WRMSR" : "MOV") of \(hex: value) to \(register.name) would raise an exception")
        case .notCanonical: return Complaint("\(hex: value) is not canonical")
        case .valueTooWide where register.selector != nil: return Complaint("a selector has 16 bits")
        case .wrongPrivilegeLevel:
            return Complaint("selector \(hex: value) does not have privilege level \(state.privilegeLevel), which SS needs")
        case .unreachableCode:
            return Complaint(
                "selector \(hex: value) selects code that no jump from privilege level \(state.privilegeLevel) reaches")
        case .beyondTable:
            return Complaint("selector \(hex: value) is beyond its table, whose last byte is \(hex: failure.number)")
        case .needsSegment: return Complaint("\(register.name) needs a segment here")
        case .entryWouldFail:
            let field = VMCSFieldEncoding(rawValue: UInt32(truncatingIfNeeded: failure.number))
            guard let rule = EntryRule(rawValue: .init(truncatingIfNeeded: failure.number >> 32)) else {
                return Complaint(failure)
            }
            // The field may be another's that hangs on the register.
            let seen = register.field == field ? value : state[field]
            return Complaint("the VM entry would fail: \(Violation(rule: rule, field: field, value: seen))")
        default: return Complaint(failure)
        }
    }

    public func set(_ field: VMCSFieldEncoding, to value: UInt64) throws(Complaint) {
        defer { forget() }
        try connection.ask(.setField(encoding: UInt16(truncatingIfNeeded: field.rawValue), value))
    }

    // MARK: The last exit

    /// The exit at which it is stopped: what it was, and what was done about it, nil if nothing was.
    /// - Returns: nil before the first exit.
    func lastExit() throws(Complaint) -> (exit: Exit, outcome: Outcome?)? {
        switch try connection.tryToAsk(.lastExit) {
        case .success(let answer):
            guard let last = answer.withReader({ LastExit(&$0) }) else { throw .damagedAnswer }
            return (decoder.exit(try state(.before)), last.outcome)
        case .failure(let failure):
            if failure.error == .nothingYet { return nil }
            throw Complaint(failure)
        }
    }

    // MARK: Memory

    /// How it translates linear addresses.
    func paging() throws(Complaint) -> GuestPaging {
        let state = try state()
        var paging = decoder.paging(state, state.hasShadowTables ? try shadowBook().facts : nil, abilities)
        paging.hasPSE36 = facts.guestHasPSE36
        paging.protectionKeyRights = state.protectionKeyRights ?? 0
        return paging
    }

    /// Its memory by linear or guest-physical addresses, byte by byte.
    func bytes(_ space: AddressSpace) throws(Complaint) -> MemoryCache {
        if let cache = memories[space] { return cache }
        let mode = space == .virtual ? try state().mode : .long64
        let cache = MemoryCache(connection, space, hasShortAddresses: !mode.isLong)
        memories[space] = cache
        return cache
    }

    /// Its memory or the machine's, word by word, as tables are read.
    func words(_ space: AddressSpace) -> WordCache {
        if let cache = words[space] { return cache }
        let cache = WordCache(connection, space)
        words[space] = cache
        return cache
    }

    /// The extended page tables in use.
    func nestedTables() throws(Complaint) -> PageTableView<EPTFormat, HostTables> {
        PageTableView(
            format: EPTFormat(capabilities), memory: HostTables(words(.host)),
            root: try state()[.extendedPageTablePointer].root)
    }

    /// The shadow tables, and what the kernel keeps of them.
    func shadowBook() throws(Complaint) -> ShadowBook {
        if let shadow { return shadow }
        let answer = try connection.ask(.shadow)
        guard let facts = answer.withReader({ ShadowFacts(&$0) }) else { throw .damagedAnswer }
        let book = ShadowBook(facts, words(.host))
        shadow = book
        return book
    }

    /// Changes bytes of its memory.
    func write(_ bytes: [UInt8], _ space: AddressSpace, at address: UInt64) throws(Complaint) {
        defer { forget() }
        _ = try bytes.withBytes { (buffer) throws(Complaint) in try connection.ask(.write(space, address: address, buffer)) }
    }
}

/// What of the guest's processor decides how linear addresses are translated.
private struct Abilities: PagingAbilities {
    let has1GiBPages: Bool
    let physicalAddressWidth: Int
}

extension ProcessorMode {
    /// In long mode, where linear addresses have more than 32 bits, in compatibility mode too.
    var isLong: Bool {
        switch self {
        case .long64, .compatibility16, .compatibility32: true
        default: false
        }
    }
}

extension Complaint {
    static var damagedAnswer: Complaint {
        Complaint("the agent's answer makes no sense: the kernel and martlet study are from different builds")
    }
}

extension Array<UInt8> {
    /// Reads what an answer holds.
    func withReader<Result>(_ body: (inout MessageReader) -> Result) -> Result {
        withUnsafeBytes { bytes in
            var reader = MessageReader(bytes)
            return body(&reader)
        }
    }

    /// Lends the bytes to what may complain.
    func withBytes<Value>(_ body: (UnsafeRawBufferPointer) throws(Complaint) -> Value) throws(Complaint) -> Value {
        let result = withUnsafeBytes { buffer -> Swift.Result<Value, Complaint> in
            do throws(Complaint) { return .success(try body(buffer)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
