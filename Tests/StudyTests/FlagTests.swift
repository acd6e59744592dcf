import Support
import Testing
import VMX
import X86

@testable import StudyTools

/// Flags in words.
@Suite struct FlagTests {
    private func check<Flags: ExplainedFlags>(_ kind: Flags.Type) {
        for bit in 0..<Flags.RawValue.bitWidth {
            #expect((Flags.name(ofBit: bit) == nil) == (Flags.meaning(ofBit: bit) == nil), "\(Flags.title), bit \(bit)")
            let text = lines(FlagExplanation(Flags(bit: bit)).report)
            #expect(!text.contains { $0.hasSuffix("...") })
            guard let name = Flags.name(ofBit: bit) else { continue }
            #expect(
                text.contains { $0.hasPrefix("  bit \(bit) ") && $0.contains("1      \(name): ") }, "\(Flags.title), bit \(bit)")
        }
        let ones = UInt64(truncatingIfNeeded: Flags.reservedOnes)
        let all = lines(FlagExplanation(Flags(rawValue: .max)).report)
        let reserved = (0..<Flags.RawValue.bitWidth).filter { Flags.name(ofBit: $0) == nil && ones >> UInt64($0) & 1 == 0 }
        for bit in reserved { #expect(all.contains { $0.hasPrefix("  bit \(bit) ") && $0.hasSuffix("reserved: must be 0") }) }
        let clear = lines(FlagExplanation(Flags.none).report).joined(separator: " ")
        for bit in 0..<Flags.RawValue.bitWidth {
            if let name = Flags.name(ofBit: bit) {
                #expect(clear.contains("\(name)"), "\(Flags.title), bit \(bit) clear")
            }
        }
    }

    @Test func `every control has a name and a meaning, and reserved bits are called so`() {
        check(PinControls.self)
        check(PrimaryControls.self)
        check(SecondaryControls.self)
        check(TertiaryControls.self)
        check(ExitControls.self)
        check(SecondaryExitControls.self)
        check(EntryControls.self)
    }

    @Test func `every flag of the registers has a name and a meaning`() {
        check(ControlRegister0.self)
        check(ControlRegister4.self)
        check(ExtendedFeatureEnable.self)
        check(RFlags.self)
        check(InterruptibilityState.self)
        check(PendingDebugExceptions.self)
    }

    @Test func `bits that are 1 by default are told apart from those that must be 0`() {
        let text = lines(FlagExplanation(PinControls(rawValue: 0x8000_0006)).report)
        #expect(text.contains("  set, reserved, 1 by default: bit 1, bit 2"))
        #expect(text.contains { $0.hasPrefix("  clear, reserved, 1 by default") && $0.hasSuffix(": bit 4") })
        #expect(text.contains("  bit 31      1      reserved: must be 0"))
    }
}
