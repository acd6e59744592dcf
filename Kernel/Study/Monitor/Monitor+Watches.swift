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
    /// - Parameter before: the general registers.
    public mutating func intercept<Access: VMCSAccess>(
        _ exit: Exit, _ processor: VMXProcessor<Access>, _ before: GeneralRegisters, protect: PageProtection
    ) -> Interception {
        if let displacedBreakpoint {
            return .stop("the guest's own use of the debug registers: breakpoints on addresses from \(displacedBreakpoint + 1) on are deleted")
        }
        if let metBreakpoint {
            let holds = breakpoints[metBreakpoint]?.condition?.holds(processor, before) ?? true
            return holds ? .stop("breakpoint \(metBreakpoint + 1)") : .resume
        }
        let wasLifted = lifted != nil
        guard case .nestedPageFault(let fault) = exit, isWatched(fault.address) else {
            if wasLifted {
                lifted = nil
                _ = applyWatches(protect)
            }
            return exit == .monitorTrap && !isCountingInstructions ? .resume : .none
        }
        // An event whose delivery made the access is delivered anew.
        if let event = processor.interruptedEvent { processor.inject(event) }
        // An instruction that reads and then writes is seen at both.
        var passed = lifted ?? PassedAccesses(reads: false, writes: false, fetches: false)
        passed.add(fault)
        lifted = passed
        _ = applyWatches(protect)
        for index in 0..<Monitor.breakpointCapacity {
            guard case .memory(let watch)? = breakpoints[index]?.kind, watch.matches(fault) else { continue }
            if breakpoints[index]?.condition?.holds(processor, before) ?? true { return .stop("breakpoint \(index + 1)") }
        }
        return .resume
    }

    private func isWatched(_ address: GuestPhysicalAddress) -> Bool {
        for index in 0..<Monitor.breakpointCapacity {
            guard case .memory(let watch)? = breakpoints[index]?.kind else { continue }
            if watch.pages.contains(address) { return true }
        }
        return false
    }

    /// Gives the pages of each watch their permissions: those that all watches of the page leave.
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
