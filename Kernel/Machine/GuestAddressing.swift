import Devices
import Memory
import Virtualization
import X86

// The guest's memory by linear addresses, as a guest instruction would reach it.

extension VirtualCPU {
    mutating func access(_ kind: GuestAccess.Kind) -> GuestAccess {
        .explicit(
            kind, privilegeLevel: Int(processor.privilegeLevel),
            alignmentCheck: processor.flags.contains(.alignmentCheck))
    }

    /// Whether a misaligned operand now faults (SDM volume 3, 7.15, "Interrupt 17 - Alignment Check Exception
    /// (#AC)").
    var checksAlignment: Bool {
        mutating get {
            processor.flags.contains(.alignmentCheck) && processor.privilegeLevel == 3 && processor.cr0.contains(.alignmentMask)
        }
    }

    /// How the guest translates linear addresses now.
    public var paging: GuestPaging {
        @inline(never)
        @_optimize(speed)
        mutating get {
            var paging = processor.paging(features)
            if features.cr4.contains(.protectionKeys), processor.cr4.contains(.protectionKeys) {
                paging.protectionKeyRights = host.protectionKeyRights()
            }
            return paging
        }
    }

    /// Translates a linear address for a guest access, or says what the guest gets instead.
    /// - Parameter segment: the segment of the access: a non-canonical address is #SS through SS, #GP otherwise.
    @_optimize(speed)
    mutating func translate(
        _ address: GuestVirtualAddress, _ kind: GuestAccess.Kind, through segment: SegmentRegister
    ) -> Translated {
        translate(address, access(kind), through: segment)
    }

    /// The same for an access that may not be the instruction's own.
    @_optimize(speed)
    mutating func translate(
        _ address: GuestVirtualAddress, _ access: GuestAccess, through segment: SegmentRegister
    ) -> Translated {
        switch paging.translate(address, for: access, in: memory) {
        case .page(let page): return .page(page.address)
        case .fault(let code):
            host.loadPageFaultAddress(address.rawValue)
            return .outcome(.inject(.exception(.pageFault, errorCode: code.rawValue)))
        case .notCanonical: return .outcome(.inject(segment == .ss ? .stackFault : .generalProtection))
        case .tableOutsideRAM: return .outcome(.end(.unsupported(.tableInAbsentMemory)))
        }
    }

    enum Translated {
        case page(GuestPhysicalAddress)
        case outcome(Outcome)
    }

    /// The bytes of the instruction at RIP, as many as can be read.
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
        guard let address = GuestPaging.locate(GuestVirtualAddress(pointer), cr3: processor.loadedCR3, in: memory),
            let words = memory.readPair(at: address)
        else { return nil }
        return InstructionBytes(low: words.low, high: words.high)
    }

    @inline(never)
    private mutating func fetchAnyInstruction(in mode: ProcessorMode) -> InstructionBytes {
        let pointer = processor.instructionPointer
        if features.mayHaveFiveLevels, mode.is64Bit, pointer & 0xFFF < GuestFeatures.wholeInstructionEnd,
            !processor.usesShadowTables, !processor.translatesDirectly, !processor.cr4.contains(.fiveLevelPaging),
            let bytes = fetchThroughFourLevels(pointer)
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
