import Machine
import VMX
import VMXChecks
import Virtualization
import X86

/// The registers of a stopped guest, read and changed from outside.
struct GuestRegisters<Access: VMCSAccess, Services: HostServices> {
    let cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>

    init(_ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>) { self.cpu = cpu }

    var processor: VMXProcessor<Access> { cpu.pointee.processor }

    @inline(never)
    func read(_ register: GuestRegister) -> UInt64 {
        if let number = register.general {
            return number == .rsp ? processor.stackPointer : cpu.pointee.registers.value(of: number)
        }
        if let segment = register.selector { return UInt64(processor.segment(segment).selector.rawValue) }
        if let segment = register.base { return processor.segment(segment).base }
        return switch register {
        case .rip: processor.instructionPointer
        case .rflags: processor.flags.rawValue
        case .kernelGSBase: cpu.pointee.host.read(.kernelGSBase)
        case .cr0: processor.cr0.rawValue
        case .cr2: cpu.pointee.host.readPageFaultAddress()
        case .cr3: processor.cr3
        case .cr4: processor.cr4.rawValue
        case .cr8: cpu.pointee.taskPriorityClass
        default: processor.extendedFeatures.rawValue
        }
    }

    /// Changes a register, with what depends on it: a selector's descriptor, CR0's mode.
    /// - Parameter host: has room for a state to compare with.
    /// - Throws: why it stays as it was: no guest instruction could do that, or the next VM entry would fail because of it.
    @inline(never)
    func write(_ value: UInt64, to register: GuestRegister, _ host: some AgentHost) throws(AgentFailure) {
        if let number = register.general {
            if number == .rsp { processor.stackPointer = value } else { cpu.pointee.registers.set(number, to: value) }
            return
        }
        switch register {
        case .cr2: cpu.pointee.host.loadPageFaultAddress(value)
        case .kernelGSBase:
            guard UInt64(bitPattern: Int64(bitPattern: value << 16) >> 16) == value else { throw AgentFailure(.notCanonical) }
            cpu.pointee.host.write(.kernelGSBase, value)
        default:
            let before = host.state(.now)
            before.pointee.fields = VMCSSnapshot(reading: processor.vmcs, host.capabilities)
            let shadow = processor.shadowRegisters
            try change(register, to: value)
            // Shadow tables need segments as loaded by protected mode.
            if register.selector != nil { cpu.pointee.followPaging() }
            guard let violation = newViolation(since: before, host.capabilities, host.circumstances) else { return }
            restore(before, shadow, host.capabilities)
            throw AgentFailure(.entryWouldFail, UInt64(violation.field.rawValue) | UInt64(violation.rule.rawValue) << 32)
        }
    }

    /// Changes a register that the VMCS holds.
    private func change(_ register: GuestRegister, to value: UInt64) throws(AgentFailure) {
        if let segment = register.selector {
            guard let selector = UInt16(exactly: value) else { throw AgentFailure(.valueTooWide, 16) }
            return try load(segment, SegmentSelector(rawValue: selector))
        }
        if let segment = register.base { return processor.vmcs.setBits(of: SegmentFields(segment).base, to: value) }
        if let number = register.control {
            guard cpu.pointee.setControlRegister(number, to: value) else { throw AgentFailure(.wouldFault) }
            return
        }
        switch register {
        case .rip: processor.instructionPointer = value
        case .rflags:
            guard (value ^ processor.flags.rawValue) & RFlags.virtual8086.rawValue == 0 else {
                throw AgentFailure(.virtual8086)
            }
            processor.flags = RFlags(rawValue: value)
        default:
            guard cpu.pointee.setExtendedFeatures(value) else { throw AgentFailure(.wouldFault) }
        }
    }

    // MARK: What VM entry refuses

    /// Puts back what a change has changed.
    private func restore(_ before: UnsafePointer<StateSnapshot>, _ shadow: ShadowRegisters?, _ capabilities: VMXCapabilities) {
        let vmcs = processor.vmcs
        for position in 0..<VMCSFieldDescription.count {
            let description = VMCSFieldDescription.field(at: position)
            let field = description.encoding
            guard field.area != .exitInformation, description.exists(capabilities) else { continue }
            let value = StateSnapshot.value(of: field, in: before)
            if vmcs.bits(of: field) != value { vmcs.setBits(of: field, to: value) }
        }
        processor.shadowRegisters = shadow
        cpu.pointee.followControlRegisters()
    }

    /// The first VM-entry rule that is now broken and was not before.
    @inline(never)
    private func newViolation(
        since before: UnsafePointer<StateSnapshot>, _ capabilities: VMXCapabilities, _ circumstances: EntryCircumstances
    ) -> Violation? {
        let now = EntryChecks.run(VMCSSnapshot(reading: processor.vmcs, capabilities), capabilities, circumstances)
        return now.count == 0
            ? nil
            : withUnsafePointer(to: now) { now in
                let earlier = EntryChecks.run(before.pointee.fields, capabilities, circumstances)
                return withUnsafePointer(to: earlier) { Violation.first(in: now, butNot: $0) }
            }
    }

    /// Changes a field of the guest's state, even to a value that VM entry will refuse: the other fields protect Martlet itself.
    @inline(never)
    func write(_ value: UInt64, to field: VMCSFieldEncoding, _ capabilities: VMXCapabilities) throws(AgentFailure) {
        guard field.exists(capabilities) else { throw AgentFailure(.noSuchField) }
        guard field.area == .guestState else { throw AgentFailure(.notGuestState) }
        guard field != VMCSField<ActivityState, Writable>.guestActivityState.encoding else {
            throw AgentFailure(.activityState)
        }
        guard value & ~field.valueMask == 0 else { throw AgentFailure(.valueTooWide, UInt64(field.bitCount)) }
        guard cpu.pointee.machine.pointee.shadow == nil || !field.isKeptByShadowPaging else {
            throw AgentFailure(.keptByShadowPaging)
        }
        processor.vmcs.setBits(of: field, to: value)
        cpu.pointee.followPaging()
    }
}

extension VMCSFieldEncoding {
    /// Whether it decides by which tables the processor translates: with an arbitrary value, any memory could serve as tables.
    fileprivate var isKeptByShadowPaging: Bool {
        switch rawValue {
        case VMCSField<ControlRegister0, Writable>.guestCR0.encoding.rawValue,
            VMCSField<UInt64, Writable>.guestCR3.encoding.rawValue,
            VMCSField<ControlRegister4, Writable>.guestCR4.encoding.rawValue,
            VMCSField<ExtendedFeatureEnable, Writable>.guestEFER.encoding.rawValue,
            VMCSField<UInt64, Writable>.guestPDPTE0.encoding.rawValue...VMCSField<UInt64, Writable>.guestPDPTE3.encoding.rawValue:
            true
        default: false
        }
    }
}

extension Violation {
    /// The first of some findings that is not among others. They are large, and read in place.
    @inline(never)
    fileprivate static func first(
        in findings: UnsafePointer<EntryFindings>, butNot others: UnsafePointer<EntryFindings>
    ) -> Violation? {
        for index in 0..<findings.pointee.count {
            let violation = at(index, in: findings)
            if !isContained(violation, in: others) { return violation }
        }
        return nil
    }

    @inline(never)
    private static func at(_ index: Int, in findings: UnsafePointer<EntryFindings>) -> Violation { findings.pointee[index] }

    @inline(never)
    private static func isContained(_ violation: Violation, in findings: UnsafePointer<EntryFindings>) -> Bool {
        findings.pointee.contains(violation.rule, of: violation.field)
    }
}
