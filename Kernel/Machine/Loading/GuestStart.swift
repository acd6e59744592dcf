import Virtualization
import X86

extension VirtualCPU {
    /// Sets the registers in which a guest starts.
    public mutating func start(_ start: GuestStart) {
        registers = GeneralRegisters()
        processor.flags = .alwaysSet
        processor.stackPointer = 0
        processor.debugRegister7 = 0x400
        processor.extendedFeatures = .none
        processor.cr3 = 0
        processor.cr4 = .none
        processor.setSegment(.ldtr, .init(selector: 0, base: 0, limit: 0xFFFF, attributes: .localDescriptorTable))
        // After reset TR holds a 16-bit TSS; a VM entry, and IA-32e mode later, want a busy 32-bit one.
        processor.setSegment(.tr, .init(selector: 0, base: 0, limit: 0xFFFF, attributes: .busyTaskState))
        switch start {
        case .realMode: startInRealMode()
        case .multiboot(let entry, let information): startAsMultiboot(entry: entry, information: information)
        }
        processor.timeStampOffset = 0 &- startTime
        followAPICMode()
        setSlice(at: clock.now)
    }

    /// SDM volume 3, 11.1.1 "Processor State After Reset", but for CS and EIP.
    private mutating func startInRealMode() {
        processor.cr0 = .cacheDisable | .notWriteThrough | .extensionType
        registers.rdx = UInt64(host.cpuid(1, 0).eax)
        processor.setGlobalDescriptorTable(base: 0, limit: 0xFFFF)
        processor.setInterruptDescriptorTable(base: 0, limit: 0xFFFF)
        processor.setSegment(.cs, .init(selector: 0, base: 0, limit: 0xFFFF, attributes: .realModeCode))
        setDataSegments(.init(selector: 0, base: 0, limit: 0xFFFF, attributes: .realModeData))
        processor.instructionPointer = GuestLoader.flatAddress
    }

    /// Multiboot Specification 0.6.96, 3.2 "Machine state".
    private mutating func startAsMultiboot(entry: UInt32, information: UInt32) {
        processor.cr0 = .protectionEnable | .extensionType
        registers.rax = 0x2BAD_B002
        registers.rbx = UInt64(information)
        // The tables are the guest's to make before it loads a segment register.
        processor.setGlobalDescriptorTable(base: 0, limit: 0)
        processor.setInterruptDescriptorTable(base: 0, limit: 0)
        processor.setSegment(.cs, .init(selector: 0x08, base: 0, limit: 0xFFFF_FFFF, attributes: .code32))
        setDataSegments(.init(selector: 0x10, base: 0, limit: 0xFFFF_FFFF, attributes: .data32))
        processor.instructionPointer = UInt64(entry)
    }

    private func setDataSegments(_ segment: Segment) {
        processor.setSegment(.ds, segment)
        processor.setSegment(.es, segment)
        processor.setSegment(.fs, segment)
        processor.setSegment(.gs, segment)
        processor.setSegment(.ss, segment)
    }
}
