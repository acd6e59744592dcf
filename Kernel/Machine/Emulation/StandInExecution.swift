import Devices
import Memory
import Virtualization
import X86

// Instructions on devices and absent memory that Martlet does not emulate itself: the processor executes them, on pages
// that stand in for the devices until the monitor trap flag stops it after the one instruction. So any instruction works,
// in any mode, with all its faults, breakpoints and other effects.
//
// A page of absent memory holds ones. The test device's memory stands in for itself. A page of registers is filled where the
// instruction accesses it, is read-only at first, so that the first write tells its place, and is written back afterwards.

/// How the attempt to execute an instruction ended.
enum Execution {
    /// All is done.
    case over
    /// Another exit came first, which is not handled yet.
    case interrupted
    /// The guest could not be entered.
    case refused
}

extension VirtualCPU {
    /// Executes the instruction at whose nested page fault the guest stopped, with its consequences. If another exit comes
    /// before its end, it is begun again later.
    @inline(never)
    static func execute<Services: RunLoopServices>(_ cpu: Pointer, _ services: inout Services) -> Execution
    where Services.Processor == Processor, Services.Host == Host {
        guard var standIns = services.standIns() else {
            cpu.pointee.end(.unsupported(.instruction))
            return .over
        }
        // Without nested tables the stand-ins are in the shadow tables.
        let wasShadowed = cpu.pointee.leaveShadowTables()
        let instruction = cpu.pointee.flagInstruction
        let wasTrapped = cpu.pointee.processor.trapInstruction(true)
        services.leadBack(true, cpu)
        var isEntered = true
        if wasShadowed {
            // It also faults under nested tables.
            cpu.pointee.processor.beginAnew()
            isEntered = services.enter(cpu)
        }
        var exit = lastExit(cpu)
        // Each round adds a page or makes one writable, so there are few.
        while isEntered, let fault = cpu.pointee.operandFault(of: exit), cpu.pointee.standIn(for: fault, &standIns) {
            cpu.pointee.processor.beginAnew()
            isEntered = services.enter(cpu)
            exit = cpu.pointee.processor.distinguishTrap(lastExit(cpu))
        }
        cpu.pointee.writeBack(&standIns, isExecuted: isEntered && (exit == .monitorTrap || exit.isSingleStep))
        services.leadBack(false, cpu)
        let flags = cpu.pointee.processor.flags
        _ = cpu.pointee.processor.trapInstruction(wasTrapped)
        if exit == .monitorTrap { cpu.pointee.settleFlags(instruction, flags) }
        if wasShadowed { cpu.pointee.returnToShadowTables() }
        guard isEntered else { return .refused }
        if exit == .monitorTrap, !wasTrapped {
            cpu.pointee.pending = .resume
            // A trap after the instruction comes before what its writes have sent.
            cpu.pointee.unmasked.insert(.debugTrap, if: cpu.pointee.processor.isDebugTrapPending)
            complete(.resume, cpu)
            return .over
        }
        guard let fault = cpu.pointee.operandFault(of: exit), cpu.pointee.standsInFor(fault.nested) else { return .interrupted }
        cpu.pointee.end(.unsupported(.instruction))
        return .over
    }

    /// The exit at which the guest stands: decoded in one place, since that is a lot of code.
    @inline(never)
    static func lastExit(_ cpu: Pointer) -> Exit { cpu.pointee.processor.decodeExit() }

    /// What the instruction does with the flags, if they show Martlet's own trap flag.
    private var flagInstruction: FlagInstruction {
        mutating get {
            guard processor.stepsByTrapFlag else { return .other }
            let mode = processor.mode
            return FlagInstruction(fetchInstruction(in: mode), in: mode)
        }
    }

    /// Gives what PUSHF has stored the guest's own RFLAGS.TF, and likewise the flags that POPF and IRET have loaded.
    private mutating func settleFlags(_ instruction: FlagInstruction, _ flags: RFlags) {
        switch instruction {
        case .store where !processor.flags.contains(.trap): clearStoredTrapFlag()
        case .load: processor.flags = flags
        default: break
        }
    }

