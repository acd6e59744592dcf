import Debug
import Foundation
import StudyTools
import VMX
import X86

/// A guest in memory, with as much of a processor as a debugger's test needs.
final class GDBGuest: DebugTarget {
    var modes: [ProcessorMode] = [.long64]
    var registers: [GuestRegister: UInt64] = [:]
    /// Registers that refuse every value, in words that would break the framing.
    var frozen: Set<GuestRegister> = []
    var ram: [UInt64: UInt8] = [:]
    var watches: [DebugWatch] = []
    var mostWatches = 4
    var hasReadWatches = false
    var commands: [String] = []
    var fields: [VMCSFieldDescription] = []
    var fieldValues: [VMCSFieldEncoding: UInt64] = [:]
    /// How often the debugger is asked for patience before the guest is there.
    var delay = 0

    func awaitGuest(_ isPatient: () -> Void) { for _ in 0..<delay { isPatient() } }

    var threadCount: UInt32 { UInt32(modes.count) }
    func mode(of thread: UInt32) -> ProcessorMode { modes[Int(thread) - 1] }

    func read(_ register: GuestRegister, of thread: UInt32) -> UInt64? {
        if register == .cr8 { return nil }
        return (registers[register] ?? 0) &+ (register == .rbx ? UInt64(thread) : 0)
    }

    func write(_ value: UInt64, to register: GuestRegister, of thread: UInt32) throws(Complaint) {
        guard !frozen.contains(register) else { throw Complaint("$frozen*: #GP}") }
        registers[register] = value
    }

    func read(_ field: VMCSFieldEncoding, of thread: UInt32) -> UInt64? { fieldValues[field] }

    func write(_ value: UInt64, to field: VMCSFieldEncoding, of thread: UInt32) throws(Complaint) {
        guard field.area == .guestState else { throw Complaint("the field is not part of the guest state") }
        fieldValues[field] = value
    }

    func read(_ count: Int, at address: UInt64, of thread: UInt32) -> [UInt8] {
        Array((0..<UInt64(count)).lazy.map { self.ram[address &+ $0] }.prefix { $0 != nil }.map { $0! })
    }

    func write(_ bytes: [UInt8], at address: UInt64, of thread: UInt32) -> Bool {
        guard bytes.indices.allSatisfy({ ram[address &+ UInt64($0)] != nil }) else { return false }
        load(bytes, at: address)
        return true
    }

    func insert(_ watch: DebugWatch) -> WatchAnswer {
        guard watch.kind != .read || hasReadWatches else { return .unsupported }
        guard watch.kind != .software || ram[watch.address] != nil else { return .noMemory }
        if watches.contains(watch) { return .done }
        guard watches.count < mostWatches else { return .refused }
        watches.append(watch)
        return .done
    }

    func remove(_ watch: DebugWatch) -> WatchAnswer {
        watches.removeAll { $0 == watch }
        return .done
    }

    func removeAllWatches() { watches = [] }

    func perform(_ command: String) -> (lines: [String], answer: CommandAnswer) {
        commands.append(command)
        switch command {
        case "run": return ([], .resume)
        case "long": return ([String](repeating: String(repeating: "0123456789", count: 10), count: 500), .done)
        case "quiet": return ([], .done)
        default: return (["you said \(command)"], .done)
        }
    }

    var stopReport: [String] { ["stopped at exit 7"] }

    /// Puts bytes at a place in RAM.
    func load(_ bytes: [UInt8], at address: UInt64) {
        for (offset, byte) in bytes.enumerated() { ram[address &+ UInt64(offset)] = byte }
    }

    /// RAM with all bytes zero.
    static func withRAM(_ range: Range<UInt64> = 0x1000..<0x3000) -> GDBGuest {
        let target = GDBGuest()
        for address in range { target.ram[address] = 0 }
        return target
    }
}

// MARK: A processor

extension GDBGuest {
    /// Executes one instruction: NOP, STOSB, a short JMP or INT3.
    /// - Returns: why it is to stop there, if it is.
    private func execute() -> DebugStop.Reason? {
        let base = modes[0].is64Bit ? 0 : registers[.csBase] ?? 0
        let address = base + (registers[.rip] ?? 0)
        if watches.contains(DebugWatch(.software, at: address, length: 1)) { return .softwareBreakpoint }
        switch ram[address] {
        case 0x90: registers[.rip]! += 1
        case 0xAA:
            let place = registers[.rdi] ?? 0
            ram[place] = UInt8(truncatingIfNeeded: registers[.rax] ?? 0)
            registers[.rip]! += 1
            registers[.rdi] = place + 1
            if watches.contains(where: { $0.kind == .write && place >= $0.address && place - $0.address < $0.length }) {
                return .watchpoint(.write, place)
            }
        case 0x06: modes[0] = .long64; registers[.rip]! += 1  // no such instruction: it stands for the way to 64-bit mode
        case 0xEB: registers[.rip]! &+= 2 &+ UInt64(bitPattern: Int64(Int8(bitPattern: ram[address + 1]!)))
        default: return .signal(.illegalInstruction)
        }
        let next = base + (registers[.rip] ?? 0)
        if watches.contains(DebugWatch(.execute, at: next, length: 1)) { return .hardwareBreakpoint }
        return nil
    }

