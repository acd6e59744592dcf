import Machine
import Memory
import VMX
import Virtualization
import X86

// Requests that change what stops the guest, and what it receives.

extension Agent {
    @inline(never)
    mutating func change<Access: VMCSAccess, Services: HostServices>(
        _ request: Request, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        _ host: some AgentHost
    ) throws(AgentFailure) {
        func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, _ isForGood: Bool) -> Bool {
            host.protect(range, passed, isForGood: isForGood)
        }
        switch request {
        case .setStop(let stop): message.append(try debugger.set(stop, cpu, protect))
        case .deleteStop(let number): try debugger.delete(number, protect)
        case .deleteAllStops: try debugger.deleteAll(protect)
        case .setTrap(let physical):
            let place = GuestPhysicalAddress(physical)
            guard cpu.pointee.guestMemory.contains(place, count: 1) else { throw AgentFailure(.noMemory, physical) }
            guard debugger.traps.insert(place) else { throw AgentFailure(.noRoom, UInt64(Traps.capacity)) }
        case .deleteTrap(let physical):
            guard debugger.traps.remove(GuestPhysicalAddress(physical)) else { throw AgentFailure(.noSuchStop) }
        default: debugger.traps.removeAll()
        }
    }

    /// An event for the next VM entry, which must not have one yet.
    @inline(never)
    mutating func inject<Access: VMCSAccess, Services: HostServices>(
        _ event: Event, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) throws(AgentFailure) {
        guard guest == .stands else { throw AgentFailure(.hasEnded) }
        let processor = cpu.pointee.processor
        try check(event)
        guard processor.entryEvent == 0 else { throw AgentFailure(.eventPending) }
        switch event.kind {
        case .externalInterrupt:
            guard processor.canTakeInterrupt, !processor.isDebugTrapPending else { throw AgentFailure(.interruptsBlocked) }
        case .nonMaskableInterrupt:
            guard !processor.blockedEvents.contains(.nonMaskableInterrupt), !processor.isDebugTrapPending else {
                throw AgentFailure(.nonMaskableInterruptsBlocked)
            }
        default: break
        }
        processor.inject(event)
    }

    /// Checks that the interrupt, exception or NMI is one that exists.
    private func check(_ event: Event) throws(AgentFailure) {
        switch event.kind {
        case .externalInterrupt:
            guard event.vector >= 32 else { throw AgentFailure(.badVector) }
            guard event.errorCode == nil else { throw AgentFailure(.badErrorCode) }
        case .nonMaskableInterrupt:
            guard event.vector == 2 else { throw AgentFailure(.badVector) }
            guard event.errorCode == nil else { throw AgentFailure(.badErrorCode) }
        case .exception:
            guard event.vector < 32, event.vector != 2 else { throw AgentFailure(.badVector) }
            guard ExceptionVector(event.vector).hasErrorCode == (event.errorCode != nil) else {
                throw AgentFailure(event.errorCode == nil ? .needsErrorCode : .badErrorCode)
            }
            guard event.errorCode ?? 0 <= 0x7FFF else { throw AgentFailure(.badErrorCode) }
        case .softwareInterrupt, .privilegedSoftwareException, .softwareException: throw AgentFailure(.badVector)
        }
    }

    /// Types on the guest's COM1 as much as there is room for.
    @inline(never)
    mutating func type<Access: VMCSAccess, Services: HostServices>(
        _ bytes: UnsafeRawBufferPointer, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        _ host: some AgentHost
    ) throws(AgentFailure) {
        cpu.pointee.expectInput()
        for position in 0..<bytes.count {
            guard host.type(bytes[position]) else { throw AgentFailure(.noRoomForInput, UInt64(position)) }
        }
    }
}
