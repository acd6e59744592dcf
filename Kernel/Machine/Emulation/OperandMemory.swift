import Devices
import Memory
import Virtualization
import X86

// The guest's memory as its instructions reach it: RAM, devices, or nothing.

/// Where an operand lies in guest-physical memory: in one piece, or in two pages.
struct OperandPlace {
    var first: GuestPhysicalAddress
    /// Where it continues after its first part.
    var second: GuestPhysicalAddress
    /// The number of bytes in the first part, or more.
    var countInFirst: Int

    /// In one piece.
    init(_ address: GuestPhysicalAddress) {
        first = address
        second = address
        countInFirst = .max
    }

    init(_ first: GuestPhysicalAddress, count: Int, then second: GuestPhysicalAddress) {
        self.first = first
        self.second = second
        countInFirst = count
    }
}

/// A place, or what the guest gets instead.
enum LocatedOperand {
    case place(OperandPlace)
    case outcome(Outcome)
}

extension VirtualCPU {
    // MARK: By guest-physical address

    /// Reads `size` bytes (1, 2, 4 or 8) of RAM or, where there is none, in one access of whatever device is there.
    @_optimize(speed)
    mutating func readPhysical(_ address: GuestPhysicalAddress, size: Int) -> UInt64 {
        if !isHidden(address), let value = memory.read(count: size, at: address) { return value }
        return readDevice(address, size: size) & UInt64.max >> UInt64(64 - 8 * size)
    }

    /// Writes `size` bytes, likewise.
    mutating func writePhysical(_ address: GuestPhysicalAddress, size: Int, _ value: UInt64) {
        if !isHidden(address), memory.write(value, count: size, at: address) {
            noteWrite(at: address)
            return
        }
        writeDevice(address, size: size, value & UInt64.max >> UInt64(64 - 8 * size))
    }

    /// Whether the local APIC covers the RAM at this address.
    @inline(__always)
    mutating func isHidden(_ address: GuestPhysicalAddress) -> Bool { pageUnderLocalAPIC != nil && isLocalAPIC(address) }

    /// Reads 1 to 8 bytes of one page, in as few accesses as bus sizes allow.
    @inline(__always)
    private mutating func readPart(_ address: GuestPhysicalAddress, count: Int) -> UInt64 {
        count & (count - 1) == 0 ? readPhysical(address, size: count) : readOddPart(address, count: count)
    }

    @inline(never)
    private mutating func readOddPart(_ address: GuestPhysicalAddress, count: Int) -> UInt64 {
        var value: UInt64 = 0
        var done = 0
        while done < count {
            let place = address.advanced(by: ByteCount(UInt64(done)))
            let size = VirtualCPU.accessSize(place, count: count, done: done)
            value |= readPhysical(place, size: size) << UInt64(8 * done)
            done += size
        }
        return value
    }

    @inline(__always)
    private mutating func writePart(_ address: GuestPhysicalAddress, count: Int, _ value: UInt64) {
        if count & (count - 1) == 0 {
            writePhysical(address, size: count, value)
        } else {
            writeOddPart(address, count: count, value)
        }
    }

    @inline(never)
    private mutating func writeOddPart(_ address: GuestPhysicalAddress, count: Int, _ value: UInt64) {
        var done = 0
        while done < count {
            let place = address.advanced(by: ByteCount(UInt64(done)))
            let size = VirtualCPU.accessSize(place, count: count, done: done)
            writePhysical(place, size: size, value >> UInt64(8 * done))
            done += size
        }
    }

    /// A power-of-two size goes in one access, aligned or not; a part of 3, 5, 6 or 7 bytes in aligned ones.
    private static func accessSize(_ address: GuestPhysicalAddress, count: Int, done: Int) -> Int {
        let aligned = 1 << min(address.rawValue.trailingZeroBitCount, 2)
        let rest = count - done
        return min(aligned, rest >= 4 ? 4 : rest >= 2 ? 2 : 1)
    }

    // MARK: By linear address

    /// Where an operand lies. All of it is translated first, so that no fault comes after an access.
    @_optimize(speed)
    mutating func locate(
        _ address: GuestVirtualAddress, size: Int, _ kind: GuestAccess.Kind, through segment: SegmentRegister
    ) -> LocatedOperand {
        let first: GuestPhysicalAddress
        switch translate(address, kind, through: segment) {
        case .page(let page): first = page
        case .outcome(let outcome): return .outcome(outcome)
        }
        let inFirstPage = Int(0x1000 - address.rawValue & 0xFFF)
        if inFirstPage >= size { return .place(OperandPlace(first)) }
        let next = (address.rawValue &+ UInt64(inFirstPage)) & linearMask
        switch translate(GuestVirtualAddress(next), kind, through: segment) {
        case .page(let second): return .place(OperandPlace(first, count: inFirstPage, then: second))
        case .outcome(let outcome): return .outcome(outcome)
        }
    }

    /// The same from an offset in a segment.
    @_optimize(speed)
    mutating func locate(
        offset: UInt64, size: Int, in register: SegmentRegister, _ kind: GuestAccess.Kind, _ mode: ProcessorMode
    ) -> LocatedOperand {
        switch linear(offset, size: size, in: register, kind, mode) {
        case .address(let address): locate(address, size: size, kind, through: register)
        case .outcome(let outcome): .outcome(outcome)
        }
    }

    /// Reads 1 to 8 bytes of an operand.
    @inline(never)
    @_optimize(speed)
    mutating func read(_ place: OperandPlace, at offset: Int = 0, count: Int) -> UInt64 {
        if offset + count <= place.countInFirst {
            return readPart(place.first.advanced(by: ByteCount(UInt64(offset))), count: count)
        }
        if offset >= place.countInFirst {
            return readPart(place.second.advanced(by: ByteCount(UInt64(offset - place.countInFirst))), count: count)
        }
        let inFirst = place.countInFirst - offset
        let low = readPart(place.first.advanced(by: ByteCount(UInt64(offset))), count: inFirst)
        return low | readPart(place.second, count: count - inFirst) << UInt64(8 * inFirst)
    }

    /// Writes 1 to 8 bytes of an operand.
    @inline(never)
    mutating func write(_ place: OperandPlace, at offset: Int = 0, count: Int, _ value: UInt64) {
        if offset + count <= place.countInFirst {
            return writePart(place.first.advanced(by: ByteCount(UInt64(offset))), count: count, value)
        }
        if offset >= place.countInFirst {
            return writePart(place.second.advanced(by: ByteCount(UInt64(offset - place.countInFirst))), count: count, value)
        }
        let inFirst = place.countInFirst - offset
        writePart(place.first.advanced(by: ByteCount(UInt64(offset))), count: inFirst, value)
        writePart(place.second, count: count - inFirst, value >> UInt64(8 * inFirst))
    }
}
