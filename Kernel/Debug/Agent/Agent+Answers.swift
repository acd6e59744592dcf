import Machine
import Memory
import Trace
import VMX
import VMXChecks
import Virtualization
import X86

// Requests that change nothing.

extension Agent {
    @inline(never)
    mutating func tell<Access: VMCSAccess, Services: HostServices>(
        _ request: Request, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        _ host: some AgentHost
    ) throws(AgentFailure) {
        switch request {
        case .hello(let version):
            guard version == AgentFacts.currentVersion else {
                throw AgentFailure(.unknownVersion, UInt64(AgentFacts.currentVersion))
            }
            let paging = cpu.pointee.paging
            AgentFacts(
                guest: guest, hasTrapFlag: debugger.hasTrapFlag, trace: trace, memorySize: cpu.pointee.guestMemory.size.bytes,
                frequency: host.frequency, guestAddressWidth: UInt8(paging.physicalAddressWidth),
                guestHasGibibytePages: paging.hasGibibytePages, guestHasPSE36: paging.hasPSE36
            ).encode(to: &message)
        case .capabilities: tellCapabilities(cpu, host)
        case .state(let moment, let base): try tellState(moment, since: base, cpu, host)
        case .registers:
            for number in GuestRegister.all {
                if let register = GuestRegister(rawValue: number) { message.append(GuestRegisters(cpu).read(register)) }
            }
        case .lastExit:
            guard let lastExit else { throw AgentFailure(.nothingYet) }
            lastExit.encode(to: &message)
        case .lastStop:
            guard let lastStop else { throw AgentFailure(.nothingYet) }
            lastStop.encode(to: &message)
        case .statistics(let first): tellStatistics(from: first, cpu.pointee.machine.pointee.statistics)
        case .stops(let first): tellStops(from: first)
        case .shadow: try tellShadow(cpu)
        default: throw AgentFailure(.unknownRequest)
        }
    }

    private mutating func tellCapabilities<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ host: some AgentHost
    ) {
        let capabilities = host.capabilities
        var facts = CapabilityFacts(
            currentVMCS: host.circumstances.currentVMCS ?? HostPhysicalAddress(0),
            physicalAddressWidth: UInt8(capabilities.physicalAddressWidth),
            linearAddressWidth: UInt8(capabilities.linearAddressWidth))
        // The facts are whatever these ask the processor for.
        withUnsafeMutablePointer(to: &facts) { facts in
            let recorder = CapabilityRecorder(facts: facts, services: cpu.pointee.host)
            _ = VMXCapabilities(
                reading: recorder, physicalAddressWidth: capabilities.physicalAddressWidth,
                linearAddressWidth: capabilities.linearAddressWidth)
            _ = EntryCircumstances(recorder)
        }
        facts.encode(to: &message)
    }

    private mutating func tellState<Access: VMCSAccess, Services: HostServices>(
        _ moment: StateMoment, since base: StateMoment?,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ host: some AgentHost
    ) throws(AgentFailure) {
        if moment == .now {
            StateSnapshot.take(cpu, host.capabilities, to: host.state(.now))
            if base != nil, lastExit == nil { throw AgentFailure(.nothingYet) }
        } else if lastExit == nil {
            throw AgentFailure(.nothingYet)
        }
        StateSnapshot.encode(
            host.state(moment), since: base.map { UnsafePointer(host.state($0)) }, host.capabilities,
            withExit: debugger.hasEntered, to: &message)
    }

    private mutating func tellStatistics(from first: UInt8, _ statistics: borrowing ExitStatistics) {
        StatisticsTotals(
            count: statistics.count, total: statistics.total, guestTotal: statistics.guestTotal
        ).encode(to: &message)
        let end = ExitStatistics.capacity
        for reason in min(Int(first), end)..<end where message.room >= StatisticsRow.size {
            let row = statistics.row(reason)
            if row.count > 0 { StatisticsRow(reason: UInt16(reason), row).encode(to: &message) }
        }
    }

    private mutating func tellShadow<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) throws(AgentFailure) {
        guard let standing = cpu.pointee.shadowStanding else { throw AgentFailure(.noShadowTables) }
        let processor = cpu.pointee.processor
        let pointers = processor.pageDirectoryPointers()
        var facts = ShadowFacts()
        facts.isOn = processor.usesShadowTables
        facts.cr3 = processor.cr3
        facts.pageDirectoryPointers = (pointers[0], pointers[1], pointers[2], pointers[3])
        facts.standing = standing
        facts.encode(to: &message)
    }

    /// Each preceded by its number, as many as fit.
    private mutating func tellStops(from first: UInt8) {
        for index in max(Int(first), 1) - 1..<max(Stop.capacity, Int(first)) where index < Stop.capacity {
            guard let stop = debugger.stops.stop(index) else { continue }
            let count = message.payloadCount
            message.append(UInt8(index + 1))
            stop.encode(to: &message)
            if message.isCut { return message.shorten(to: count) }
        }
    }
}

/// Passes the questions on to the processor, and records its answers.
private struct CapabilityRecorder<Services: HostServices>: ModelSpecificRegisterAccess, ProcessorIdentification {
    let facts: UnsafeMutablePointer<CapabilityFacts>
    let services: Services

    func read(_ register: ModelSpecificRegister) -> UInt64 {
        let value = services.read(register)
        facts.pointee.add(register, value)
        return value
    }

    func write(_ register: ModelSpecificRegister, _ value: UInt64) {}

    func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult {
        let result = services.cpuid(leaf, subleaf)
        facts.pointee.add(leaf: leaf, subleaf, result)
        return result
    }
}

extension StateSnapshot {
    /// Records a guest's current state.
    @inline(never)
    static func take<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ capabilities: VMXCapabilities,
        to state: UnsafeMutablePointer<StateSnapshot>
    ) {
        state.pointee.fields = VMCSSnapshot(reading: cpu.pointee.processor.vmcs, capabilities)
        state.pointee.registers = cpu.pointee.registers
        state.pointee.pageFaultAddress = cpu.pointee.host.readPageFaultAddress()
        state.pointee.debugRegisters = cpu.pointee.debugRegisters
        state.pointee.kernelGSBase = cpu.pointee.host.read(.kernelGSBase)
        let cr4 = cpu.pointee.processor.cr4
        state.pointee.extendedControl = cr4.contains(.xsave) ? cpu.pointee.host.readExtendedControl() : nil
        state.pointee.protectionKeyRights = cr4.contains(.protectionKeys) ? cpu.pointee.paging.protectionKeyRights : nil
    }
}
