import Text
import Support
import Testing
import VMX
import X86

@testable import StudyTools

/// Model-specific registers in words.
@Suite struct MSRTests {
    private static let known: [UInt32] = (Array(0..<0x2000) + Array(0xC000_0000...0xC000_0200)).filter {
        ModelSpecificRegister($0).name != nil
    }

    private func words(_ number: UInt32, _ value: UInt64) -> [String] {
        lines { MSRExplanation(ModelSpecificRegister(number)).report(value, to: $0) }
    }

    @Test(arguments: known)
    func `every register that Martlet knows has a purpose and words for its values`(_ number: UInt32) {
        let text = lines { MSRExplanation(ModelSpecificRegister(number)).report(to: $0) }
        #expect(text.count == 2)
        for value: UInt64 in [0, 1, .max, 0x5555_5555_5555_5555] {
            let text = words(number, value)
            #expect(text.count >= 2)
            #expect(!text.contains { $0.hasSuffix("...") })
        }
    }

    @Test(
        arguments: [
            0x1B, 0x3A, 0x48, 0xFE, 0x10A, 0x179, 0x17A, 0x1A0, 0x1D9, 0x2FF, 0x480, 0x485, 0x48C, 0x491, 0xDA0, 0xC000_0080,
            0xC000_0081, 0xC000_0084, 0x277,
        ] as [UInt32])
    func `no bit of a register made of flags is left out`(_ number: UInt32) {
        #expect(toldBits(words(number, .max)) == Set(0..<64))
    }

    @Test func `a control capability tells what must, may and must not be 1`() {
        let text = words(0x48D, 0x7F_0000_0016)
        #expect(text.contains("  must be 1: bit 1 (reserved), bit 2 (reserved), bit 4 (reserved)"))
        #expect(text.contains("  may be 1: external-interrupt exiting, NMI exiting, virtual NMIs, activate VMX-preemption timer"))
        #expect(text.contains("  must be 0: process posted interrupts"))
    }

    @Test func `fixed bits, features and numbers are explained`() {
        #expect(words(0x486, 0x8000_0021).last == "  must be 1: PE, NE, PG")
        #expect(words(0x487, 0xFFFF_FFFF).last == "  must be 0: none")
        #expect(words(0x489, 0x2030).last == "  may be 1: PSE, PAE, VMXE")
        #expect(
            words(0x485, 0x7004_C1E5).contains("  bits 4:0    5      the preemption timer counts once in 32 time-stamp ticks"))
        #expect(words(0x48C, 0xF01_0673_4141).contains("  bit 16      1      2-MiB pages"))
        #expect(words(0x3A, 5).contains("  bit 2       1      VMXON is allowed outside SMX operation"))
        #expect(words(0x1B, 0xFEE0_0900).contains("  bit 11      1      EN: the APIC is enabled"))
        #expect(words(0x277, 0x0007_0406_0007_0406).contains("  bits 15:8   4      PA1: write-through (WT)"))
        #expect(words(0x10, 123).last == "  the value is 0x7b")
        #expect(words(0xC000_0080, 0x500).contains { $0.contains("LMA: long mode is active") })
    }
}
