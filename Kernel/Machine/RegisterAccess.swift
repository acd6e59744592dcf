import Devices
import Virtualization
import X86

// Registers that are more than a value, set from outside while the guest stands still.

extension VirtualCPU {
    /// Does as a MOV to CR0, CR3, CR4 or CR8 of the guest's does at privilege level 0, whatever its own is.
    /// - Returns: false, and nothing is changed, if that would raise an exception.
    public mutating func setControlRegister(_ number: UInt8, to value: UInt64) -> Bool {
        // Outside 64-bit mode the instruction's operand has 32 bits.
        guard value >> 32 == 0 || processor.mode.is64Bit else { return false }
        return writeControlRegister(number, value) == .step
    }

    /// Does as a WRMSR to IA32_EFER of the guest's.
    /// - Returns: false, and nothing is changed, if that would raise an exception.
    public mutating func setExtendedFeatures(_ value: UInt64) -> Bool {
        writeExtendedFeatures(ExtendedFeatureEnable(rawValue: value))
    }

    /// CR8.
    public var taskPriorityClass: UInt64 {
        mutating get { UInt64(apic.taskPriority) >> 4 }
    }

    /// Has what hangs on control registers outside of them follow, when they were put back to what they were.
    public mutating func followControlRegisters() {
        let cr4 = processor.cr4
        answers.update(osxsave: cr4.contains(.xsave))
        answers.update(protectionKeysEnabled: cr4.contains(.protectionKeys))
        processor.flushTranslations()
        followPaging()
    }
}
