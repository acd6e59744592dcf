import Debug
import StudyTools
import Support
import Testing
import VMX
import X86

@testable import ExplainTools

/// Inspection: check.
@Suite struct InspectionCheckTests {
    private func check(_ change: (inout StateSnapshot) -> Void) throws -> [String] {
        let dump = try #require(DumpedVMCS.read(try DumpTests.file("martlet.txt")).first)
        let registers = try ProcessorDescription.parse(try DumpTests.file("skylake_x.capabilities"))
        let processor = try ProcessorDescription(registers: registers, physicalWidth: 39, linearWidth: 48)
        var state = StateSnapshot()
        state.fields = dump.snapshot
        // The dump is of a guest whose entry failed by this field.
        state.fields[.guestActivityState] = .active
        change(&state)
        return answer { output in
            EntryInspection.write(state, processor.capabilities, processor.circumstances, to: &output)
        }
    }

    @Test func `a sound VMCS: how many rules were asked about, and that all hold`() throws {
        let lines = try check { _ in }
        #expect(lines == ["all 178 rules that apply hold: VM entry succeeds, as far as fields decide"])
    }

    @Test func `a broken rule is a line with field, value and the manual's section, and the end says how VM entry fails`() throws
    {
        let one = try check { $0.fields[.guestActivityState] = .init(rawValue: 7) }
        #expect(
            one == [
                "guest activity state = 0x7: must be a state that the processor offers (SDM volume 3, \"Checks on Guest Non-Register State\")",
                "1 of the 178 rules that apply is broken; VM entry: entry failure 33 qualification 0",
            ])
        let two = try check {
            $0.fields[.guestActivityState] = .init(rawValue: 7)
            $0.fields[.hostCR3] = .max
        }
        #expect(two.count == 3)
        #expect(two.last == "2 of the 178 rules that apply are broken; VM entry: VMfailValid 8")
    }
}
