import X86

/// The model-specific registers that Martlet keeps for one virtual CPU and that affect nothing else: only the values. Where
/// each is kept, and what it takes, is in `MSRPlaces`.
public struct EmulatedMSRs: Equatable, Sendable {
    var values: [96 of UInt64] = .init(repeating: 0)

    /// IA32_TSC_ADJUST.
    var timeStampAdjust: UInt64 {
        @inline(__always) mutating get { values.span[MSRPlaces.timeStampAdjust] }
        set { values[MSRPlaces.timeStampAdjust] = newValue }
    }

    public static func == (left: Self, right: Self) -> Bool {
        for index in 0..<96 where left.values[index] != right.values[index] { return false }
        return true
    }
}

/// What a register takes when it is written.
enum MSRRule: UInt8, Sendable {
    case nothing
    /// Only 0, which changes nothing.
    case zero
    case anything
    /// The defined bits of IA32_MISC_ENABLE.
    case miscEnable
    /// The defined bits of IA32_MCG_STATUS.
    case machineCheckStatus
    /// All zeros or all ones, like the controls of machine-check banks.
    case zerosOrOnes
    case memoryTypeDefault, memoryTypeFixed, memoryTypeBase, memoryTypeMask
}

/// Where the registers of `EmulatedMSRs` are kept, by number, so that each is found equally fast.
struct MSRPlaces {
    private static var count: UInt32 { 0x428 }
    /// A place for each number; 0 for none.
    private var places: [0x428 of UInt8] = .init(repeating: 0)
    private var rules: [96 of UInt8] = .init(repeating: 0)
    private let reservedBits: UInt64
    private let hasSupervisorState: Bool

    // Places; the rest follows.
    static var timeStampAdjust: Int { 1 }
    private static var constantZero: UInt8 { 2 }
    private static var others: UInt8 { 3 }

    private static var machineCheckBanks: UInt32 { 10 }

    /// Registers and values, as `MSRPolicy` specifies them.
    init(_ features: GuestFeatures, _ registers: inout EmulatedMSRs) {
        reservedBits = ~0 << UInt64(features.physicalAddressWidth)
        hasSupervisorState = features.hasSupervisorState
        var next = Self.others
        func keep(
            _ register: ModelSpecificRegister, _ value: UInt64, _ rule: MSRRule, _ places: inout Self,
            _ registers: inout EmulatedMSRs
        ) {
            places.places[Int(register.number)] = next
            places.rules[Int(next)] = rule.rawValue
            registers.values[Int(next)] = value
            next += 1
        }
        if features.hasTimeStampAdjust { places[Int(ModelSpecificRegister.timeStampAdjust.number)] = UInt8(Self.timeStampAdjust) }
        places[Int(ModelSpecificRegister.platformID.number)] = Self.constantZero
        places[Int(ModelSpecificRegister.platformInformation.number)] = Self.constantZero
        keep(.featureControl, FeatureControl.locked, .nothing, &self, &registers)
        keep(.microcodeVersion, features.microcodeVersion, .zero, &self, &registers)
        if let capabilities = features.architecturalCapabilities {
            keep(.architecturalCapabilities, capabilities, .nothing, &self, &registers)
        }
        keep(
            .miscEnable, MSRPolicy.miscEnableFixed.setting(.fastStrings, to: features.hasFastStrings).rawValue, .miscEnable,
            &self,
            &registers)
        if features.hasMemoryTypeRanges {
            keep(.memoryTypeCapability, GuestMTRRs.capability, .nothing, &self, &registers)
            keep(.memoryTypeDefault, GuestMTRRs.initialDefaultType, .memoryTypeDefault, &self, &registers)
            for index in UInt32(0)..<11 {
                keep(.memoryTypeFixed(index), GuestMTRRs.initialFixed(index), .memoryTypeFixed, &self, &registers)
            }
            for index in UInt32(0)..<GuestMTRRs.variableRanges {
                keep(.memoryTypeBase(index), index == 0 ? GuestMTRRs.initialBase : 0, .memoryTypeBase, &self, &registers)
                keep(
                    .memoryTypeMask(index), index == 0 ? GuestMTRRs.initialMask(reservedBits: reservedBits) : 0, .memoryTypeMask,
                    &self, &registers)
            }
        }
        guard features.hasMachineCheckBanks else { return }
        // Machine checks are never reported: the machine's own errors are Martlet's, and a virtual one has none.
        keep(
            .machineCheckCapability, MachineCheckCapability.hasControl | UInt64(Self.machineCheckBanks), .nothing, &self,
            &registers)
        keep(.machineCheckStatus, 0, .machineCheckStatus, &self, &registers)
        keep(.machineCheckControl, 0, .zerosOrOnes, &self, &registers)
        let status = next
        for bank in 0..<Self.machineCheckBanks {
            // The status has one place for all.
            if bank == 0 {
                keep(.machineCheckStatus(bank: bank), 0, .zero, &self, &registers)
            } else {
                places[Int(ModelSpecificRegister.machineCheckStatus(bank: bank).number)] = status
            }
            keep(.machineCheckControl(bank: bank), 0, .zerosOrOnes, &self, &registers)
            keep(.machineCheckAddress(bank: bank), 0, .anything, &self, &registers)
            keep(.machineCheckMiscellaneous(bank: bank), 0, .anything, &self, &registers)
        }
    }

    /// The value of a register, or nil for #GP.
    @inline(__always)
    mutating func read(_ register: ModelSpecificRegister, _ registers: inout EmulatedMSRs) -> UInt64? {
        guard register.number < Self.count else { return register == .supervisorState && hasSupervisorState ? 0 : nil }
        // A place is less than 96: it is in this table.
        let place = places.span[unchecked: Int(register.number)]
        guard place != 0 else { return nil }
        return registers.values.span[unchecked: Int(place)]
    }

    /// Writes a register.
    /// - Returns: false for #GP.
    @inline(__always)
    mutating func write(_ register: ModelSpecificRegister, _ value: UInt64, _ registers: inout EmulatedMSRs) -> Bool {
        guard register.number < Self.count else { return register == .supervisorState && hasSupervisorState && value == 0 }
        let place = places.span[unchecked: Int(register.number)]
        var new = value
        switch MSRRule(rawValue: rules.span[unchecked: Int(place)]) {
        case nil, .nothing: return false
        case .zero: return value == 0
        case .anything: break
        case .miscEnable:
            guard value & ~MSRPolicy.miscEnableBits.rawValue == 0 else { return false }
            new |= MSRPolicy.miscEnableFixed.rawValue
        case .machineCheckStatus: guard value & ~MachineCheckStatus.defined == 0 else { return false }
        case .zerosOrOnes: guard value &+ 1 < 2 else { return false }
        case .memoryTypeDefault: guard GuestMTRRs.takesDefaultType(value) else { return false }
        case .memoryTypeFixed: guard GuestMTRRs.takesFixed(value) else { return false }
        case .memoryTypeBase: guard GuestMTRRs.takesBase(value, reservedBits: reservedBits) else { return false }
        case .memoryTypeMask: guard GuestMTRRs.takesMask(value, reservedBits: reservedBits) else { return false }
        }
        var values = registers.values.mutableSpan
        values[unchecked: Int(place)] = new
        return true
    }
}
