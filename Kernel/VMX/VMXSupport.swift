import Text
import X86

/// Why VMX cannot be turned on, and what a person can do about it.
public enum VMXUnavailable: Error, Equatable, Sendable, TextConvertible {
    case notIntel
    case notOnThisProcessor
    case hiddenByHypervisor
    case lockedByFirmware

    public func write(to output: inout Line) {
        switch self {
        case .notIntel:
            output.write(
                "no VMX: this is an AMD processor, which has SVM instead; Martlet runs on Intel processors (or Bochs) for now")
        case .notOnThisProcessor:
            output.write(
                "no VMX: this processor does not have it (CPUID.1:ECX bit 5 is 0); use a processor with Intel VT-x, or Bochs")
        case .hiddenByHypervisor:
            output.write(
                "no VMX: the hypervisor underneath does not offer it (CPUID.1:ECX bit 5 is 0); ")
            output.write("with KVM load kvm_intel with nested=1 and start QEMU with -accel kvm -cpu host, or use Bochs")
        case .lockedByFirmware:
            output.write("no VMX: the firmware has locked it (IA32_FEATURE_CONTROL bit 0 is 1, bit 2 is 0); ")
            output.write("enable virtualization (VT-x) in the firmware setup")
        }
    }
}

/// Finds VMX and unlocks it (SDM volume 3, "Discovering Support for VMX" and "Enabling and Entering VMX
/// Operation").
public enum VMXSupport {
    /// Makes sure that VMXON is allowed: sets and locks IA32_FEATURE_CONTROL if the firmware left it open.
    public static func enable(
        _ processor: some ProcessorIdentification, _ registers: some ModelSpecificRegisterAccess
    ) throws(VMXUnavailable) {
        guard processor.has(.vmx) else {
            let vendor = processor.cpuid(0, 0)
            // "AuthenticAMD" or "HygonGenuine", by EBX.
            if vendor.ebx == 0x6874_7541 || vendor.ebx == 0x6F67_7948 { throw .notIntel }
            throw processor.has(.hypervisor) ? .hiddenByHypervisor : .notOnThisProcessor
        }
        let control = registers.read(.featureControl)
        if control & FeatureControl.locked == 0 {
            registers.write(.featureControl, control | FeatureControl.locked | FeatureControl.allowsVMX)
        } else if control & FeatureControl.allowsVMX == 0 {
            throw .lockedByFirmware
        }
    }
}
