import Foundation
import Memory
import Study
import Text
import X86

/// A guest in memory, with as much of a processor as a debugger's test needs.
struct GDBGuest: DebugTarget {
    var modes: [ProcessorMode] = [.long64]
    var registers: [GuestRegister: UInt64] = [:]
    /// Registers that refuse every value, in words that would break the framing.
    var frozen: Set<GuestRegister> = []
    var ram: [UInt64: UInt8] = [:]
    /// Frames by the numbers of linear pages. What is not here is where its linear address says, below 1 MiB; nothing is above.
    var pages: [UInt64: UInt64] = [:]
    var watches: [DebugWatch] = []
    var mostWatches = 4
    var hasReadWatches = false
    var commands: [String] = []
    var removals = 0

    var threadCount: UInt32 { UInt32(modes.count) }
    mutating func mode(of thread: UInt32) -> ProcessorMode { modes[Int(thread) - 1] }

    mutating func read(_ register: GuestRegister, of thread: UInt32) -> UInt64? {
        if register == .cr8 { return nil }
        return (registers[register] ?? 0) &+ (register == .rbx ? UInt64(thread) : 0)
    }

    mutating func write(_ value: UInt64, to register: GuestRegister, of thread: UInt32) throws(Complaint) {
        guard !frozen.contains(register) else { throw Complaint("$frozen*: #GP}") }
        registers[register] = value
    }

    mutating func translate(_ address: GuestVirtualAddress, of thread: UInt32) -> GuestPhysicalAddress? {
        let page = address.rawValue >> 12
        let frame = pages[page] ?? (page < 0x100 ? page : nil)
        return frame.map { GuestPhysicalAddress($0 << 12 | address.rawValue & 0xFFF) }
    }

    mutating func readByte(at address: GuestPhysicalAddress) -> UInt8? { ram[address.rawValue] }

    mutating func writeByte(_ byte: UInt8, at address: GuestPhysicalAddress) -> Bool {
        guard ram[address.rawValue] != nil else { return false }
        ram[address.rawValue] = byte
        return true
    }

    mutating func insert(_ watch: DebugWatch) -> WatchAnswer {
        guard watch.kind != .read || hasReadWatches else { return .unsupported }
        if watches.contains(watch) { return .done }
        guard watches.count < mostWatches else { return .refused }
        watches.append(watch)
        return .done
    }

    mutating func remove(_ watch: DebugWatch) -> WatchAnswer {
        watches.removeAll { $0 == watch }
        return .done
    }

    mutating func removeAllWatches() {
        watches = []
        removals += 1
    }

    mutating func perform(_ command: UnsafeRawBufferPointer, saying output: inout some TextOutput) -> CommandAnswer {
        let text = String(decoding: command, as: UTF8.self)
        commands.append(text)
        switch text {
        case "run": return .resume
        case "long": for _ in 0..<5000 { output.write("0123456789") }
        case "quiet": break
        default:
            output.write("you said ")
            for byte in command { output.write(byte: byte) }
            output.write("\n")
        }
        return .done
    }

    mutating func reportStop(to output: inout some TextOutput) { output.write("stopped at exit 7\n") }

    /// Puts bytes at a place in RAM.
    mutating func load(_ bytes: [UInt8], at address: UInt64) {
        for (offset, byte) in bytes.enumerated() { ram[address + UInt64(offset)] = byte }
    }

    /// RAM with all bytes zero.
    static func withRAM(_ range: Range<UInt64> = 0x1000..<0x3000) -> Self {
        var target = Self()
        for address in range { target.ram[address] = 0 }
        return target
    }
}

// MARK: A processor

