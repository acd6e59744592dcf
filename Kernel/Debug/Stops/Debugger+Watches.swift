import Machine
import Memory
import VMX
import Virtualization

// Stops on guest-physical memory: EPT permissions that are missing. For the one instruction that makes an access all are
// given back, and a step ends that.

/// Gives pages of the guest's memory these permissions, for good or for an instruction: only then large pages stay split. False,
/// and nothing is changed, if that cannot be.
public typealias PageProtection = (GuestPhysicalRange, PassedAccesses, _ isForGood: Bool) -> Bool

extension Debugger {
    /// What an exit is that stops and steps brought about.
    enum Interception {
        /// None.
        case none
        /// The guest goes on; the exit is none of its own.
        case resume
        /// A stop's access, which is still to be made.
        case stop(StopReport.Cause)
    }

    /// Looks at an exit before anybody handles it.
    mutating func intercept<Access: VMCSAccess, Services: HostServices>(
        _ exit: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ protect: PageProtection
    ) -> Interception {
        if let metAddress { return conditionHolds(metAddress, cpu) ? .stop(.stop(UInt8(metAddress + 1))) : .resume }
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
        if let displaced { return .stop(.displaced(from: UInt8(displaced + 1))) }
        // Shadow paging awaits segments behind each instruction.
        return exit == .monitorTrap && !isCountingInstructions && !cpu.pointee.awaitsSegments ? .resume : .none
    }

    /// Stops let something pass, for one instruction.
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
        var met = stopsMet(by: fault)
        if event == nil, !fault.isFetch { met |= stopsMet(by: fault, before, passed, cpu) }
        return stop(at: met, cpu).map { .stop($0) } ?? .resume
    }

    private mutating func isWatched(_ address: GuestPhysicalAddress) -> Bool {
        for index in 0..<Stop.capacity {
            guard let watch = stops.watch(index) else { continue }
            if watch.pages.contains(address) { return true }
        }
        return false
    }

    /// Gives the pages of each watch their permissions: those that all watches of the page leave. A guest that is started anew
    /// has new pages.
    /// - Returns: false if the EPT cannot have them.
    mutating func applyWatches(_ protect: PageProtection) -> Bool {
        for index in 0..<Stop.capacity {
            guard let watch = stops.watch(index) else { continue }
            var passed = PassedAccesses.all
            for other in 0..<Stop.capacity {
                guard let second = stops.watch(other), second.touches(watch) else { continue }
                passed.remove(second.kind)
            }
            if let lifted { passed.formUnion(lifted) }
            guard protect(watch.pages, passed, false) else { return false }
        }
        return true
    }
}
