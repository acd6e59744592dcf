/// What stops the guest: VM exits of a kind, accesses to memory, or an address, and perhaps a condition.
public struct Stop: Equatable, Sendable {
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
    /// A memory access is reported after it is made, instead of before.
    public let isToldAfterwards: Bool

    public init(_ kind: Kind, _ condition: StopCondition? = nil, isToldAfterwards: Bool = false) {
        self.kind = kind
        self.condition = condition
        self.isToldAfterwards = isToldAfterwards
    }

    /// How many stops there can be; they are numbered from 1.
    public static var capacity: Int { 16 }
}

/// A range of guest-physical memory, and the accesses to it that stop the guest.
public struct MemoryWatch: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        case read, write, fetch
        /// Reads and writes.
        case access
    }

    public let first: UInt64
    /// The last byte.
    public let last: UInt64
    public let kind: Kind

    public init(first: UInt64, last: UInt64, kind: Kind) {
        self.first = first
        self.last = last
        self.kind = kind
    }
}

// MARK: On the line

extension Stop.Kind {
    fileprivate enum Number: UInt8 { case exit = 1, port, register, leaf, memory, address }

    fileprivate var number: Number {
        switch self {
        case .exit: .exit
        case .port: .port
        case .register: .register
        case .leaf: .leaf
        case .memory: .memory
        case .address: .address
        }
    }
}

extension Stop {
    /// Its kind's number, the kind's own numbers, whether it is reported afterwards, and the condition or a program of 0.
    public func encode(to message: inout Message) {
        message.append(kind.number.rawValue)
        switch kind {
        case .exit(let number), .port(let number): message.append(number)
        case .register(let number), .leaf(let number): message.append(number)
        case .memory(let watch):
            message.append(watch.kind.rawValue)
            message.append(watch.first)
            message.append(watch.last)
        case .address(let address): message.append(address)
        }
        message.append(UInt8(isToldAfterwards ? 1 : 0))
        if let condition { condition.encode(to: &message) } else { message.append(UInt32(0)) }
    }

    @inline(never)
    public init?(_ reader: inout MessageReader) {
        guard let kind = Kind(&reader), let afterwards = reader.uint8(), afterwards <= 1, let program = reader.uint32() else {
            return nil
        }
        if program == 0 {
            self.init(kind, nil, isToldAfterwards: afterwards != 0)
        } else {
            guard let condition = StopCondition(program: program, &reader) else { return nil }
            self.init(kind, condition, isToldAfterwards: afterwards != 0)
        }
    }
}

extension Stop.Kind {
    fileprivate init?(_ reader: inout MessageReader) {
        switch reader.uint8().flatMap({ Number(rawValue: $0) }) {
        case .exit:
            guard let reason = reader.uint16() else { return nil }
            self = .exit(reason)
        case .port:
            guard let port = reader.uint16() else { return nil }
            self = .port(port)
        case .register:
            guard let number = reader.uint32() else { return nil }
            self = .register(number)
        case .leaf:
            guard let leaf = reader.uint32() else { return nil }
            self = .leaf(leaf)
        case .memory:
            guard let kind = reader.uint8().flatMap({ MemoryWatch.Kind(rawValue: $0) }), let first = reader.uint64(),
                let last = reader.uint64(), last >= first
            else { return nil }
            self = .memory(MemoryWatch(first: first, last: last, kind: kind))
        case .address:
            guard let address = reader.uint64() else { return nil }
            self = .address(address)
        case nil: return nil
        }
    }
}