extension GDBGuest {
    /// Executes one instruction: NOP, STOSB, a short JMP or INT3.
    /// - Returns: why it is to stop there, if it is.
    private mutating func execute(_ server: inout GDBServer) -> DebugStop.Reason? {
        let base = modes[0].is64Bit ? 0 : registers[.csBase] ?? 0
        let address = base + (registers[.rip] ?? 0)
        switch ram[address] {
        case 0x90: registers[.rip]! += 1
        case 0xAA:
            let place = registers[.rdi] ?? 0
            ram[place] = UInt8(truncatingIfNeeded: registers[.rax] ?? 0)
            registers[.rip]! += 1
            registers[.rdi] = place + 1
            if watches.contains(where: { $0.kind == .write && place >= $0.address.rawValue && place - $0.address.rawValue < $0.length }) {
                return .watchpoint(.write, GuestVirtualAddress(place))
            }
        case 0x06: modes[0] = .long64; registers[.rip]! += 1  // no such instruction: it stands for the way to 64-bit mode
        case 0xEB: registers[.rip]! &+= 2 &+ UInt64(bitPattern: Int64(Int8(bitPattern: ram[address + 1]!)))
        case 0xCC where server.ownsBreakpoint(at: GuestVirtualAddress(address), of: 1, in: &self): return .softwareBreakpoint
        default: return .signal(.illegalInstruction)
        }
        let next = GuestVirtualAddress(base + (registers[.rip] ?? 0))
        if watches.contains(DebugWatch(.execute, at: next, length: 1)) { return .hardwareBreakpoint }
        return nil
    }

    /// Runs as the monitor's engine would, until the debugger lets go.
    mutating func run(_ server: inout GDBServer, over channel: inout some DebugChannel) -> Resumption {
        var stop = DebugStop(.start)
        while true {
            let resumption = server.serve(stop, of: &self, over: &channel)
            switch resumption {
            case .detach, .kill: return resumption
            case .step, .command: stop = DebugStop(execute(&server) ?? .step)
            case .continue:
                var reason: DebugStop.Reason?
                for _ in 0..<1000 where reason == nil { reason = execute(&server) }
                stop = DebugStop(reason ?? .interrupt)
            }
        }
    }
}

// MARK: A line

/// What the debugger sends is known beforehand; what it gets is kept.
struct ScriptedChannel: DebugChannel {
    private var input: [UInt8]
    private var position = 0
    private(set) var output: [UInt8] = []

    init(_ input: [UInt8]) { self.input = input }

    mutating func read() -> UInt8? {
        guard position < input.count else { return nil }
        position += 1
        return input[position - 1]
    }

    mutating func write(_ byte: UInt8) { output.append(byte) }

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
    var target: GDBGuest
    private var server: GDBServer
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var resumption = Resumption.detach

    init(_ target: GDBGuest = .withRAM(), memory size: Int = 8192) {
        self.target = target
        memory = .allocate(byteCount: size, alignment: 8)
        server = GDBServer(memory: memory)
    }

    deinit { memory.deallocate() }

    /// Sends packets, each acknowledged, and then lets the guest run, so that the session goes on.
    /// - Parameter stop: why the guest stopped before; nil where that is of no interest, and what is said of it is left out.
    /// - Returns: the contents that come back.
    func ask(_ packets: String..., stop: DebugStop? = nil) -> [String] {
        ask(bytes: (packets + ["c"]).map { Array($0.utf8) }, stop: stop)
    }

    func ask(bytes packets: [[UInt8]], stop: DebugStop? = nil) -> [String] {
        // The debugger answers each packet of the server's with "+"; at a stop there may be several.
        let isAwaited = resumption != .detach && resumption != .kill
        let acknowledgements: [UInt8] = [0x2B, 0x2B, 0x2B]
        let input = packets.reduce(acknowledgements) { $0 + ScriptedChannel.packet($1) + acknowledgements }
        let contents = Self.contents(Array(send(input, stop: stop ?? DebugStop(.start)).utf8))
        guard isAwaited, stop == nil, let told = contents.firstIndex(where: { $0.hasPrefix("T05") }) else { return contents }
        return Array(contents[(told + 1)...])
    }

    /// Sends bytes as they are.
    func send(_ bytes: [UInt8], stop: DebugStop = DebugStop(.start)) -> String {
        var channel = ScriptedChannel(bytes)
        resumption = server.serve(stop, of: &target, over: &channel)
        return channel.text
    }

    /// A byte comes while the guest runs.
    func isInterruptRequested(by byte: UInt8) -> Bool { server.isInterruptRequested(by: byte) }

    var usesSoftwareBreakpoints: Bool { server.usesSoftwareBreakpoints }

    func ownsBreakpoint(at address: UInt64) -> Bool { server.ownsBreakpoint(at: .init(address), of: 1, in: &target) }

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
