import Machine
import Memory
import VMX
import Virtualization

// Requests about memory. The guest's is only its RAM: inspection never reads or writes a device.

extension Agent {
    /// Reads bytes up to the first that is not there.
    @inline(never)
    mutating func read<Access: VMCSAccess, Services: HostServices>(
        _ space: AddressSpace, _ address: UInt64, _ count: UInt16,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ host: some AgentHost
    ) throws(AgentFailure) {
        guard Int(count) <= message.room - MemoryAnswer.size else { throw AgentFailure(.tooLong) }
        let start = message.payloadCount
        MemoryAnswer(nil).encode(to: &message)
        var reader = MemoryReader(space, cpu)
        for offset in 0..<UInt64(count) {
            do throws(MemoryFault) {
                message.append(try reader.byte(at: address &+ offset, host))
            } catch {
                return message.replace(MemoryAnswer(error.fault), at: start)
            }
        }
    }

    /// Reads words of 8 bytes, up to the first group of eight with a word that is not there.
    @inline(never)
    mutating func readWords<Access: VMCSAccess, Services: HostServices>(
        _ space: AddressSpace, _ address: UInt64, _ count: UInt16,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ host: some AgentHost
    ) throws(AgentFailure) {
        guard address & 7 == 0 else { throw AgentFailure(.malformed) }
        let start = message.payloadCount
        MemoryAnswer(nil).encode(to: &message)
        var reader = MemoryReader(space, cpu)
        for group in 0..<(UInt64(count) + 7) / 8 {
            let end = message.payloadCount
            message.append(UInt8(0))
            var mask: UInt8 = 0
            for index in 0..<UInt64(8) {
                do throws(MemoryFault) {
                    let word = try reader.word(at: address &+ 64 &* group &+ 8 &* index, host)
                    if word != 0 {
                        mask |= 1 << UInt8(index)
                        message.append(word)
                    }
                } catch {
                    message.shorten(to: end)
                    return message.replace(MemoryAnswer(error.fault), at: start)
                }
            }
            if message.isCut { return message.shorten(to: end) }
            message.replace(mask, at: end)
        }
    }

    /// Writes all bytes, or none if one has no place.
    @inline(never)
    mutating func write<Access: VMCSAccess, Services: HostServices>(
        _ bytes: UnsafeRawBufferPointer, _ space: AddressSpace, _ address: UInt64,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) throws(AgentFailure) {
        // Their places are looked up again for the writing, since it may change the page tables.
        var finder = MemoryReader(space, cpu)
        for offset in 0..<UInt64(bytes.count) {
            do throws(MemoryFault) {
                _ = try finder.place(of: address &+ offset)
            } catch {
                throw error.failure(address &+ offset)
            }
        }
        finder = MemoryReader(space, cpu)
        for offset in 0..<UInt64(bytes.count) {
            guard let place = try? finder.place(of: address &+ offset) else { return }
            cpu.pointee.guestMemory.write(UInt64(bytes[Int(offset)]), count: 1, at: place)
            cpu.pointee.noteWrite(at: place)
        }
    }
}

/// Why a byte is not there.
private struct MemoryFault: Error {
    let fault: MemoryAnswer.Fault

    func failure(_ address: UInt64) -> AgentFailure {
        switch fault {
        case .outsideRAM(let place): AgentFailure(.noMemory, place)
        case .noHostMemory(let place): AgentFailure(.noHostMemory, place)
        case .notPresent, .reservedBit, .notCanonical, .tableOutsideRAM: AgentFailure(.notMapped, address)
        }
    }
}

/// Reads a memory, looking up each page once.
private struct MemoryReader<Access: VMCSAccess, Services: HostServices> {
    private let space: AddressSpace
    private let cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    private var page: UInt64?
    private var frame: UInt64 = 0

    init(_ space: AddressSpace, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>) {
        self.space = space
        self.cpu = cpu
    }

    /// Where a guest's byte lies in its RAM.
    mutating func place(of address: UInt64) throws(MemoryFault) -> GuestPhysicalAddress {
        let start = address & ~0xFFF
        if page != start {
            switch space {
            case .physical: frame = start
            case .host: throw MemoryFault(fault: .noHostMemory(address))
            case .virtual:
                switch cpu.pointee.translateForReader(GuestVirtualAddress(start)) {
                case .page(let found): frame = found.address.rawValue
                case .fault(let code): throw MemoryFault(fault: code.isReservedBit ? .reservedBit : .notPresent)
                case .notCanonical: throw MemoryFault(fault: .notCanonical)
                case .tableOutsideRAM(let table): throw MemoryFault(fault: .tableOutsideRAM(table.rawValue))
                }
            }
            page = start
        }
        let place = GuestPhysicalAddress(frame | address & 0xFFF)
        guard cpu.pointee.guestMemory.contains(place, count: 1) else { throw MemoryFault(fault: .outsideRAM(place.rawValue)) }
        return place
    }

    mutating func byte(at address: UInt64, _ host: some AgentHost) throws(MemoryFault) -> UInt8 {
        if space == .host {
            return UInt8(truncatingIfNeeded: try hostWord(at: address & ~7, host) >> (8 * (address & 7)))
        }
        return cpu.pointee.guestMemory.readUInt8(at: try place(of: address)) ?? 0
    }

    /// The word at a multiple of 8.
    mutating func word(at address: UInt64, _ host: some AgentHost) throws(MemoryFault) -> UInt64 {
        if space == .host { return try hostWord(at: address, host) }
        return cpu.pointee.guestMemory.readUInt64(at: try place(of: address)) ?? 0
    }

    private mutating func hostWord(at address: UInt64, _ host: some AgentHost) throws(MemoryFault) -> UInt64 {
        let start = address & ~0xFFF
        if page != start {
            guard host.hasMemory(in: HostPhysicalAddress(start)) else { throw MemoryFault(fault: .noHostMemory(address)) }
            page = start
        }
        return host.hostMemory.readUInt64(at: HostPhysicalAddress(address))
    }
}
