import Machine
import Memory
import Text
import VMX
import Virtualization
import X86

// What the monitor does to the processor around the guest's run: steps and breakpoints on addresses.

extension Monitor {
    /// The guest is to stop after an instruction.
    private var wantsStep: Bool { isPassing || lendsDebugRegisters || isCountingInstructions }

    var isCountingInstructions: Bool {
        if case .instructions = goal { true } else { false }
    }

    /// Readies the processor for a VM entry, when all is decided that it delivers.
    public mutating func prepareEntry<Access: VMCSAccess, Host: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) {
        let processor = cpu.pointee.processor
        watchRegisters(processor)
        var exceptions = exceptionBitmap
        let usesDebugRegisters = addressBreakpointCount > 0 && !lendsDebugRegisters
        if usesDebugRegisters {
            loadAddressBreakpoints(cpu)
            exceptions |= 1 << UInt32(ExceptionVector.debug.number)
        }
        let steps = wantsStep
        if steps, !hasTrapFlag {
            trapFlagStep.arm(cpu, fetchStops: fetchStops(cpu))
            exceptions = .max & ~(1 << 2)
        }
        let controls = processor.vmcs[.primaryControls]
        let wanted = controls.setting(.movDRExiting, to: usesDebugRegisters)
            .setting(.monitorTrapFlag, to: steps && hasTrapFlag)
        if wanted != controls { processor.vmcs[.primaryControls] = wanted }
        if processor.vmcs[.exceptionBitmap] != exceptions { processor.vmcs[.exceptionBitmap] = exceptions }
    }

    /// Puts the guest's own state back after a VM exit.
    /// - Returns: what the exit is for whoever comes next: the end of a step is always `monitorTrap`. Nil if it is nothing to
    ///   anybody, and the guest goes on.
    public mutating func finishEntry<Access: VMCSAccess, Host: HostServices>(
        _ seen: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) -> Exit? {
        metBreakpoint = nil
        displacedBreakpoint = nil
        // The guest is at its end, and why is explained from the state that the processor refused.
        if case .unexpected(let reason) = seen, reason >> 31 != 0 { return seen }
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
        if wasLent, exit == .monitorTrap { displaceBreakpoints(beside: cpu.pointee.processor.debugRegister7) }
        return exit
    }

    /// Divides an exception between the guest and the monitor, which may have had it exit.
    private mutating func sort<Access: VMCSAccess, Host: HostServices>(
        _ exception: ExceptionExit, _ result: TrapFlagStep.Result, _ usesDebugRegisters: Bool,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) -> Exit? {
        var exception = exception
        if exception.vector == .debug, exception.kind == .exception {
            let bits = exception.qualification & ~result.ownBits
            if usesDebugRegisters, !result.isDone { meetBreakpoints(bits, cpu) }
            exception.qualification = usesDebugRegisters ? addressBreakpoints.guestBits(of: bits) : bits
            guard AddressBreakpoints.areReason(exception.qualification, with: cpu.pointee.processor.debugRegister7) else {
                if result.isDone { return .monitorTrap }
                guard metBreakpoint != nil else { return nil }
                cpu.pointee.processor.flags = cpu.pointee.processor.flags | .resume
                return .exception(exception)
            }
        }
        let isAwaited = result.isDone || metBreakpoint != nil
        if exceptionBitmap >> UInt32(exception.vector.number) & 1 != 0, !isAwaited { return .exception(exception) }
        let outcome = cpu.pointee.reflect(exception)
        if case .end = outcome { return .exception(exception) }
        VirtualCPU<VMXProcessor<Access>, Host>.complete(outcome, cpu)
        return result.isDone ? .monitorTrap : isAwaited ? .exception(exception) : nil
    }

    // MARK: Breakpoints on addresses

    /// Takes down the first breakpoint that was met and whose condition holds; else one whose does not.
    private mutating func meetBreakpoints<Access: VMCSAccess, Host: HostServices>(
        _ bits: UInt64, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) {
        for number in 0..<AddressBreakpoints.capacity {
            guard let index = addressBreakpoints.breakpoint(number, meeting: bits) else { continue }
            metBreakpoint = index
            if breakpoints[index]?.condition?.holds(cpu.pointee.processor, cpu.pointee.registers) ?? true { return }
        }
    }

    /// Whether the instruction at RIP is not to be executed before a breakpoint on it was met.
    private func fetchStops<Access: VMCSAccess, Host: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) -> Bool {
        let processor = cpu.pointee.processor
        if !processor.flags.contains(.resume), AddressBreakpoints.stops(at: codeAddress(processor), cpu) { return true }
        guard lifted?.fetches != true, let place = cpu.pointee.locateInstruction() else { return false }
        for index in 0..<Monitor.breakpointCapacity {
            guard case .memory(let watch)? = breakpoints[index]?.kind else { continue }
            if watch.kind == .fetch, watch.pages.contains(place) { return true }
        }
        return false
    }

    /// The linear address of the instruction at RIP.
    private func codeAddress<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) -> UInt64 {
        let is64Bit = processor.mode.is64Bit
        return ((is64Bit ? 0 : processor.segment(.cs).base) &+ processor.instructionPointer) & (is64Bit ? .max : 0xFFFF_FFFF)
    }

    var addressBreakpointCount: Int {
        var count = 0
        for index in 0..<Monitor.breakpointCapacity {
            if case .address? = breakpoints[index]?.kind { count += 1 }
        }
        return count
    }

    private mutating func loadAddressBreakpoints<Access: VMCSAccess, Host: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>
    ) {
        addressBreakpoints.beginLoading(cpu)
        for index in 0..<Monitor.breakpointCapacity {
            guard case .address(let address)? = breakpoints[index]?.kind else { continue }
            addressBreakpoints.load(index, at: address, cpu)
        }
    }

    /// Whether the guest leaves enough debug registers free.
    func hasRoomForBreakpoints(beside control: UInt64, more: Int = 0) -> Bool {
        addressBreakpointCount + more <= AddressBreakpoints.freeCount(beside: control)
    }

    /// The guest has enabled breakpoints of its own: the monitor's last ones are deleted if there is no room beside them.
    private mutating func displaceBreakpoints(beside control: UInt64) {
        for index in (0..<Monitor.breakpointCapacity).reversed() where !hasRoomForBreakpoints(beside: control) {
            guard case .address? = breakpoints[index]?.kind else { continue }
            breakpoints[index] = nil
            debugWatches[index] = nil
            displacedBreakpoint = index
        }
    }

    /// The guest is let run where it stands: a breakpoint there has stopped it already.
    public func passBreakpoint<Access: VMCSAccess>(_ processor: VMXProcessor<Access>) {
        let place = codeAddress(processor)
        for index in 0..<Monitor.breakpointCapacity where breakpoints[index]?.kind == .address(place) {
            processor.flags = processor.flags | .resume
        }
    }
}

extension Exit {
    /// The guest executed nothing for it.
    var isBetweenInstructions: Bool {
        switch self {
        case .externalInterrupt, .nonMaskableInterrupt, .timerExpired, .interruptWindow, .nonMaskableInterruptWindow: true
        default: false
        }
    }
}
