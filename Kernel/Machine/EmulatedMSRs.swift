import X86

/// The model-specific registers that Martlet keeps for one virtual CPU and that touch nothing else.
public struct EmulatedMSRs: Equatable, Sendable {
    private var miscEnable: UInt64
    /// IA32_TSC_ADJUST.
    var timeStampAdjust: UInt64 = 0
    private var memoryTypes: MemoryTypeRegisters
    private var machineCheck = MachineCheckRegisters()
    private let microcodeVersion: UInt64
    private let architecturalCapabilities: UInt64?
    private let hasSupervisorState: Bool

    public init(_ features: GuestFeatures) {
        miscEnable = MSRPolicy.miscEnableFixed | (features.hasFastStrings ? MSRPolicy.fastStrings : 0)
        memoryTypes = MemoryTypeRegisters(physicalAddressWidth: features.physicalAddressWidth)
        microcodeVersion = features.microcodeVersion
        architecturalCapabilities = features.architecturalCapabilities
        hasSupervisorState = features.hasSupervisorState
    }

    /// The value of a register, or nil for #GP.
    @inline(__always)
    mutating func read(_ register: ModelSpecificRegister) -> UInt64? {
        switch register.number {
        case ModelSpecificRegister.miscEnable.number: miscEnable
        case ModelSpecificRegister.timeStampAdjust.number: timeStampAdjust
        case ModelSpecificRegister.featureControl.number: 1
        case ModelSpecificRegister.platformID.number, ModelSpecificRegister.platformInformation.number: 0
        case ModelSpecificRegister.microcodeVersion.number: microcodeVersion
        case ModelSpecificRegister.architecturalCapabilities.number: architecturalCapabilities
        case ModelSpecificRegister.supervisorState.number: hasSupervisorState ? 0 : nil
        case ModelSpecificRegister.memoryTypeCapability.number: MemoryTypeRegisters.capability
        case MemoryTypeRegisters.variable: memoryTypes.readVariable(register.number - MemoryTypeRegisters.variable.lowerBound)
        case 0x250: memoryTypes.readFixed(0)
        case 0x258...0x259: memoryTypes.readFixed(register.number - 0x257)
        case 0x268...0x26F: memoryTypes.readFixed(register.number - 0x265)
        case 0x2FF: memoryTypes.defaultType
        case 0x179: MachineCheckRegisters.capability
        case 0x17A: machineCheck.status
        case 0x17B: machineCheck.control
        case MachineCheckRegisters.banks: machineCheck.readBank(register.number - MachineCheckRegisters.banks.lowerBound)
        default: nil
        }
    }

    /// Writes a register.
    /// - Returns: false for #GP.
    @inline(__always)
    mutating func write(_ register: ModelSpecificRegister, _ value: UInt64) -> Bool {
        switch register.number {
        case ModelSpecificRegister.miscEnable.number:
            guard value & ~MSRPolicy.miscEnableBits == 0 else { return false }
            miscEnable = value | MSRPolicy.miscEnableFixed
            return true
        case ModelSpecificRegister.microcodeVersion.number: return value == 0
        case ModelSpecificRegister.supervisorState.number: return hasSupervisorState && value == 0
        case MemoryTypeRegisters.variable:
            return memoryTypes.writeVariable(register.number - MemoryTypeRegisters.variable.lowerBound, value)
        case 0x250: return memoryTypes.writeFixed(0, value)
        case 0x258...0x259: return memoryTypes.writeFixed(register.number - 0x257, value)
        case 0x268...0x26F: return memoryTypes.writeFixed(register.number - 0x265, value)
        case 0x2FF: return memoryTypes.writeDefaultType(value)
        case 0x17A: return machineCheck.writeStatus(value)
        case 0x17B: return machineCheck.writeControl(value)
        case MachineCheckRegisters.banks:
            return machineCheck.writeBank(register.number - MachineCheckRegisters.banks.lowerBound, value)
        default: return false
        }
    }
}