    /// Whether a page may stand in for the one that faulted. Where there is RAM, a debugger has protected it.
    private mutating func standsInFor(_ fault: NestedPageFault) -> Bool {
        guard !fault.duringWalk, !memory.contains(fault.address, count: 1) || isHidden(fault.address) else { return false }
        if board.pointee.testMemoryPage(fault.address.rawValue) != nil { return true }
        return !fault.isFetch && !processor.isDeliveringEvent
    }

    /// Puts a page where an access faulted.
    /// - Returns: false if there is nothing to put there, or no room left.
    private mutating func standIn(for operand: OperandFault, _ standIns: inout StandIns) -> Bool {
        let fault = operand.nested
        guard standsInFor(fault) else { return false }
        let place = GuestPhysicalAddress(fault.address.rawValue & ~0xFFF)
        if let own = board.pointee.testMemoryPage(place.rawValue) {
            guard processor.map(place, at: operand.linear, to: own, .all, &standIns) else { return false }
            standInForNeighbor(of: operand, &standIns)
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
            place, at: operand.linear, to: standIns.frame(number), standIns[number].isWritable ? .readsAndWrites : .reads,
            &standIns)
    }

    /// An operand that continues in the next page, or a stack in the one before: an instruction that wrote one page, or loaded
    /// registers from it, and faults at the next would start again from what it has changed.
    private mutating func standInForNeighbor(of operand: OperandFault, _ standIns: inout StandIns) {
        let offset = operand.nested.address.rawValue & 0xFFF
        let reach = offset < Self.mostReach ? 0 &- Self.mostReach : Self.mostReach
        var neighbor = GuestPhysicalAddress((operand.nested.address.rawValue &+ reach) & ~0xFFF)
        let linear = GuestVirtualAddress(operand.linear.rawValue &+ reach)
        guard neighbor.rawValue != operand.nested.address.rawValue & ~0xFFF else { return }
        if !processor.hasNestedTables {
            let fault = host.readPageFaultAddress()
            defer { host.loadPageFaultAddress(fault) }
            guard case .page(let address) = translate(linear, .read, through: .ds) else { return }
            neighbor = GuestPhysicalAddress(address.rawValue & ~0xFFF)
        }
        guard let own = board.pointee.testMemoryPage(neighbor.rawValue) else { return }
        _ = processor.map(neighbor, at: linear, to: own, .all, &standIns)
    }

    /// How far an instruction nearly always reaches from its first access.
    private static var mostReach: UInt64 { 1024 }

    /// Reads those of a page's registers that an access from an offset on may reach.
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

    /// Writes to registers what the instruction wrote: the first word of a write even if it equals what was read there.
    /// Everything is as it was then.
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

/// An access to something other than RAM, and the linear address that led there, where shadow tables alone translate.
struct OperandFault {
    var nested: NestedPageFault
    var linear: GuestVirtualAddress
}

extension VirtualCPU {
    /// What an exit tells about an access to something other than RAM.
    mutating func operandFault(of exit: Exit) -> OperandFault? {
        if let fault = exit.operandFault { return OperandFault(nested: fault, linear: GuestVirtualAddress(0)) }
        guard !processor.hasNestedTables, case .exception(let exception) = exit, exception.vector == .pageFault,
            !exception.kind.isSoftware
        else { return nil }
        let request = requestedAccess(exception)
        guard case .page(let address) = translate(request.address, request.access, through: .ds), isNoRAM(address) else {
            return nil
        }
        return OperandFault(nested: .ofPageFault(address, request.access.kind), linear: request.address)
    }
}

extension Exit {
    /// The exit as a nested page fault, also for the APIC-access page.
    var operandFault: NestedPageFault? {
        switch self {
        case .nestedPageFault(let fault): fault
        case .virtualAPIC(.access(let offset, let isWrite, let isFetch)): .ofLocalAPIC(offset, isWrite: isWrite, isFetch: isFetch)
        default: nil
        }
    }

    /// The trap after an instruction that the guest's own RFLAGS.TF has raised.
    fileprivate var isSingleStep: Bool {
        if case .exception(let exception) = self, exception.vector == .debug { return exception.isSingleStep }
        return false
    }
}
