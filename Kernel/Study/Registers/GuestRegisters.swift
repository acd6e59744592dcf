import Machine
import Text
import VMX
import VMXChecks
import Virtualization
import X86

/// The registers of a guest that stands still, read and changed from outside: by the monitor's `set`, and by a debugger.
struct GuestRegisters<Access: VMCSAccess, Services: HostServices, Host: MonitorHost> {
    let cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    let host: Host

    init(_ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ host: Host) {
        self.cpu = cpu
        self.host = host
    }

    var processor: VMXProcessor<Access> { cpu.pointee.processor }

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
        case .cr2: host.pageFaultAddress
        case .cr3: processor.cr3
        case .cr4: processor.cr4.rawValue
        case .cr8: cpu.pointee.taskPriorityClass
        default: processor.extendedFeatures.rawValue
        }
    }

    /// Changes a register, with what hangs on it: the descriptor on a selector, the mode on CR0.
    /// - Throws: why it stays as it was: no instruction of the guest's could do that, or the next VM entry would fail by it.
    func write(_ value: UInt64, to register: GuestRegister) throws(Complaint) {
        if let number = register.general {
            if number == .rsp { processor.stackPointer = value } else { cpu.pointee.registers.set(number, to: value) }
            return
        }
        switch register {
        case .cr2: cpu.pointee.host.loadPageFaultAddress(value)
        case .kernelGSBase:
            guard UInt64(bitPattern: Int64(bitPattern: value << 16) >> 16) == value else {
                throw Complaint("\(hex: value) is not canonical")
            }
            cpu.pointee.host.write(.kernelGSBase, value)
        default: try changeUnlessEntryFails { () throws(Complaint) in try change(register, to: value) }
        }
    }

    /// Changes a register that the VMCS holds.
    private func change(_ register: GuestRegister, to value: UInt64) throws(Complaint) {
        if let segment = register.selector {
            guard let selector = UInt16(exactly: value) else { throw Complaint("a selector has 16 bits") }
            return try load(segment, SegmentSelector(rawValue: selector))
        }
        if let segment = register.base { return processor.vmcs.setBits(of: SegmentFields(segment).base, to: value) }
        if let number = register.control {
            guard cpu.pointee.setControlRegister(number, to: value) else {
                throw Complaint("a MOV of \(hex: value) to \(register.name) would raise an exception")
            }
            return
        }
        switch register {
        case .rip: processor.instructionPointer = value
        case .rflags:
            guard (value ^ processor.flags.rawValue) & RFlags.virtual8086.rawValue == 0 else {
                throw Complaint("RFLAGS.VM cannot be changed alone: segments and mode hang on it")
            }
            processor.flags = RFlags(rawValue: value)
        default:
            guard cpu.pointee.setExtendedFeatures(value) else {
                throw Complaint("a WRMSR of \(hex: value) to \(register.name) would raise an exception")
            }
        }
    }

    // MARK: What the VM entry refuses

    /// Makes a change, and takes it back if it breaks a rule of VM entry that held before.
    private func changeUnlessEntryFails(_ change: () throws(Complaint) -> Void) throws(Complaint) {
        let vmcs = processor.vmcs
        let kept = host.states + KeptState.now.rawValue
        kept.pointee.fields = VMCSSnapshot(reading: vmcs, host.capabilities)
        let before = host.view(.now)
        try change()
        guard let violation = newViolation(since: before) else { return }
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position).encoding
            guard field.area != .exitInformation, field.exists(host.capabilities), vmcs.bits(of: field) != before[field] else {
                continue
            }
            vmcs.setBits(of: field, to: before[field])
        }
        cpu.pointee.followControlRegisters()
        throw Complaint("the VM entry would fail: \(violation)")
    }

    @inline(never)
    private func newViolation(since before: StateView) -> Violation? {
        let old = EntryChecks.run(before.fields, host.capabilities, host.circumstances)
        let new = EntryChecks.run(
            VMCSSnapshot(reading: processor.vmcs, host.capabilities), host.capabilities, host.circumstances)
        for index in 0..<new.count where !old.contains(new[index].rule, of: new[index].field) { return new[index] }
        return nil
    }
}
