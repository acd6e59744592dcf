import Text
import X86

/// Why SVM cannot be turned on, and what a person can do about it.
public enum SVMUnavailable: Error, Equatable, Sendable, TextConvertible {
    case notOnThisProcessor
    case disabledByFirmware
    /// The firmware has disabled it, and keeps a key that enables it again.
    case lockedByKey

    public func write(to output: inout Line) {
        switch self {
        case .notOnThisProcessor:
            output.write(
                "no SVM: this processor does not have it, or the hypervisor underneath hides it (CPUID.80000001H:ECX bit 2 is 0); "
            )
            output.write("use a processor of AMD's, QEMU with -cpu EPYC, or Bochs with the model ryzen")
        case .disabledByFirmware:
            output.write("no SVM: the firmware has disabled it (VM_CR.SVMDIS is 1); enable SVM in the firmware setup")
        case .lockedByKey:
            output.write("no SVM: the firmware has disabled it and locked it by a key (VM_CR.SVMDIS is 1, CPUID says SVML); ")
            output.write("enable SVM in the firmware setup")
        }
    }
}

/// Finds SVM and turns it on (APM volume 2, "Enabling SVM").
public enum SVMSupport {
    /// Sets EFER.SVME if the firmware allows it.
    /// - Returns: what the processor offers.
    public static func enable(
        _ processor: some ProcessorIdentification, _ registers: some ModelSpecificRegisterAccess
    ) throws(SVMUnavailable) -> SVMCapabilities {
        guard processor.cpuid(0x8000_0000, 0).eax >= 0x8000_000A, processor.has(.svm) else { throw .notOnThisProcessor }
        let capabilities = SVMCapabilities(processor)
        if VMControlRegister(rawValue: registers.read(.vmControl)).contains(.svmDisable) {
            throw capabilities.identification.features.contains(.lock) ? .lockedByKey : .disabledByFirmware
        }
        let features = ExtendedFeatureEnable(rawValue: registers.read(.extendedFeatureEnable))
        registers.write(.extendedFeatureEnable, (features | .secureVirtualMachine).rawValue)
        return capabilities
    }
}
