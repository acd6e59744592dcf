import Text
import Support
import Testing
import VMX

@testable import StudyTools

/// Exit qualifications in words.
@Suite struct QualificationTests {
    private func words(_ value: UInt64, of reason: BasicExitReason) -> [String] {
        lines(QualificationExplanation(value, of: ExitReason(reason)).report)
    }

    @Test func `an I/O exit says port, size and direction`() {
        #expect(
            words(0x3F8_0008, of: .ioInstruction).dropFirst() == [
                "  bits 2:0    0      1 byte",
                "  bit 3       1      IN: the guest reads",
                "  bit 4       0      the operand is in AL, AX or EAX",
                "  bit 5       0      no REP prefix",
                "  bit 6       0      the port is in DX",
                "  bits 31:16  0x3f8  port 0x3f8",
            ])
        #expect(words(0x60_0073, of: .ioInstruction).contains("  bits 2:0    3      4 bytes"))
        #expect(words(0x60_0073, of: .ioInstruction).contains("  bit 6       1      the port is in the instruction"))
        #expect(words(0x60_0002, of: .ioInstruction).contains("  bits 2:0    2      reserved size"))
    }

    @Test func `an exception's says what its vector makes of it`() {
        func words(_ value: UInt64, _ vector: UInt8) -> [String] {
            Array(lines(QualificationExplanation(value, of: ExitReason(.exceptionOrNMI), vector: vector).report).dropFirst())
        }
        #expect(words(0x1234, 14) == ["  the linear address 0x1234"])
        #expect(words(0x4000, 1) == ["  bit 14      1      a single step (BS)"])
        #expect(words(0, 13) == ["  this exception has no qualification: 0"])
        #expect(self.words(0x1234, of: .exceptionOrNMI).contains("  if the exception is #PF: the linear address 0x1234"))
    }

    @Test func `a control-register exit says register, kind and operand`() {
        #expect(
            words(0x304, of: .controlRegisterAccess).dropFirst() == [
                "  bits 3:0    4      CR4", "  bits 5:4    0      MOV to the control register",
                "  bits 11:8   3      RBX is the other operand",
            ])
        #expect(words(0x20, of: .controlRegisterAccess).contains("  bits 5:4    2      CLTS"))
        #expect(
            words(0xFFF1_0070, of: .controlRegisterAccess).contains(
                "  bits 31:16  0xfff1  the operand, which CR0 bits 3:0 would get"))
    }

    @Test func `an EPT violation says the access, what was allowed, and whether the walk itself met it`() {
        let walk = words(0x83, of: .eptViolation)
        #expect(walk.contains { $0.contains("on the way, or to update its accessed or dirty bit") })
        #expect(walk.last == "  Nothing is mapped at the guest-physical address (bits 5:3 are 0).")
        let write = words(0x19A, of: .eptViolation)
        #expect(write.contains("  bit 3       1      the tables allow reads here"))
        #expect(write.contains("  bit 4       1      the tables allow writes here"))
        #expect(!write.contains { $0.contains("Nothing is mapped") })
    }

    @Test func `other reasons say what theirs means`() {
        #expect(words(0x4000_0028, of: .taskSwitch).contains("  bits 31:30  1      begun by IRET"))
        #expect(words(0x2017, of: .movDR).first?.contains("MOV DR") == true)
        #expect(words(0x0217, of: .movDR).contains("  bits 11:8   2      RDX is the other operand"))
        #expect(words(4, of: .entryFailureGuestState).last?.contains("VMCS link pointer") == true)
        #expect(words(5, of: .entryFailureGuestState).last?.contains("reserved") == true)
        #expect(words(2, of: .entryFailureMSRLoading).last?.contains("entry 2 of the VM-entry MSR-load area") == true)
        #expect(words(0x1020, of: .apicAccess).contains("  bits 15:12  1      linear: data write by an instruction"))
        #expect(words(0x4000, of: .exceptionOrNMI).contains("  bit 14      1      a single step (BS)"))
        #expect(words(0x31, of: .virtualizedEOI).contains("  bits 7:0    0x31   vector 0x31"))
        #expect(words(1, of: .instructionTimeout).contains { $0.contains("no sound state") })
        #expect(words(0, of: .cpuid).last == "  this reason has no qualification: 0")
    }

    @Test(
        arguments: [
            .startupIPI, .taskSwitch, .controlRegisterAccess, .movDR, .ioInstruction, .mwait, .apicAccess, .virtualizedEOI,
            .eptViolation, .pageModificationLogFull, .sppEvent, .busLock, .instructionTimeout,
        ] as [BasicExitReason])
    func `no bit of a qualification that is made of bits is left out`(_ reason: BasicExitReason) {
        let text = words(.max, of: reason)
        #expect(!text.contains { $0.hasSuffix("...") })
        #expect(toldBits(text) == Set(0..<64))
    }

    @Test(arguments: UInt32(0)...100)
    func `every reason has words for its qualification`(_ number: UInt32) {
        for value: UInt64 in [0, 1, 0x8000_0000_0000_0000, .max] {
            let text = lines(QualificationExplanation(value, of: ExitReason(rawValue: number)).report)
            #expect(text.count > 1)
            #expect(!text.contains { $0.hasSuffix("...") })
        }
    }
}

/// The bits that rows such as "bit 3" and "bits 31:16" tell of.
func toldBits(_ lines: [String]) -> Set<Int> {
    var bits: Set<Int> = []
    for line in lines {
        let words = line.split(separator: " ")
        guard words.count > 1, line.hasPrefix("  bit") else { continue }
        let numbers = words[1].split(separator: ":").compactMap { Int($0) }
        if words[0] == "bit", let bit = numbers.first { bits.insert(bit) }
        if words[0] == "bits", numbers.count == 2 { bits.formUnion(numbers[1]...numbers[0]) }
    }
    return bits
}