    /// Runs as the monitor's engine would, until the debugger lets go.
    func run(_ server: GDBServer) -> Resumption {
        var stop = DebugStop(.start)
        while true {
            let resumption = server.serve(stop)
            switch resumption {
            case .detach, .kill, .lost: return resumption
            case .step, .command: stop = DebugStop(execute() ?? .step)
            case .continue:
                var reason: DebugStop.Reason?
                for _ in 0..<1000 where reason == nil { reason = execute() }
                stop = DebugStop(reason ?? .interrupt)
            }
        }
    }
}

// MARK: A line

/// What the debugger sends is known beforehand; what it gets is kept.
final class ScriptedChannel: DebugChannel {
    var input: [UInt8] = []
    private var position = 0
    private(set) var output: [UInt8] = []

    /// Begins anew.
    func set(_ input: [UInt8]) {
        self.input = input
        position = 0
        output = []
    }

    func read() -> UInt8? {
        guard position < input.count else { return nil }
        position += 1
        return input[position - 1]
    }

    func write(_ bytes: [UInt8]) { output += bytes }

    /// What was sent, as text.
    var text: String { String(decoding: output, as: UTF8.self) }

    /// A packet around a content, with its checksum.
    static func packet(_ content: [UInt8]) -> [UInt8] {
        let sum = content.reduce(UInt8(0), &+)
        return [0x24] + content + Array((sum < 16 ? "#0" : "#").utf8) + Array(String(sum, radix: 16).utf8)
    }

    static func packet(_ content: String) -> [UInt8] { packet(Array(content.utf8)) }
}

/// A server and a guest that are asked question after question.
final class GDBSession {
    let target: GDBGuest
    private let channel = ScriptedChannel()
    private let server: GDBServer
    private(set) var resumption = Resumption.detach

    init(_ target: GDBGuest = .withRAM()) {
        self.target = target
        server = GDBServer(of: target, over: channel)
    }

    /// Sends packets, each acknowledged, and then lets the guest run, so that the session goes on.
    /// - Parameter stop: why the guest stopped before; nil where that is of no interest, and what is said of it is left out.
    /// - Returns: the contents that come back.
    func ask(_ packets: String..., stop: DebugStop? = nil) -> [String] {
        ask(bytes: (packets + ["c"]).map { Array($0.utf8) }, stop: stop)
    }

    func ask(bytes packets: [[UInt8]], stop: DebugStop? = nil) -> [String] {
        // The debugger answers each packet of the server's with "+"; at a stop there may be several.
        let isAwaited = resumption != .detach && resumption != .kill && resumption != .lost
        let acknowledgements: [UInt8] = [0x2B, 0x2B, 0x2B]
        let input = packets.reduce(acknowledgements) { $0 + ScriptedChannel.packet($1) + acknowledgements }
        let contents = Self.contents(Array(send(input, stop: stop ?? DebugStop(.start)).utf8))
        guard isAwaited, stop == nil, let told = contents.firstIndex(where: { $0.hasPrefix("T05") }) else { return contents }
        return Array(contents[(told + 1)...])
    }

    /// Sends bytes as they are.
    func send(_ bytes: [UInt8], stop: DebugStop = DebugStop(.start)) -> String {
        channel.set(bytes)
        resumption = server.serve(stop)
        return channel.text
    }

    /// A byte comes while the guest runs.
    func isInterruptRequested(by byte: UInt8) -> Bool { server.isInterruptRequested(by: byte) }

    /// The contents of all packets; their checksums are tested on the way.
    static func contents(_ output: [UInt8]) -> [String] {
        var contents: [String] = []
        var rest = output[...]
        while let start = rest.firstIndex(of: 0x24), let end = rest.firstIndex(of: 0x23) {
            let content = Array(rest[(start + 1)..<end])
            let sum = UInt8(String(decoding: output[(end + 1)...(end + 2)], as: UTF8.self), radix: 16)
            let isSound = sum == content.reduce(UInt8(0), &+)
            contents.append(isSound ? String(decoding: content, as: UTF8.self) : "bad checksum")
            rest = rest[(end + 3)...]
        }
        return contents
    }

    static func hex(_ text: String) -> String { text.utf8.map { String(format: "%02x", $0) }.joined() }

    /// The text of packets "O".
    static func console(_ contents: [String]) -> String {
        var bytes: [UInt8] = []
        for content in contents where content.hasPrefix("O") && content != "OK" {
            var digits = content.dropFirst()
            while digits.count >= 2 {
                bytes.append(UInt8(digits.prefix(2), radix: 16) ?? 0)
                digits = digits.dropFirst(2)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
