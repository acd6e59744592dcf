import Devices
import Memory
import Virtualization
import X86

extension GuestMemory: GuestTableMemory {
    public func setBits(_ bits: UInt32, at address: GuestPhysicalAddress) {
        guard let value = readUInt32(at: address) else { return }
        write(UInt64(value | bits), count: 4, at: address)
    }
}

// The guest's memory by linear addresses, as an instruction of the guest's would reach it.

extension VirtualCPU {
    mutating func access(_ kind: GuestAccess.Kind) -> GuestAccess {
        .explicit(
            kind, privilegeLevel: Int(processor.privilegeLevel),
            alignmentCheck: processor.flags.contains(.alignmentCheck))
    }

    /// How the guest translates linear addresses now.
    var paging: GuestPaging {
        mutating get {
            var paging = processor.paging(features)
            if features.cr4.contains(.protectionKeys), processor.cr4.contains(.protectionKeys) {
                paging.protectionKeyRights = host.protectionKeyRights()
            }
            return paging
        }
    }

    /// Translates a linear address for an access of the guest's, or says what the guest gets instead.
    mutating func translate(_ address: GuestVirtualAddress, _ kind: GuestAccess.Kind) -> Translated {
        switch paging.translate(address, for: access(kind), in: memory) {
        case .page(let page): return .page(page.address)
        case .fault(let code):
            host.loadPageFaultAddress(address.rawValue)
            return .outcome(.inject(.exception(.pageFault, errorCode: code.rawValue)))
        case .notCanonical: return .outcome(.inject(.generalProtection))
        case .tableOutsideRAM: return .outcome(.end(.unsupported(.tableInAbsentMemory)))
        }
    }

    enum Translated {
        case page(GuestPhysicalAddress)
        case outcome(Outcome)
    }

    /// Reads `size` bytes (1, 2, 4 or 8) at a linear address, over a page boundary if need be; absent memory reads as ones.
    /// - Returns: what the guest gets instead of the value, or nil.
    mutating func readGuest(_ address: GuestVirtualAddress, size: Int, into value: inout UInt64) -> Outcome? {
        var result: UInt64 = 0
        var physical = GuestPhysicalAddress(0)
        for index in 0..<size {
            if index == 0 || (address.rawValue &+ UInt64(index)) & 0xFFF == 0 {
                switch translate(address.advanced(by: ByteCount(UInt64(index))), .read) {
                case .page(let page): physical = page
                case .outcome(let outcome): return outcome
                }
            } else {
                physical = physical.advanced(by: ByteCount(1))
            }
            result |= UInt64(readByte(at: physical)) << UInt64(8 * index)
        }
        value = result
        return nil
    }

    /// Writes `size` bytes at a linear address. All of it is translated before `value` is asked for, and nothing is
    /// written if any byte faults; absent memory swallows its part.
    mutating func writeGuest(
        _ address: GuestVirtualAddress, size: Int, _ value: (inout Board) -> UInt64
    ) -> Outcome? {
        let first: GuestPhysicalAddress
        switch translate(address, .write) {
        case .page(let page): first = page
        case .outcome(let outcome): return outcome
        }
        let inFirstPage = min(size, Int(0x1000 - address.rawValue & 0xFFF))
        var second = first
        if inFirstPage < size {
            switch translate(address.advanced(by: ByteCount(UInt64(inFirstPage))), .write) {
            case .page(let page): second = page
            case .outcome(let outcome): return outcome
            }
        }
        let bytes = value(&board.pointee)
        writeBytes(bytes, count: inFirstPage, at: first)
        if inFirstPage < size {
            writeBytes(bytes >> UInt64(8 * inFirstPage), count: size - inFirstPage, at: second)
        }
        return nil
    }

    private mutating func readByte(at address: GuestPhysicalAddress) -> UInt8 {
        if let byte = memory.readUInt8(at: address) { return byte }
        absentMemoryAccesses &+= 1
        return 0xFF
    }

    private mutating func writeBytes(_ value: UInt64, count: Int, at address: GuestPhysicalAddress) {
        if !memory.write(value, count: count, at: address) { absentMemoryAccesses &+= 1 }
    }

    /// The bytes of the instruction at RIP, as far as they can be read.
    /// - Parameter mode: the mode that the guest executes in.
    @inline(__always)
    public mutating func fetchInstruction(in mode: ProcessorMode) -> InstructionBytes {
        let pointer = processor.instructionPointer
        // Nearly always: 64-bit code with four levels of tables, and all the bytes in one page.
        if mode.is64Bit, pointer & 0xFFF < features.quickFetchEnd, let bytes = fetchThroughFourLevels(pointer) {
            return bytes
        }
        return fetchAnyInstruction(in: mode)
    }

    @inline(__always)
    private mutating func fetchThroughFourLevels(_ pointer: UInt64) -> InstructionBytes? {
        guard let address = GuestPaging.locate(GuestVirtualAddress(pointer), cr3: processor.cr3, in: memory),
            let words = memory.readPair(at: address)
        else { return nil }
        return InstructionBytes(low: words.low, high: words.high)
    }

    @inline(never)
    private mutating func fetchAnyInstruction(in mode: ProcessorMode) -> InstructionBytes {
        let pointer = processor.instructionPointer
        if features.mayHaveFiveLevels, mode.is64Bit, pointer & 0xFFF < GuestFeatures.wholeInstructionEnd,
            !processor.cr4.contains(.fiveLevelPaging), let bytes = fetchThroughFourLevels(pointer)
        {
            return bytes
        }
        var result = InstructionBytes()
        let base = mode.is64Bit ? 0 : processor.segment(.cs).base
        let mask: UInt64 = mode.is64Bit ? .max : 0xFFFF_FFFF
        let address = base &+ pointer
        let paging = paging
        let access = access(.fetch)
        var physical = GuestPhysicalAddress(0)
        for place in 0..<UInt64(InstructionBytes.capacity) {
            let linear = (address &+ place) & mask
            if place == 0 || linear & 0xFFF == 0 {
                guard case .page(let page) = paging.translate(GuestVirtualAddress(linear), for: access, in: memory) else {
                    return result
                }
                physical = page.address
            }
            guard let byte = memory.readUInt8(at: physical) else { return result }
            result.append(byte)
            physical = physical.advanced(by: ByteCount(1))
        }
        return result
    }
}
