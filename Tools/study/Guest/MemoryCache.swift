import Debug

/// A guest's memory as a person looks at it: byte by byte, by linear or guest-physical addresses, without leaving a trace.
///
/// It covers whatever the guest's tables map, even if the guest itself may not read it now, and sets no accessed bits.
public protocol GuestBytes: AnyObject {
    /// Addresses that have no more than 32 bits.
    var hasShortAddresses: Bool { get }

    /// The byte at an address.
    func byte(at address: UInt64) -> GuestByte

    /// So many bytes from an address on will be asked for.
    func expect(_ count: Int, from address: UInt64)
}

extension GuestBytes {
    /// An address within those that the guest has in its mode.
    func wrapped(_ address: UInt64) -> UInt64 { hasShortAddresses ? address & 0xFFFF_FFFF : address }

    /// How many digits addresses near this one are shown with.
    func addressDigits(_ address: UInt64) -> Int { address >> 32 == 0 ? 8 : 16 }

    /// A number of up to 8 bytes; nil if one of them cannot be read.
    func number(at address: UInt64, size: Int) -> UInt64? {
        var value: UInt64 = 0
        for place in 0..<UInt64(size) {
            guard case .value(let byte) = byte(at: wrapped(address &+ place)) else { return nil }
            value |= UInt64(byte) << (8 * place)
        }
        return value
    }
}

/// Pieces of an address space that the agent has read.
final class MemoryCache: GuestBytes {
    /// How many bytes are asked for at least.
    private static var pieceSize: UInt64 { 64 }
    /// How many one answer holds at most.
    private static var mostBytes: UInt64 { 1024 }
    private static var pageSize: UInt64 { 4096 }

    private let connection: GuestConnection
    private let space: AddressSpace
    let hasShortAddresses: Bool
    private var known: [UInt64: GuestByte] = [:]

    init(_ connection: GuestConnection, _ space: AddressSpace, hasShortAddresses: Bool) {
        self.connection = connection
        self.space = space
        self.hasShortAddresses = hasShortAddresses
    }

    func byte(at address: UInt64) -> GuestByte {
        if let byte = known[address] { return byte }
        let start = address & ~(Self.pieceSize - 1)
        fetch(start, Self.pieceSize)
        // What is before it in the piece may not be readable.
        if known[address] == nil { fetch(address, start &+ Self.pieceSize &- address) }
        return known[address] ?? .unreadable(.notAnswered)
    }

    func expect(_ count: Int, from address: UInt64) {
        var place = wrapped(address)
        var left = UInt64(count)
        while left > 0 {
            let piece = min(left, Self.mostBytes, Self.pageSize - place % Self.pageSize)
            if known[place] == nil || known[place &+ piece &- 1] == nil { fetch(place, piece) }
            place = wrapped(place &+ piece)
            left -= piece
        }
    }

    /// Reads bytes within one page: if one cannot be read, neither can those after it.
    private func fetch(_ address: UInt64, _ count: UInt64) {
        guard let answer = try? connection.ask(.read(space, address: address, count: UInt16(count))) else { return }
        answer.withReader { reader in
            guard let result = MemoryAnswer(&reader) else { return }
            let bytes = reader.rest()
            for (offset, byte) in bytes.enumerated() { known[address &+ UInt64(offset)] = .value(byte) }
            guard let fault = result.fault else { return }
            for offset in UInt64(bytes.count)..<max(count, UInt64(bytes.count)) {
                known[address &+ offset] = .unreadable(GuestByte.Reason(fault, beyond: offset &- UInt64(bytes.count)))
            }
        }
    }
}

/// What there is at an address of a guest's.
public enum GuestByte: Equatable, Sendable {
    case value(UInt8)
    case unreadable(Reason)

    /// Why a byte cannot be read.
    public enum Reason: Error, Equatable, Sendable {
        case notPresent
        case reservedBit
        case notCanonical
        /// A page table is at this guest-physical address, where the guest has no RAM.
        case tableOutsideRAM(UInt64)
        /// It is mapped, but the guest has no RAM at this guest-physical address: a device, or nothing.
        case outsideRAM(UInt64)
        /// Nobody answered the question.
        case notAnswered

        /// The reason for a byte at this distance after the reported one, in the same page.
        init(_ fault: MemoryAnswer.Fault, beyond offset: UInt64) {
            switch fault {
            case .notPresent: self = .notPresent
            case .reservedBit: self = .reservedBit
            case .notCanonical: self = .notCanonical
            case .tableOutsideRAM(let table): self = .tableOutsideRAM(table)
            case .outsideRAM(let address), .noHostMemory(let address): self = .outsideRAM(address &+ offset)
            }
        }

        /// The same reason, wherever it is.
        func isLike(_ other: Reason) -> Bool {
            switch (self, other) {
            case (.tableOutsideRAM, .tableOutsideRAM), (.outsideRAM, .outsideRAM): true
            default: self == other
            }
        }

        var words: String {
            switch self {
            case .notPresent: "the guest's page tables map nothing there"
            case .reservedBit: "an entry of the guest's page tables has a reserved bit set"
            case .notCanonical: "the address is not canonical"
            case .tableOutsideRAM(let table):
                "a page table would lie at guest-physical \(hex: table), where the guest has no RAM"
            case .outsideRAM(let address): "the guest has no RAM at guest-physical \(hex: address)"
            case .notAnswered: "the machine did not respond"
            }
        }
    }
}
