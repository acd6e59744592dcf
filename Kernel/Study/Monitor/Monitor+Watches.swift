import Machine
import Memory
import Text
import VMX
import Virtualization

// Breakpoints on guest-physical memory: EPT permissions that are missing. For the one instruction that makes an access all are
// given back, and a step ends that.

/// Gives pages of the guest's memory these permissions, for good or for an instruction: only then large pages stay split. False,
/// and nothing is changed, if that cannot be.
public typealias PageProtection = (GuestPhysicalRange, PassedAccesses, _ isForGood: Bool) -> Bool

extension Monitor {
    /// What an exit is that the monitor's own breakpoints and steps brought about.
    public enum Interception {
        /// None.
        case none
        /// The guest goes on; the exit is none of its own.
        case resume
        /// A breakpoint's access, which is still to be made.
        case stop(Line)
    }

    /// Looks at an exit before anybody handles it.
    public mutating func intercept<Access: VMCSAccess, Services: HostServices>(
        _ exit: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, protect: PageProtection
    ) -> Interception {
        metDebugWatch = nil
        if let metBreakpoint {
            let holds = breakpoints[metBreakpoint]?.condition?.holds(cpu.pointee.processor, cpu.pointee.registers) ?? true
            return holds ? .stop("breakpoint \(metBreakpoint + 1)") : .resume
        }
        if let watchedRegister { return pass(watchedRegister, cpu) }
        if case .nestedPageFault(let fault) = exit, isWatched(fault.address) { return pass(fault, cpu, protect) }
        if let met = meetOwnAccesses(of: exit, cpu) {
            passesOwnAccesses = true
            return .stop(met)
        }
        // At an exit between two instructions, such as a host's interrupt, an instruction's access is still to be made.
        if isPassing, hasDelivered || !exit.isBetweenInstructions {
            endPassing()
            _ = applyWatches(protect)
        }
        if let displacedBreakpoint {
            return .stop("the guest's own use of the debug registers: breakpoints on addresses from \(displacedBreakpoint + 1) on are deleted")
        }
        return exit == .monitorTrap && !isCountingInstructions ? .resume : .none
    }

    /// Breakpoints let something pass, for one instruction.
    var isPassing: Bool { lifted != nil || passedRegister != nil || passesOwnAccesses }

    mutating func endPassing() {
        lifted = nil
        passedRegister = nil
        passesOwnAccesses = false
    }

    /// An access that the EPT have stopped is made when the guest goes on.
    private mutating func pass<Access: VMCSAccess, Services: HostServices>(
        _ fault: NestedPageFault, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        _ protect: PageProtection
    ) -> Interception {
        let processor = cpu.pointee.processor
        // An event whose delivery made the access is delivered anew.
        let event = processor.interruptedEvent
        if let event { processor.inject(event) }
        // An instruction that reads and then writes is seen at both.
        let before = lifted ?? .none
        var passed = before
        passed.add(fault)
        lifted = passed
        _ = applyWatches(protect)
        var met = breakpoints(meeting: fault)
        if event == nil, !fault.isFetch { met |= breakpoints(meeting: fault, before, passed, cpu) }
        return stop(at: met, processor, cpu.pointee.registers).map { .stop($0) } ?? .resume
    }

    private func isWatched(_ address: GuestPhysicalAddress) -> Bool {
        for index in 0..<Monitor.breakpointCapacity {
            guard case .memory(let watch)? = breakpoints[index]?.kind else { continue }
            if watch.pages.contains(address) { return true }
        }
        return false
    }

    /// Gives the pages of each watch their permissions: those that all watches of the page leave. A guest that is started anew
    /// has new pages.
    /// - Returns: false if the EPT cannot have them.
    func applyWatches(_ protect: PageProtection) -> Bool {
        for index in 0..<Monitor.breakpointCapacity {
            guard case .memory(let watch)? = breakpoints[index]?.kind else { continue }
            var passed = PassedAccesses.all
            for other in 0..<Monitor.breakpointCapacity {
                guard case .memory(let second)? = breakpoints[other]?.kind, second.touches(watch) else { continue }
                passed.remove(second.kind)
            }
            if let lifted { passed.formUnion(lifted) }
            guard protect(watch.pages, passed, false) else { return false }
        }
        return true
    }
}
