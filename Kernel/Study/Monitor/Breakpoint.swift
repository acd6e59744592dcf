import Memory
import Text
import VMX
import Virtualization

/// What stops the guest: VM exits of a kind, or accesses to memory, and perhaps a condition.
public struct Breakpoint: Sendable {
    public enum Kind: Equatable, Sendable {
        /// The basic exit reason.
        case exit(UInt16)
        case port(UInt16)
        case register(UInt32)
        case leaf(UInt32)
        case memory(MemoryWatch)
        /// An instruction at a linear address.
        case address(UInt64)
    }

    public let kind: Kind
    public let condition: StopCondition?

    public init(_ kind: Kind, _ condition: StopCondition?) {
        self.kind = kind
        self.condition = condition
    }

    /// - Parameter before: the general registers at the exit.
    func matches<Access: VMCSAccess>(_ exit: Exit, _ processor: VMXProcessor<Access>, _ before: GeneralRegisters) -> Bool {
        guard isOfKind(exit, processor.exitReasonNumber, before) else { return false }
        return condition?.holds(processor, before) ?? true
    }

    private func isOfKind(_ exit: Exit, _ reason: UInt32, _ before: GeneralRegisters) -> Bool {
        switch (kind, exit) {
        case (.exit(let wanted), _): UInt16(truncatingIfNeeded: reason) == wanted
        case (.port(let port), .io(let access)): port >= access.port && Int(port) < Int(access.port) + access.size
        case (.register(let number), .readMSR), (.register(let number), .writeMSR):
            UInt32(truncatingIfNeeded: before.rcx) == number
        case (.leaf(let leaf), .cpuid): UInt32(truncatingIfNeeded: before.rax) == leaf
        default: false
        }
    }
}

extension Breakpoint {
    /// Takes the words behind `break`.
    init(_ text: CommandText) throws(Complaint) {
        guard let word = text.word(1) else { throw Complaint("break needs a kind and a number: \"help break\"") }
        var search = NameSearch(word)
        search.offer("exit", 0)
        search.offer("port", 1)
        search.offer("msr", 2)
        search.offer("cpuid", 3)
        search.offer("read", 4)
        search.offer("write", 5)
        search.offer("fetch", 6)
        search.offer("address", 7)
        let number = try search.result("kind of breakpoint", "there are exit, port, msr, cpuid, read, write, fetch and address")
        guard let value = text.word(2) else {
            throw Complaint("break \(word) needs \(number == 0 ? "an exit reason" : "a number") behind it: \"help break\"")
        }
        var next = 3
        if number == 7 {
            let address = try value.requiredNumber()
            // Linear addresses have 57 bits at most, and the others repeat the highest.
            guard (Int64(bitPattern: address) << 7) >> 7 == Int64(bitPattern: address) else {
                throw Complaint("no instruction can be at \(hex: address): the address is not canonical")
            }
            kind = .address(address)
        } else if number >= 4 {
            let range = try Breakpoint.range(text)
            next = range.next
            kind = .memory(
                MemoryWatch(first: range.first, last: range.last, kind: number == 4 ? .read : number == 5 ? .write : .fetch))
        } else if number == 0 {
            let reason = text.name(from: 2) ?? (value, 3)
            kind = .exit(try ExitReason.basic(reason.name))
            next = reason.end
        } else {
            let place = try value.requiredNumber(upTo: number == 1 ? 0xFFFF : 0xFFFF_FFFF)
            kind = switch number {
            case 1: .port(UInt16(truncatingIfNeeded: place))
            case 2: .register(UInt32(truncatingIfNeeded: place))
            default: .leaf(UInt32(truncatingIfNeeded: place))
            }
        }
        condition = try StopCondition(behind: text, next)
    }

    /// One address or two.
    private static func range(_ text: CommandText) throws(Complaint) -> (first: UInt64, last: UInt64, next: Int) {
        guard let first = text.word(2)?.number else { throw Complaint("a guest-physical address must follow, such as 0x1000") }
        guard let word = text.word(3), word != "if" else { return (first, first, 3) }
        guard let last = word.number, last >= first else {
            throw Complaint("\"\(word)\" is no address from \(hex: first) on: the range's last byte")
        }
        return (first, last, 4)
    }
}

extension StopCondition {
    /// The condition behind the word "if", where there is one.
    init?(behind text: CommandText, _ index: Int) throws(Complaint) {
        guard let word = text.word(index) else { return nil }
        guard word == "if" else { throw Complaint("\"\(word)\" is too much: only \"if\" and a condition may follow") }
        try self.init(text, from: index + 1)
    }
}

extension ExitReason {
    /// The basic reason that a number is, or whose name a word begins.
    static func basic(_ word: Line) throws(Complaint) -> UInt16 {
        if let number = word.number {
            guard number <= UInt64(highestBasic), isNamed(basic: UInt16(number)) else {
                throw Complaint("there is no exit reason \(number)")
            }
            return UInt16(number)
        }
        var search = NameSearch(word)
        for reason in 0...highestBasic where isNamed(basic: reason) { search.offer(name(ofBasic: reason), Int(reason)) }
        return UInt16(
            try search.result("exit reason", "it is a number, or the beginning of a name such as cpuid, hlt, ept-violation"))
    }
}

extension Breakpoint: TextConvertible {
    public func write(to output: inout Line) {
        switch kind {
        case .exit(let reason):
            output.write("exit \"")
            output.write(ExitReason.name(ofBasic: reason))
            output.write("\"")
        case .port(let port):
            output.write("port ")
            output.write(hex: UInt64(port))
        case .register(let number):
            output.write("msr ")
            output.write(hex: UInt64(number))
        case .leaf(let leaf):
            output.write("cpuid ")
            output.write(hex: UInt64(leaf))
        case .address(let address):
            output.write("address ")
            output.write(hex: address)
        case .memory(let watch):
            output.write(watch.name)
            output.write(" ")
            output.write(hex: watch.first)
            if watch.last != watch.first {
                output.write(" ")
                output.write(hex: watch.last)
            }
        }
        if let condition {
            output.write(" if ")
            output.write(condition)
        }
    }
}
