import Machine
import Memory
import VMX
import Virtualization

// Stops on guest-physical memory: removed EPT permissions. For the one instruction that makes an access all are restored,
// and a step ends that.

/// Gives pages of the guest's memory these permissions, for good or for one instruction: only in the latter case do large pages
/// stay split. False, with nothing changed, if that is impossible.
public typealias PageProtection = (GuestPhysicalRange, PassedAccesses, _ isForGood: Bool) -> Bool

extension Debugger {
    /// What an exit means that stops and steps caused.
    enum Interception {
        /// None.
        case none
        /// The guest goes on; the exit is not its own.
        case resume
        /// A stop's access, which is still to be made.
        case stop(StopReport.Cause)
    }

    /// Inspects an exit before it is handled.
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
        // At an exit between two instructions, such as a host interrupt, an instruction's access is still to be made.
        if isPassing, hasDelivered || !exit.isBetweenInstructions {
            endPassing()
            _ = applyWatches(protect)
        }
        if let displaced { return .stop(.displaced(from: UInt8(displaced + 1))) }
        // Shadow paging waits for segments after each instruction.
        return exit == .monitorTrap && !isCountingInstructions && !cpu.pointee.awaitsSegments ? .resume : .none
    }

    /// Stops let something pass, for one instruction.
    var isPassing: Bool { lifted != nil || passedRegister != nil || passesOwnAccesses }

    mutating func endPassing() {
        lifted = nil
        passedRegister = nil
        passesOwnAccesses = false
    }

    /// An access that the EPT has stopped is made when the guest goes on.
    private mutating func pass<Access: VMCSAccess, Services: HostServices>(
        _ fault: NestedPageFault, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        _ protect: PageProtection
    ) -> Interception {
        let processor = cpu.pointee.processor
        // An event whose delivery made the access is delivered again.
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

    /// Gives the pages of each watch their permissions: those that all watches on the page leave. A restarted guest has new
    /// pages.
    /// - Returns: false if the EPT cannot express them.
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
