import Devices
import Virtualization
import X86

/// Where and how a loaded guest begins to execute.
public enum GuestStart: Equatable, Sendable {
    /// In real mode at 0000:7C00, as firmware enters a boot sector.
    case realMode
    /// In flat 32-bit protected mode as multiboot says, with the address of the information structure.
    case multiboot(entry: UInt32, information: UInt32)
    /// In 64-bit mode as the Linux boot protocol says.
    case linux64(entry: UInt64, bootParameters: UInt64)
    /// In flat 32-bit protected mode as the Linux boot protocol says.
    case linux32(entry: UInt32, bootParameters: UInt32)
    /// In a Linux kernel's setup code, in real mode.
    case realModeSetup(segment: UInt16, stackPointer: UInt16)
}

extension VirtualCPU {
    /// Sets the registers with which a guest starts.
    public mutating func start(_ start: GuestStart) {
        registers = GeneralRegisters()
        processor.flags = .alwaysSet
        processor.stackPointer = 0
        processor.debugRegister7 = .alwaysSet
        processor.extendedFeatures = .none
        processor.cr3 = 0
        processor.cr4 = .none
        processor.setSegment(.ldtr, .init(selector: 0, base: 0, limit: 0xFFFF, attributes: .localDescriptorTable))
        // After reset TR holds a 16-bit TSS; a VM entry, and IA-32e mode later, need a busy 32-bit one.
        processor.setSegment(.tr, .init(selector: 0, base: 0, limit: 0xFFFF, attributes: .busyTaskState))
        switch start {
        case .realMode: startFlat()
        case .multiboot(let entry, let information): startAsMultiboot(entry: entry, information: information)
        case .linux64(let entry, let bootParameters): startLinux64(entry: entry, bootParameters: bootParameters)
        case .linux32(let entry, let bootParameters): startLinux32(entry: entry, bootParameters: bootParameters)
        case .realModeSetup(let segment, let stackPointer): startSetup(segment: segment, stackPointer: stackPointer)
        }
        processor.timeStampOffset = 0 &- startTime
        board.pointee.setUpAsFirmware(at: clock.now)
        apic.enableVirtualWire()
        followAPICMode()
        acceptRequests()
        arm(at: clock.now)
    }

    /// As after reset (SDM volume 3, "Processor State After Reset"), with the caches on.
    private mutating func startInRealMode(segment: UInt16, code: UInt16, offset: UInt64, stackPointer: UInt64) {
        processor.cr0 = .extensionType
        processor.setGlobalDescriptorTable(base: 0, limit: 0xFFFF)
        processor.setInterruptDescriptorTable(base: 0, limit: 0xFFFF)
        processor.setSegment(
            .cs, .init(selector: code, base: UInt64(code) << 4, limit: 0xFFFF, attributes: .realModeCode))
        setDataSegments(.init(selector: segment, base: UInt64(segment) << 4, limit: 0xFFFF, attributes: .realModeData))
        processor.instructionPointer = offset
        processor.stackPointer = stackPointer
    }

    /// The stack ends where the image begins. DL is the drive it came from, the first disk; there is none.
    private mutating func startFlat() {
        registers.rdx = 0x80
        startInRealMode(segment: 0, code: 0, offset: GuestLoader.flatAddress, stackPointer: GuestLoader.flatAddress)
    }

    /// The Linux/x86 Boot Protocol, "Running the Kernel".
    private mutating func startSetup(segment: UInt16, stackPointer: UInt16) {
        startInRealMode(segment: segment, code: segment &+ 0x20, offset: 0, stackPointer: UInt64(stackPointer))
    }

    /// Multiboot Specification 0.6.96, 3.2 "Machine state".
    private mutating func startAsMultiboot(entry: UInt32, information: UInt32) {
        processor.cr0 = .protectionEnable | .extensionType
        registers.rax = 0x2BAD_B002
        registers.rbx = UInt64(information)
        // The guest must make its tables before it loads a segment register.
        processor.setGlobalDescriptorTable(base: 0, limit: 0)
        processor.setInterruptDescriptorTable(base: 0, limit: 0)
        processor.setSegment(.cs, .init(selector: 0x08, base: 0, limit: 0xFFFF_FFFF, attributes: .code32))
        setDataSegments(.init(selector: 0x10, base: 0, limit: 0xFFFF_FFFF, attributes: .data32))
        processor.instructionPointer = UInt64(entry)
    }

    /// The Linux/x86 Boot Protocol, "64-bit Boot Protocol".
    private mutating func startLinux64(entry: UInt64, bootParameters: UInt64) {
        processor.cr4 = .physicalAddressExtension
        processor.cr3 = LinuxLayout.pageTables
        processor.cr0 = .protectionEnable | .extensionType | .paging
        processor.extendedFeatures = .longModeEnable | .longModeActive
        startLinux(code: .code64, entry: entry, bootParameters: bootParameters)
    }

    /// The Linux/x86 Boot Protocol, "32-bit Boot Protocol".
    private mutating func startLinux32(entry: UInt32, bootParameters: UInt32) {
        processor.cr0 = .protectionEnable | .extensionType
        startLinux(code: .code32, entry: UInt64(entry), bootParameters: UInt64(bootParameters))
    }

    private mutating func startLinux(code: SegmentAttributes, entry: UInt64, bootParameters: UInt64) {
        registers.rsi = bootParameters
        processor.setGlobalDescriptorTable(
            base: LinuxLayout.descriptorTable, limit: UInt32(truncatingIfNeeded: LinuxLayout.descriptorTableSize) - 1)
        processor.setInterruptDescriptorTable(base: 0, limit: 0)
        processor.setSegment(.cs, .init(selector: 0x10, base: 0, limit: 0xFFFF_FFFF, attributes: code))
        setDataSegments(.init(selector: 0x18, base: 0, limit: 0xFFFF_FFFF, attributes: .data32))
        processor.instructionPointer = entry
    }

    private func setDataSegments(_ segment: Segment) {
        processor.setSegment(.ds, segment)
        processor.setSegment(.es, segment)
        processor.setSegment(.fs, segment)
        processor.setSegment(.gs, segment)
        processor.setSegment(.ss, segment)
    }
}
