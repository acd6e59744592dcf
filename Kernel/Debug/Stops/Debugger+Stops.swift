import Machine
import Memory
import VMX
import Virtualization

extension Debugger {
    /// Sets a stop.
    /// - Returns: its number.
    mutating func set<Access: VMCSAccess, Services: HostServices>(
        _ stop: Stop, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ protect: PageProtection
    ) throws(AgentFailure) -> UInt8 {
        switch stop.kind {
        case .memory(let watch):
            guard cpu.pointee.machine.pointee.shadow == nil else { throw AgentFailure(.noWatchesOfMemory) }
            let size = cpu.pointee.guestMemory.size.bytes
            guard watch.last < size else { throw AgentFailure(.beyondMemory, size) }
        case .address(let address):
            // Linear addresses have 57 bits at most, and the others repeat the highest.
            guard (Int64(bitPattern: address) << 7) >> 7 == Int64(bitPattern: address) else {
                throw AgentFailure(.notCanonical)
            }
            guard hasRoomForAddresses(beside: cpu.pointee.processor.debugRegister7, more: 1) else {
                throw AgentFailure(.noDebugRegister, UInt64(addressCount))
            }
        default: break
        }
        for index in 0..<Stop.capacity where stops.kind(index) == nil {
            stops.set(index, to: stop)
            guard applyWatches(protect) else {
                _ = release(index, protect)
                throw AgentFailure(.noNestedPages)
            }
            return UInt8(index + 1)
        }
        throw AgentFailure(.noRoom, UInt64(Stop.capacity))
    }

    mutating func delete(_ number: UInt8, _ protect: PageProtection) throws(AgentFailure) {
        guard stops.kind(Int(number) - 1) != nil else { throw AgentFailure(.noSuchStop) }
        guard release(Int(number) - 1, protect) else { throw AgentFailure(.noNestedPages) }
    }

    mutating func deleteAll(_ protect: PageProtection) throws(AgentFailure) {
        var isDone = true
        for index in 0..<Stop.capacity where stops.kind(index) != nil { isDone = release(index, protect) && isDone }
        guard isDone else { throw AgentFailure(.noNestedPages) }
    }

    /// Removes a stop, and restores its memory's permissions.
    private mutating func release(_ index: Int, _ protect: PageProtection) -> Bool {
        let kind = stops.kind(index)
        stops.clear(index)
        guard case .memory(let watch)? = kind else { return true }
        return protect(watch.pages, .all, true) && applyWatches(protect)
    }
}
