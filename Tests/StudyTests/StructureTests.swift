import Memory
import Support
import Testing
import VMX
import X86

@testable import StudyTools

/// Structures of the VMCS in words.
@Suite struct StructureTests {
    private func interruption(_ value: UInt32) -> [String] {
        lines(InterruptionExplanation(InterruptionInformation(rawValue: value)).report)
    }

    @Test func `an event is explained by kind, vector and error code`() {
        #expect(
            interruption(0x8000_0B0E).dropFirst() == [
                "  bit 31      1      valid", "  bits 10:8   3      hardware exception", "  bits 7:0    0xe    #PF, vector 14",
                "  bit 11      1      an error code goes with it",
            ])
        #expect(interruption(0x8000_00D1).contains("  bits 10:8   0      external interrupt"))
        #expect(interruption(0x0B0E).last?.contains("not valid") == true)
        #expect(interruption(0x8000_0203).last == "  No processor produces this: an NMI has vector 2.")
        #expect(interruption(0x8000_0803).last == "  No processor produces this: only a hardware exception has an error code.")
        #expect(interruption(0x8000_0120).last == "  No processor produces this: kind 1 is reserved.")
        #expect(toldBits(interruption(.max)) == Set(0..<32))
    }

    @Test func `access rights are explained bit by bit, for every type of segment`() {
        func rights(_ value: UInt32) -> [String] { lines(AccessRightsExplanation(SegmentAccessRights(rawValue: value)).report) }
        #expect(rights(0xA09B).contains("  bits 3:0    0xb    code, readable, accessed"))
        #expect(rights(0x8B).contains("  bits 3:0    0xb    32-bit or 64-bit task state, busy"))
        #expect(rights(0x1_0000).contains("  bit 16      1      unusable: the register holds no segment"))
        #expect(toldBits(rights(.max)) == Set(0..<32))
        let types = Set((0..<32).map { "\(AccessRightsExplanation(SegmentAccessRights(rawValue: UInt32($0))).typeWords)" })
        #expect(types.count == 16 + 13)  // three system types are reserved
    }

    @Test func `an EPT entry is explained as leaf, as table, as not present, and misconfigured`() {
        func entry(_ value: UInt64, _ level: Int) -> [String] {
            lines(NestedPageEntryExplanation(EPTEntry(rawValue: value), level: level).report)
        }
        #expect(entry(0x1000_00F7, 2).contains("  bits 51:21  0x80   the page of 2 MiB at host-physical 0x10000000"))
        #expect(entry(0x1000_00F7, 1).contains("  bits 51:12  0x10000  the page of 4 KiB at host-physical 0x10000000"))
        #expect(entry(0x1000_0007, 3).contains("  bits 51:12  0x10000  the table of level 2 at host-physical 0x10000000"))
        #expect(entry(0x1234_0000, 1).last?.contains("not present") == true)
        #expect(entry(0x1000_0032, 1).last?.contains("misconfigured, an access exits with reason 49: writes are allowed") == true)
        #expect(entry(0x1000_0017, 1).last?.contains("memory type 2 is reserved") == true)
        #expect(entry(0x1000_1087, 2).last?.contains("the reserved bits 0x1000 are set") == true)
        for level in 1...5 {
            #expect(toldBits(entry(.max, level)) == Set(0..<64), "level \(level)")
            #expect(toldBits(entry(.max & ~0x80, level)).isSuperset(of: Set(0..<64).subtracting([7])), "level \(level)")
        }
    }

    @Test func `the EPT pointer says memory type, levels, flags and root`() {
        func pointer(_ value: UInt64) -> [String] {
            lines(NestedPagePointerExplanation(EPTPointer(rawValue: value)).report)
        }
        #expect(
            pointer(0x1_2345_E05E).dropFirst() == [
                "  bits 2:0    6      write-back (WB) for the processor's accesses to the tables",
                "  bits 5:3    3      a walk of 4 levels",
                "  bit 6       1      accessed and dirty flags are kept",
                "  bits 51:12  0x12345e  the root table at host-physical 0x12345e000",
            ])
        #expect(pointer(0x1011).contains { $0.contains("only 0 and 6 are valid") })
        #expect(pointer(0x1011).contains { $0.contains("only 4 and 5 are valid") })
        #expect(toldBits(pointer(.max)) == Set(0..<64))
    }

    @Test(arguments: UInt32(0)...30)
    func `every error number has words, those of the manual also advice`(_ number: UInt32) {
        let text = lines(InstructionErrorExplanation(InstructionError(number)).report)
        #expect(text.count == 2)
        #expect(text[0].contains("reserves") == text[1].hasPrefix("  No processor"))
        #expect(!text.contains { $0.hasSuffix("...") })
    }
}
