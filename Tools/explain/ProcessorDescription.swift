import VMX
import VMXChecks
import X86

/// The processor against which a dump is checked: one whose capability MSRs are given, or one that offers all that the manual has.
///
/// A dump does not say what its processor offers. Without that, only what no processor takes is certainly wrong.
struct ProcessorDescription {
    var capabilities: VMXCapabilities
    var circumstances: EntryCircumstances
    /// Whether the capabilities are the processor's own.
    let isKnown: Bool

    static let help = [
        "--capabilities FILE: the VMX capability MSRs of the processor, a line each, number and value in base 16,",
        "    such as: 48b 0x013fcfff00000000 (rdmsr 0x48b prints the value). Without it, everything in the manual is assumed to be",
        "    offered, and only what no processor accepts is reported.",
        "--physical-width BITS: MAXPHYADDR, 52 by default",
        "--linear-width BITS: 48, or 57 with 5-level paging; 57 by default",
    ]

    init(registers: [UInt32: UInt64]?, physicalWidth: Int, linearWidth: Int) throws {
        let values = registers ?? Self.everything
        let reader = RegisterFile(values)
        capabilities = VMXCapabilities(reading: reader, physicalAddressWidth: physicalWidth, linearAddressWidth: linearWidth)
        if !reader.missing.isEmpty {
            let names = reader.missing.map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
            throw UsageError("vmcs: the capabilities lack these MSRs: \(names); rdmsr prints them on the processor in question")
        }
        isKnown = registers != nil
        circumstances = EntryCircumstances(AnyProcessor())
        circumstances.debugControl = 0xFFC7
        circumstances.performanceControl = .max
        circumstances.extendedFeatures = .systemCall | .longModeEnable | .longModeActive | .executeDisable
        circumstances.hasTransactions = true
        circumstances.hasEnclaves = true
    }

    /// Takes a file of lines with a register's number and value.
    static func parse(_ text: String) throws -> [UInt32: UInt64] {
        var registers: [UInt32: UInt64] = [:]
        for (index, line) in text.split(whereSeparator: \.isNewline).enumerated() {
            let content = line.prefix { $0 != "#" }
            let words = content.split { " \t:=,".contains($0) }
            if words.isEmpty { continue }
            let numbers = words.map { UInt64($0.hasPrefix("0x") ? $0.dropFirst(2) : $0, radix: 16) }
            guard numbers.count == 2, let number = numbers[0], let value = numbers[1], let register = UInt32(exactly: number)
            else {
                throw UsageError("vmcs: line \(index + 1) of the capabilities is not a number and a value in base 16: \(line)")
            }
            registers[register] = value
        }
        return registers
    }

    /// All that the manual defines, and the least that it demands.
    private static var everything: [UInt32: UInt64] {
        [
            0x480: 1 << 54 | 1 << 55 | 1 << 56 | 1 << 49 | 6 << 50, 0x485: 0x71FF_01E0, 0x486: 0x8000_0021, 0x487: 0xFFFF_FFFF,
            0x488: 0x2000, 0x489: named(ControlRegister4.self), 0x48B: named(SecondaryControls.self) << 32,
            0x48C: 0xF01_06F3_41C1, 0x48D: offered(PinControls.self, required: 0x16),
            0x48E: offered(PrimaryControls.self, required: 0x0400_6172), 0x48F: offered(ExitControls.self, required: 0x3_6DFB),
            0x490: offered(EntryControls.self, required: 0x11FB), 0x491: 1,
        ]
    }

    private static func named<Flags: FlagSet>(_ kind: Flags.Type) -> UInt64 {
        (0..<Flags.RawValue.bitWidth).reduce(0) { Flags.name(ofBit: $1) == nil ? $0 : $0 | 1 << UInt64($1) }
    }

    private static func offered<Flags: FlagSet>(_ kind: Flags.Type, required: UInt64) -> UInt64 {
        (named(kind) | required) << 32 | required
    }
}

/// Registers with given values, noting which others are asked for.
private final class RegisterFile: ModelSpecificRegisterAccess {
    private let values: [UInt32: UInt64]
    private(set) var missing: [UInt32] = []

    init(_ values: [UInt32: UInt64]) { self.values = values }

    func read(_ register: ModelSpecificRegister) -> UInt64 {
        if let value = values[register.number] { return value }
        missing.append(register.number)
        return 0
    }

    func write(_ register: ModelSpecificRegister, _ value: UInt64) {}
}

/// A processor whose CPUID reports nothing; the circumstances are set without it.
private struct AnyProcessor: ProcessorIdentification {
    func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult { .zero }
}
