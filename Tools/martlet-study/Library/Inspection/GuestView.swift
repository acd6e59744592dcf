import Memory
import Text

/// A guest's memory as the monitor looks at it: byte by byte, by linear or guest-physical addresses, without leaving a trace.
///
/// It reads whatever the guest's tables map, also what the guest itself may not read now, and sets no accessed bit.
public struct GuestView<Memory: GuestTableMemory> {
    private let memory: Memory
    /// nil for guest-physical addresses.
    private let paging: GuestPaging?

    /// The guest's memory by linear addresses.
    public init(_ memory: Memory, through paging: GuestPaging) {
        self.memory = memory
        var paging = paging
        paging.protectionKeyRights = 0
        self.paging = paging
    }

    /// The guest's memory by guest-physical addresses.
    public init(physical memory: Memory) {
        self.memory = memory
        paging = nil
    }

    /// Addresses that have no more than 32 bits.
    var hasShortAddresses: Bool {
        guard let mode = paging?.mode else { return false }
        return mode != .fourLevel && mode != .fiveLevel
    }

    /// The byte at an address.
    public func byte(at address: UInt64) -> GuestByte {
        switch locate(address) {
        case .success(let physical):
            guard let word = memory.readUInt64(at: GuestPhysicalAddress(physical.rawValue & ~7)) else {
                return .unreadable(.outsideRAM(physical))
            }
            return .value(UInt8(truncatingIfNeeded: word >> (8 * (physical.rawValue & 7))))
        case .failure(let reason): return .unreadable(reason)
        }
    }

    private func locate(_ address: UInt64) -> Result<GuestPhysicalAddress, GuestByte.Reason> {
        guard let paging else { return .success(GuestPhysicalAddress(address)) }
        // An access of the supervisor's that SMAP does not hinder reads all that is mapped.
        let access = GuestAccess.explicit(.read, privilegeLevel: 0, alignmentCheck: true)
        switch paging.translate(GuestVirtualAddress(address), for: access, in: UnchangedMemory(memory)) {
        case .page(let page): return .success(page.address)
        case .fault(let code): return .failure(code.isReservedBit ? .reservedBit : .notPresent)
        case .notCanonical: return .failure(.notCanonical)
        case .tableOutsideRAM(let table): return .failure(.tableOutsideRAM(table))
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
        /// A page table lies where the guest has no RAM.
        case tableOutsideRAM(GuestPhysicalAddress)
        /// It is mapped, but the guest has no RAM there: a device, or nothing.
        case outsideRAM(GuestPhysicalAddress)

        /// The same reason, wherever it is.
        func isLike(_ other: Reason) -> Bool {
            switch (self, other) {
            case (.notPresent, .notPresent), (.reservedBit, .reservedBit), (.notCanonical, .notCanonical),
                (.tableOutsideRAM, .tableOutsideRAM), (.outsideRAM, .outsideRAM):
                true
            default: false
            }
        }
    }
}

extension GuestByte.Reason: TextConvertible {
    public func write(to output: inout Line) {
        switch self {
        case .notPresent: output.write("the guest's page tables map nothing there")
        case .reservedBit: output.write("an entry of the guest's page tables has a reserved bit set")
        case .notCanonical: output.write("the address is not canonical")
        case .tableOutsideRAM(let table):
            output.write("a page table would lie at guest-physical ")
            output.write(hex: table.rawValue)
            output.write(", where the guest has no RAM")
        case .outsideRAM(let address):
            output.write("the guest has no RAM at guest-physical ")
            output.write(hex: address.rawValue)
        }
    }
}

/// The memory of page tables, in which a walk sets no accessed or dirty bits.
private struct UnchangedMemory<Memory: GuestTableMemory>: GuestTableMemory {
    let memory: Memory

    init(_ memory: Memory) { self.memory = memory }

    func readUInt64(at address: GuestPhysicalAddress) -> UInt64? { memory.readUInt64(at: address) }
    func readUInt32(at address: GuestPhysicalAddress) -> UInt32? { memory.readUInt32(at: address) }
    func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) {}
}
