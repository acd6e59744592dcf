import X86

/// The model-specific registers that Martlet keeps for one virtual CPU.
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

    // The few that a guest may use often come first, in line; `readRare` and `writeRare` know the others.

    /// The value of a register that is used often, or nil.
    @inline(__always)
    func read(_ register: ModelSpecificRegister) -> UInt64? {
        register == .miscEnable ? miscEnable : nil
    }

    /// Writes a register that is used often.
    /// - Returns: false if it is not, or does not take the value.
    @inline(__always)
    mutating func write(_ register: ModelSpecificRegister, _ value: UInt64) -> Bool {
        guard register == .miscEnable, value & ~MSRPolicy.miscEnableBits == 0 else { return false }
        miscEnable = value | MSRPolicy.miscEnableFixed
        return true
    }

    /// The value of any other register, or nil for #GP.
    @inline(never)
    mutating func readRare(_ register: ModelSpecificRegister) -> UInt64? {
        switch register {
        case .timeStampAdjust: timeStampAdjust
        case .featureControl: 1
        case .platformID, .platformInformation: 0
        case .microcodeVersion: microcodeVersion
        case .architecturalCapabilities: architecturalCapabilities
        case .supervisorState: hasSupervisorState ? 0 : nil
        default: memoryTypes.read(register) ?? machineCheck.read(register)
        }
    }

    /// Writes any other register.
    /// - Returns: false for #GP.
    @inline(never)
    mutating func writeRare(_ register: ModelSpecificRegister, _ value: UInt64) -> Bool {
        switch register {
        case .microcodeVersion: value == 0
        case .supervisorState: hasSupervisorState && value == 0
        default: memoryTypes.write(register, value) || machineCheck.write(register, value)
        }
    }
}
