import Machine
import Memory
import VMX
import Virtualization
import X86

// What the debugger does to the processor around the guest's run: steps and stops on addresses.

extension Debugger {
    /// The guest is to stop after an instruction.
    private var wantsStep: Bool { isPassing || lendsDebugRegisters || isCountingInstructions }

    /// The exceptions that exit, for the debugger or otherwise.
    private func wantedExceptions<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) -> UInt32 {
        var wanted = exceptionBitmap
        if traps.count > 0 { wanted |= 1 << UInt32(ExceptionVector.breakpoint.number) }
        if processor.usesShadowTables { wanted |= 1 << UInt32(ExceptionVector.pageFault.number) }
        return wanted
    }

    var isCountingInstructions: Bool {
        if case .instructions = goal { true } else { false }
    }

    mutating func arm<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) {
        let processor = cpu.pointee.processor
        watchRegisters(processor)
        var exceptions = wantedExceptions(processor)
        let usesDebugRegisters = addressCount > 0 && !lendsDebugRegisters
        if usesDebugRegisters {
            loadAddresses(cpu)
            exceptions |= ExceptionVector.debug.bit
        }
        let steps = wantsStep
        if steps, !hasTrapFlag {
            trapFlagStep.arm(cpu, fetchStops: fetchStops(cpu))
            exceptions = ~ExceptionVector.nonMaskableInterrupt.bit
        }
        let controls = processor.vmcs[.primaryControls]
        let wanted = controls.setting(.movDRExiting, to: usesDebugRegisters)
            .setting(.monitorTrapFlag, to: steps && hasTrapFlag || cpu.pointee.awaitsSegments)
        if wanted != controls { processor.vmcs[.primaryControls] = wanted }
        if processor.vmcs[.exceptionBitmap] != exceptions { processor.vmcs[.exceptionBitmap] = exceptions }
    }

    /// Puts the guest's own state back after a VM exit.
    /// - Returns: what the exit is for whatever comes next: the end of a step is always `monitorTrap`. Nil if it means nothing,
    ///   and the guest goes on.
    mutating func finishEntry<Access: VMCSAccess, Services: HostServices>(
        _ seen: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> Exit? {
        metAddress = nil
        displaced = nil
        // The guest is at its end, and why is explained from the state that the processor refused.
        if case .failedEntry = seen { return seen }
        releaseRegisters(seen, cpu)
        let wasLoaded = addressBreakpoints.isLoaded
        addressBreakpoints.unload(cpu)
        let result = trapFlagStep.disarm(seen, cpu)
        hasDelivered = result.isDelivered
        let wasLent = lendsDebugRegisters
        lendsDebugRegisters = false
        var exit: Exit? = result.isDone ? .monitorTrap : seen
        if case .exception(let exception) = seen {
            exit = sort(exception, result, wasLoaded, cpu)
        } else if case .debugRegister = seen, wasLoaded {
            // The instruction is executed with the guest's own registers, and stepped over.
            lendsDebugRegisters = true
            return nil
        }
        if wasLent, exit == .monitorTrap { displaceAddresses(beside: cpu.pointee.processor.debugRegister7) }
        return exit
    }

    /// Divides an exception between the guest and the debugger, which may have made it exit.
    private mutating func sort<Access: VMCSAccess, Services: HostServices>(
        _ exception: ExceptionExit, _ result: TrapFlagStep.Result, _ usesDebugRegisters: Bool,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> Exit? {
        var exception = exception
        if exception.vector == .debug, exception.kind == .exception {
            let bits = exception.qualification & ~result.ownBits
            if usesDebugRegisters, !result.isDone { meetAddresses(bits, cpu) }
            exception.qualification = usesDebugRegisters ? addressBreakpoints.guestBits(of: bits) : bits
            guard AddressBreakpoints.areReason(exception.qualification, with: cpu.pointee.processor.debugRegister7) else {
                if result.isDone { return .monitorTrap }
                guard metAddress != nil else { return nil }
                cpu.pointee.processor.flags = cpu.pointee.processor.flags | .resume
                return .exception(exception)
            }
        }
        let isAwaited = result.isDone || metAddress != nil
        if wantedExceptions(cpu.pointee.processor) & exception.vector.bit != 0, !isAwaited {
            return .exception(exception)
        }
        let outcome = cpu.pointee.reflect(exception)
        if case .end = outcome { return .exception(exception) }
        VirtualCPU<VMXProcessor<Access>, Services>.complete(outcome, cpu)
        return result.isDone ? .monitorTrap : isAwaited ? .exception(exception) : nil
    }

    // MARK: Stops on addresses

    /// Records the first stop that was hit and whose condition holds; else one whose condition does not.
    private mutating func meetAddresses<Access: VMCSAccess, Services: HostServices>(
        _ bits: UInt64, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) {
        for number in 0..<AddressBreakpoints.capacity {
            guard let index = addressBreakpoints.breakpoint(number, meeting: bits) else { continue }
            metAddress = index
            if conditionHolds(index, cpu) { return }
        }
    }

    /// Whether a breakpoint on the instruction at RIP must be hit before it is executed.
    private mutating func fetchStops<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> Bool {
        let processor = cpu.pointee.processor
        if !processor.flags.contains(.resume), AddressBreakpoints.stops(at: cpu.pointee.linearCodeAddress, cpu) { return true }
        guard lifted?.fetches != true, let place = cpu.pointee.locateInstruction() else { return false }
        for index in 0..<Stop.capacity {
            guard let watch = stops.watch(index) else { continue }
            if watch.kind == .fetch, watch.pages.contains(place) { return true }
        }
        return false
    }

    var addressCount: Int {
        mutating get {
            var count = 0
            for index in 0..<Stop.capacity {
                if case .address? = stops.kind(index) { count += 1 }
            }
            return count
        }
    }

    private mutating func loadAddresses<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) {
        addressBreakpoints.beginLoading(cpu)
        for index in 0..<Stop.capacity {
            guard case .address(let address)? = stops.kind(index) else { continue }
            addressBreakpoints.load(index, at: address, cpu)
        }
    }

    /// Whether the guest leaves enough debug registers free.
    mutating func hasRoomForAddresses(beside control: DebugRegister7, more: Int = 0) -> Bool {
        addressCount + more <= AddressBreakpoints.freeCount(beside: control)
    }

    /// The guest has enabled breakpoints of its own: the debugger's last ones are deleted if there is no room left for them.
    private mutating func displaceAddresses(beside control: DebugRegister7) {
        for index in (0..<Stop.capacity).reversed() where !hasRoomForAddresses(beside: control) {
            guard case .address? = stops.kind(index) else { continue }
            stops.clear(index)
            displaced = index
        }
    }

    /// Lets the guest go on from where it is: a stop there has already stopped it.
    mutating func passAddress<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) {
        let processor = cpu.pointee.processor
        let place = cpu.pointee.linearCodeAddress
        for index in 0..<Stop.capacity where stops.kind(index) == .address(place) {
            processor.flags = processor.flags | .resume
        }
    }
}
