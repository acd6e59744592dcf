import Machine
import Memory
import Text
import VMX
import Virtualization

// Which breakpoints an access meets.
//
// The EPT tell one address of an access, and Martlet's own accesses they do not see at all. So the instruction is decoded, and
// all that it is about to read and write is compared with the breakpoints.

extension Monitor {
    /// The breakpoints, a bit each, that an access meets.
    private func breakpoints(meeting access: ForetoldAccess) -> UInt16 {
        var met: UInt16 = 0
        for index in 0..<Monitor.breakpointCapacity {
            if case .memory(let watch)? = breakpoints[index]?.kind, watch.meets(access) { met |= 1 << UInt16(index) }
        }
        return met
    }

    /// Those that the access meets which the EPT have stopped, by the address that it is stopped at.
    func breakpoints(meeting fault: NestedPageFault) -> UInt16 {
        guard fault.isFetch else {
            return breakpoints(
                meeting: ForetoldAccess(
                    first: fault.address.rawValue, last: fault.address.rawValue, isRead: fault.isRead, isWrite: fault.isWrite))
        }
        var met: UInt16 = 0
        for index in 0..<Monitor.breakpointCapacity {
            if case .memory(let watch)? = breakpoints[index]?.kind, watch.meetsFetch(at: fault.address) { met |= 1 << UInt16(index) }
        }
        return met
    }

    /// Those that the instruction meets which makes it, with an access of a kind that passes from now on: all of these pass.
    func breakpoints<Access: VMCSAccess, Services: HostServices>(
        meeting fault: NestedPageFault, _ before: PassedAccesses, _ now: PassedAccesses,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> UInt16 {
        var met: UInt16 = 0
        // Tables may be walked in the processor's caches, but for what it has come to and what is behind that.
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
            met |= breakpoints(meeting: access)
        }
        return met
    }

    /// The breakpoint that stops the guest before Martlet reads or writes its memory for an exit, in words.
    mutating func meetOwnAccesses<Access: VMCSAccess, Services: HostServices>(
        of exit: Exit, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> Line? {
        guard !passesOwnAccesses, watchesData else { return nil }
        let passed = lifted ?? .none
        var met: UInt16 = 0
        cpu.pointee.foretellOwnAccesses(of: exit) { access in
            // What the processor itself has begun was looked at then.
            var access = access
            access.isRead = access.isRead && (access.isLater || !passed.reads)
            access.isWrite = access.isWrite && (access.isLater || !passed.writes)
            met |= breakpoints(meeting: access)
        }
        return stop(at: met, cpu.pointee.processor, cpu.pointee.registers)
    }

    private var watchesData: Bool {
        for index in 0..<Monitor.breakpointCapacity {
            if case .memory(let watch)? = breakpoints[index]?.kind, watch.kind != .fetch { return true }
        }
        return false
    }

    /// By which of these breakpoints the guest stops, in words: the first whose condition holds.
    mutating func stop<Access: VMCSAccess>(
        at met: UInt16, _ processor: VMXProcessor<Access>, _ before: GeneralRegisters
    ) -> Line? {
        var words: Line?
        for index in 0..<Monitor.breakpointCapacity where met >> UInt16(index) & 1 != 0 {
            guard breakpoints[index]?.condition?.holds(processor, before) ?? true else { continue }
            if words == nil { words = "breakpoint \(index + 1)" }
            if metDebugWatch == nil { metDebugWatch = debugWatches[index] }
        }
        return words
    }
}
