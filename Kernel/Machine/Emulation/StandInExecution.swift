import Devices
import Memory
import Virtualization
import X86

// Instructions on devices and absent memory that Martlet does not do by itself: the processor does, on pages that stand in
// the place of the devices until the monitor trap flag ends it behind the one instruction. So any instruction works, in any
// mode, with all of its faults, breakpoints and other effects.
//
// A page of absent memory holds ones. The test device's memory stands in for itself. A page of registers is read where the
// instruction accesses it, can only be read at first, so that the first write tells its place, and is written afterwards.

/// How the attempt to execute an instruction ended.
enum Execution {
    /// All is done.
    case over
    /// Another exit came before, about which nothing is done yet.
    case interrupted
    /// The guest could not be entered.
    case refused
}

extension VirtualCPU {
    /// Executes the instruction at whose nested page fault the guest stands, and does what follows from it. Another exit
    /// before its end leaves it to be begun anew.
    @inline(never)
    static func execute<Services: RunLoopServices>(_ cpu: Pointer, _ services: inout Services) -> Execution
    where Services.Processor == Processor, Services.Host == Host {
        guard var standIns = services.standIns() else {
            cpu.pointee.end(.unsupported(.instruction))
            return .over
        }
        let wasShadowed = cpu.pointee.leaveShadowTables()
        let wasTrapped = cpu.pointee.processor.trapInstruction(true)
        services.leadBack(true, cpu)
        var isEntered = true
        if wasShadowed {
            // The nested tables fault for it too.
            cpu.pointee.processor.beginAnew()
            isEntered = services.enter(cpu)
        }
        var exit = lastExit(cpu)
        // Each round adds a page or makes one writable, so there are few.
        while isEntered, let fault = exit.operandFault, cpu.pointee.standIn(for: fault, &standIns) {
            cpu.pointee.processor.beginAnew()
            isEntered = services.enter(cpu)
            exit = lastExit(cpu)
        }
        cpu.pointee.writeBack(&standIns, isExecuted: isEntered && exit == .monitorTrap)
        services.leadBack(false, cpu)
        _ = cpu.pointee.processor.trapInstruction(wasTrapped)
        if wasShadowed { cpu.pointee.returnToShadowTables() }
        guard isEntered else { return .refused }
        if exit == .monitorTrap, !wasTrapped {
            cpu.pointee.pending = .resume
            // A trap behind the instruction comes before what its writes have sent.
            cpu.pointee.unmasked.insert(.debugTrap, if: cpu.pointee.processor.isDebugTrapPending)
            complete(.resume, cpu)
            return .over
        }
        guard let fault = exit.operandFault, cpu.pointee.standsInFor(fault) else { return .interrupted }
        cpu.pointee.end(.unsupported(.instruction))
        return .over
    }

    /// The exit at which the guest stands: decoded in one place, since that is much code.
    @inline(never)
    static func lastExit(_ cpu: Pointer) -> Exit { cpu.pointee.processor.decodeExit() }

    /// Whether a page may stand in for the one of a fault. Where there is RAM, a debugger has protected it.
    private mutating func standsInFor(_ fault: NestedPageFault) -> Bool {
        guard !fault.duringWalk, !memory.contains(fault.address, count: 1) || isHidden(fault.address) else { return false }
        if board.pointee.testMemoryPage(fault.address.rawValue) != nil { return true }
        return !fault.isFetch && !processor.isDeliveringEvent
    }

    /// Puts a page where an access faulted.
    /// - Returns: false if there is nothing to put there, or no more room.
    private mutating func standIn(for fault: NestedPageFault, _ standIns: inout StandIns) -> Bool {
        guard standsInFor(fault) else { return false }
        let place = GuestPhysicalAddress(fault.address.rawValue & ~0xFFF)
        if let own = board.pointee.testMemoryPage(place.rawValue) {
            guard processor.map(place, to: own, .all, &standIns) else { return false }
            standInForNeighbor(of: fault.address, &standIns)
            return true
        }
        let hasRegisters = isLocalAPIC(place) || board.pointee.hasRegisters(at: place.rawValue)
        var number: Int
        if let found = standIns.find(place) {
            guard !standIns[found].isWritable else { return false }
            number = found
        } else {
            let page = StandIns.Page(place: place, hasRegisters: hasRegisters, isWritable: false)
            guard let added = standIns.add(page) else { return false }
            number = added
            standIns.content(number).initializeMemory(as: UInt8.self, repeating: 0xFF, count: 4096)
            if !hasRegisters { absentMemoryAccesses &+= 1 }
        }
        if hasRegisters { readRegisters(number, at: Int(fault.address.rawValue & 0xFFC), &standIns) }
        standIns[number].isWritable = fault.isWrite || !hasRegisters
        return processor.map(
            place, to: standIns.frame(number), standIns[number].isWritable ? .readsAndWrites : .reads, &standIns)
    }

    /// An operand that goes on in the next page, or a stack in the one before: an instruction that had written one page, or
    /// loaded registers from it, and faults at the next would begin anew from what it has changed.
    private mutating func standInForNeighbor(of address: GuestPhysicalAddress, _ standIns: inout StandIns) {
        let offset = address.rawValue & 0xFFF
        let reached = offset < Self.mostReach ? address.rawValue &- Self.mostReach : address.rawValue &+ Self.mostReach
        let neighbor = GuestPhysicalAddress(reached & ~0xFFF)
        guard neighbor.rawValue != address.rawValue & ~0xFFF, let own = board.pointee.testMemoryPage(neighbor.rawValue) else {
            return
        }
        _ = processor.map(neighbor, to: own, .all, &standIns)
    }

    /// How far an instruction reaches from the place of its first access, nearly always.
    private static var mostReach: UInt64 { 1024 }

    /// Reads what of a page's registers an access may reach that begins at an offset.
    private mutating func readRegisters(_ number: Int, at offset: Int, _ standIns: inout StandIns) {
        let content = standIns.content(number)
        standIns[number].window = offset
        for index in 0..<4 where offset + 4 * index < 4096 {
            let place = standIns[number].place.advanced(by: ByteCount(UInt64(offset + 4 * index)))
            let value = UInt32(truncatingIfNeeded: readDevice(place, size: 4))
            standIns[number].before[index] = value
            content.storeBytes(of: value, toByteOffset: offset + 4 * index, as: UInt32.self)
        }
    }

    /// Writes to registers what the instruction wrote: the first word of a write even if it is what was read there. All is as
    /// it was then.
    private mutating func writeBack(_ standIns: inout StandIns, isExecuted: Bool) {
        for number in 0..<standIns.count where standIns[number].hasRegisters && standIns[number].isWritable {
            let page = standIns[number]
            for index in 0..<4 where page.window + 4 * index < 4096 {
                let value = standIns.content(number).load(fromByteOffset: page.window + 4 * index, as: UInt32.self)
                guard value != page.before[index] || isExecuted && index == 0 else { continue }
                writeDevice(page.place.advanced(by: ByteCount(UInt64(page.window + 4 * index))), size: 4, UInt64(value))
            }
        }
        processor.unmap(&standIns)
    }
}

extension Exit {
    /// The nested page fault that the exit is, be it one of the APIC-access page.
    var operandFault: NestedPageFault? {
        switch self {
        case .nestedPageFault(let fault): fault
        case .virtualAPIC(.access(let offset, let isWrite, let isFetch)): .ofLocalAPIC(offset, isWrite: isWrite, isFetch: isFetch)
        default: nil
        }
    }
}
