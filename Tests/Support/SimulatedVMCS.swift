import Memory
import VMX

/// A VMCS as a processor keeps it, for tests: it has the fields that its capabilities promise, refuses what hardware
/// refuses, knows its launch state, and counts every access.
///
/// What is refused is recorded in `refusals` in words, for a test to demand that there are none.
public final class SimulatedVMCS: VMCSAccess {
    public let capabilities: VMXCapabilities
    public private(set) var refusals: [String] = []
    public private(set) var reads: [UInt32: Int] = [:]
    public private(set) var writes: [UInt32: Int] = [:]
    private var values: [UInt32: UInt64] = [:]
    private var isCurrent = true
    private var isLaunched = false

    public init(_ capabilities: VMXCapabilities) { self.capabilities = capabilities }

    // MARK: VMREAD and VMWRITE

    public func read(_ field: VMCSFieldEncoding) -> UInt64 {
        reads[field.rawValue, default: 0] += 1
        guard hasField(field.rawValue) else { return refuse("VMREAD of field \(hex(field.rawValue)), which the processor lacks") }
        return values[field.rawValue] ?? 0
    }

    public func write(_ field: VMCSFieldEncoding, _ value: UInt64) {
        writes[field.rawValue, default: 0] += 1
        guard hasField(field.rawValue) else {
            return _ = refuse("VMWRITE of field \(hex(field.rawValue)), which the processor lacks")
        }
        guard field.rawValue >> 10 & 3 != 1 else { return _ = refuse("VMWRITE of the read-only field \(hex(field.rawValue))") }
        values[field.rawValue] = value & mask(field.rawValue)
    }

    /// What is in the structures that the VMCS points to, by address: nothing, until something is written.
    public var physical: [UInt64: UInt64] = [:]
    public private(set) var nestedInvalidations = 0

    public func readPhysical(at address: HostPhysicalAddress) -> UInt64 { physical[address.rawValue] ?? 0 }
    public func writePhysical(_ value: UInt64, at address: HostPhysicalAddress) { physical[address.rawValue] = value }
    public func invalidateNestedTranslations() { nestedInvalidations += 1 }

    private func refuse(_ words: String) -> UInt64 {
        refusals.append(words)
        return 0
    }

    /// A field without counting, read-only ones too: what the processor itself does, and what a test looks at.
    public subscript(encoding: UInt32) -> UInt64 {
        get { values[encoding] ?? 0 }
        set { values[encoding] = newValue & mask(encoding) }
    }

    /// All fields that are not zero.
    public var contents: [UInt32: UInt64] { values.filter { $0.value != 0 } }

    public var readCount: Int { reads.values.reduce(0, +) }
    public var writeCount: Int { writes.values.reduce(0, +) }

    public func resetCounts() {
        reads = [:]
        writes = [:]
    }

    private func mask(_ encoding: UInt32) -> UInt64 {
        switch encoding >> 13 & 3 {
        case 0: 0xFFFF
        case 2: 0xFFFF_FFFF
        default: .max
        }
    }

    private func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }

    private static let known = Set((0..<VMCSFieldDescription.count).map { VMCSFieldDescription.field(at: $0).encoding.rawValue })

    /// SDM volume 3, appendix B: the notes say on which control a field depends. Bits are those of the controls.
    private func hasField(_ encoding: UInt32) -> Bool {
        let pin = capabilities.pin.allowed.rawValue
        let primary = capabilities.primary.allowed.rawValue
        let secondary = capabilities.secondary.allowed.rawValue
        let exit = capabilities.exit.allowed.rawValue
        let entry = capabilities.entry.allowed.rawValue
        func bit(_ controls: UInt32, _ number: UInt32) -> Bool { controls >> number & 1 != 0 }
        switch encoding {
        case 0x0000: return bit(secondary, 5)
        case 0x0002, 0x2016: return bit(pin, 7)
        case 0x0004, 0x202A: return bit(secondary, 18)
        case 0x0810, 0x201C, 0x201E, 0x2020, 0x2022: return bit(secondary, 9)
        case 0x0812, 0x200E: return bit(secondary, 17)
        case 0x2004: return bit(primary, 28)
        case 0x2012, 0x401C: return bit(primary, 21)
        case 0x2014: return bit(secondary, 0)
        case 0x2018: return bit(secondary, 13)
        case 0x201A, 0x2400, 0x280A, 0x280C, 0x280E, 0x2810: return bit(secondary, 1)
        case 0x2026, 0x2028: return bit(secondary, 14)
        case 0x202C: return bit(secondary, 20)
        case 0x2032: return bit(secondary, 25)
        case 0x401E: return bit(primary, 31)
        case 0x4020, 0x4022: return bit(secondary, 10)
        case 0x482E: return bit(pin, 6)
        case 0x2804: return bit(entry, 14) || bit(exit, 18)
        case 0x2806: return bit(entry, 15) || bit(exit, 20)
        case 0x2808: return bit(entry, 13)
        case 0x2812: return bit(entry, 16) || bit(exit, 23)
        case 0x2C00: return bit(exit, 19)
        case 0x2C02: return bit(exit, 21)
        case 0x2C04: return bit(exit, 12)
        default: return Self.known.contains(encoding)
        }
    }

    // MARK: Launch state (SDM volume 3, "Overview" of the VMCS, and "VMX Instructions")

    public enum InstructionResult: Equatable, Sendable { case succeeded, failInvalid, failValid(UInt32) }

    /// VMCLEAR of this VMCS; it is no longer the current one.
    public func clear() {
        isLaunched = false
        isCurrent = false
    }

    /// VMPTRLD.
    public func makeCurrent() { isCurrent = true }

    public func launch() -> InstructionResult { enter(isLaunched ? 4 : nil) }
    public func resume() -> InstructionResult { enter(isLaunched ? nil : 5) }

    private func enter(_ error: UInt32?) -> InstructionResult {
        guard isCurrent else { return .failInvalid }
        if let error {
            values[0x4400] = UInt64(error)
            return .failValid(error)
        }
        isLaunched = true
        return .succeeded
    }
}
