import Support
import Testing
import VMX

@testable import StudyTools

/// Exit reasons in words.
@Suite struct ExitReasonTests {
    @Test(arguments: UInt32(0)...100)
    func `every reason that has a name has a sentence and a cause, and no other has`(_ number: UInt32) {
        let reason = ExitReason(rawValue: number)
        #expect(("\(reason.name)" != "reserved reason") == reason.isNamed)
        #expect((reason.sentence != nil) == reason.isNamed)
        let cause = "\(reason.cause)"
        #expect(cause.hasPrefix("nothing") == !reason.isNamed)
        #expect(cause.contains("(\"") && cause.hasSuffix("\")"), "no section: \(cause)")
    }

    @Test(arguments: UInt32(0)...100)
    func `every explanation is whole lines, with the reason's name`(_ number: UInt32) {
        let reason = ExitReason(rawValue: number)
        let text = lines(ExitReasonExplanation(reason).report)
        #expect(text[0].contains("\(reason.name), basic reason \(number)"))
        #expect(!text.contains { $0.hasSuffix("...") })
        #expect(text.count == (reason.isNamed ? 4 : 2))
    }

    @Test func `the flags above the reason are explained, the reserved ones as such`() {
        let text = lines(ExitReasonExplanation(ExitReason(rawValue: 0x8C01_0021)).report)
        #expect(text.contains { $0.contains("The VM entry failed (bit 31)") })
        #expect(text.contains("  bit 26      1      a bus lock was detected"))
        #expect(text.contains("  bit 27      1      the exit occurred in an enclave"))
        #expect(text.contains("  bit 16      1      reserved: must be 0"))
    }
}
