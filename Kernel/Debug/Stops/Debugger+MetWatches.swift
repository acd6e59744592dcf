import Machine
import Memory
import VMX
import Virtualization

// Which stops an access hits.
//
// The EPT reports one address of an access, and does not see Martlet's own accesses at all. So the instruction is decoded, and
// everything that it is about to read and write is compared with the stops.

extension Debugger {
    /// The stops, one bit each, that an access hits.
    private mutating func stopsMet(by access: ForetoldAccess) -> UInt16 {
        var met: UInt16 = 0
        for index in 0..<Stop.capacity {
            if let watch = stops.watch(index), watch.meets(access) { met |= 1 << UInt16(index) }
        }
        return met
    }

    /// Those hit by an access that the EPT has stopped, by the address at which it stopped.
    mutating func stopsMet(by fault: NestedPageFault) -> UInt16 {
        guard fault.isFetch else {
            return stopsMet(
                by: ForetoldAccess(
                    first: fault.address.rawValue, last: fault.address.rawValue, isRead: fault.isRead, isWrite: fault.isWrite))
        }
        var met: UInt16 = 0
        for index in 0..<Stop.capacity {
            if let watch = stops.watch(index), watch.meetsFetch(at: fault.address) { met |= 1 << UInt16(index) }
        }
        return met
    }

    /// Those hit by the instruction that makes it, with an access of a kind that from now on passes: all of these pass.
    mutating func stopsMet<Access: VMCSAccess, Services: HostServices>(
        by fault: NestedPageFault, _ before: PassedAccesses, _ now: PassedAccesses,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> UInt16 {
        var met: UInt16 = 0
        // Table walks may come from the processor's caches, except for the entry it has reached and what follows.
        var isWalking = false
        cpu.pointee.foretellInstruction(withFetch: fault.duringWalk) { access in
            if access.isTable {
                guard fault.duringWalk else { return }
                isWalking = isWalking || access.first == fault.address.rawValue & ~3
                guard isWalking else { return }
            }
            var access = access
            access.isRead = access.isRead && now.reads && !before.reads
            access.isWrite = access.isWrite && now.writes && !before.writes
            met |= stopsMet(by: access)
        }
        return met
    }

    /// The stop that the guest hits before Martlet reads or writes its memory for an exit.
    mutating func meetOwnAccesses<Access: VMCSAccess, Services: HostServices>(
        of exit: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> StopReport.Cause? {
        guard !passesOwnAccesses, watchesData else { return nil }
        let passed = lifted ?? .none
        var met: UInt16 = 0
        cpu.pointee.foretellOwnAccesses(of: exit) { access in
            // What the processor itself has begun was checked then.
            var access = access
            access.isRead = access.isRead && (access.isLater || !passed.reads)
            access.isWrite = access.isWrite && (access.isLater || !passed.writes)
            met |= stopsMet(by: access)
        }
        return stop(at: met, cpu)
    }

    private var watchesData: Bool {
        mutating get {
            for index in 0..<Stop.capacity {
                if let watch = stops.watch(index), watch.kind != .fetch { return true }
            }
            return false
        }
    }

    /// Which of these stops the guest: the first whose condition holds.
    mutating func stop<Access: VMCSAccess, Services: HostServices>(
        at met: UInt16, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> StopReport.Cause? {
        for index in 0..<Stop.capacity where met >> UInt16(index) & 1 != 0 {
            if conditionHolds(index, cpu) { return .stop(UInt8(index + 1)) }
        }
        return nil
    }
}
