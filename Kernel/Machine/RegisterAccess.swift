import Devices
import Virtualization
import X86

// Registers that are more than a value, set from outside while the guest is stopped.

extension VirtualCPU {
    /// Acts as the guest's MOV to CR0, CR3, CR4 or CR8 at privilege level 0, whatever its own level.
    /// - Returns: false, with nothing changed, if that would raise an exception.
    public mutating func setControlRegister(_ number: UInt8, to value: UInt64) -> Bool {
        // Outside 64-bit mode the instruction's operand has 32 bits.
        guard value >> 32 == 0 || processor.mode.is64Bit else { return false }
        return writeControlRegister(number, value) == .step
    }

    /// Acts as the guest's WRMSR to IA32_EFER.
    /// - Returns: false, with nothing changed, if that would raise an exception.
    public mutating func setExtendedFeatures(_ value: UInt64) -> Bool {
        writeExtendedFeatures(ExtendedFeatureEnable(rawValue: value))
    }

    /// CR8.
    public var taskPriorityClass: UInt64 {
        mutating get { UInt64(apic.taskPriority) >> 4 }
    }

    /// Updates what depends on control registers after they were put back.
    public mutating func followControlRegisters() {
        let cr4 = processor.cr4
        answers.update(osxsave: cr4.contains(.xsave))
        answers.update(protectionKeysEnabled: cr4.contains(.protectionKeys))
        processor.flushTranslations()
        followPaging()
    }
}
