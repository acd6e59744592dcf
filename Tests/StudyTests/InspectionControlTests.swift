import Debug
import StudyTools
import Support
import Testing
import VMX
import X86

/// Inspection: controls.
@Suite struct InspectionControlTests {
    /// The controls as Martlet sets them on a processor.
    private func controls(
        _ words: String = "", on set: CapabilitySet = .skylakeX, wantsVPID: Bool = true,
        _ change: (inout StateSnapshot) -> Void = { _ in }
    ) throws -> [String] {
        let capabilities = set.capabilities
        let granted = try VMXControls(capabilities, wantsVPID: wantsVPID)
        var state = StateSnapshot()
        state.fields[.pinControls] = granted.pin
        state.fields[.primaryControls] = granted.primary
        state.fields[.secondaryControls] = granted.secondary
        state.fields[.exitControls] = granted.exit
        state.fields[.entryControls] = granted.entry
        change(&state)
        return answer { output in
            ControlInspection.write(words, state, capabilities, to: &output)
        }
    }

    @Test func `each control is explained with the wish, whether it is on, and the register that decides`() throws {
        #expect(
            try controls("pin") == [
                "pin-based VM-execution controls = 0x0000007f",
                "  IA32_VMX_TRUE_PINBASED_CTLS: 0x00000016 must be 1, 0x000000ff may be 1",
                "  bit  0  external-interrupt exiting              required    on",
                "  bit  3  NMI exiting                             required    on",
                "  bit  5  virtual NMIs                            preferred   on",
                "  bit  6  activate VMX-preemption timer           preferred   on",
                "  bit  7  process posted interrupts               not wanted  off, though offered",
                "  without a name: 0x16, all of which must be 1",
            ])
    }

    @Test func `a control that is wanted and missing names the bit of the capability register`() throws {
        #expect(
            try controls("secondary", on: .arrandale).contains(
                "  bit 12  enable INVPCID                          preferred   off: not offered, bit 44 of that register is 0"))
        #expect(
            try controls("tertiary") == [
                "tertiary processor-based VM-execution controls: none is offered (IA32_VMX_TRUE_PROCBASED_CTLS, bit 49 is 0)"
            ])
    }

    @Test func `a control that is off though it is offered says whether an option, the guest or nobody's wish keeps it so`()
        throws
    {
        let secondary = try controls("secondary", wantsVPID: false)
        #expect(
            secondary.contains(
                "  bit  5  enable VPID                             preferred   off, though offered: an option says so"))
        #expect(secondary.contains("  bit  2  descriptor-table exiting                not wanted  off, though offered"))
        #expect(secondary.contains("  bit  8  APIC-register virtualization            at times    off for now"))
        let primary = try controls("primary") { $0.fields[.primaryControls] = $0.fields[.primaryControls] | .monitorTrapFlag }
        #expect(primary.contains("  bit 27  monitor trap flag                       not wanted  on for now"))
        let without = try controls("secondary") { $0.fields[.primaryControls] = .none }
        #expect(without.last == "  none of them counts: \"activate secondary controls\" is off")
    }

    @Test func `all fields are explained if none is named, and a field that is none is refused`() throws {
        let all = try controls()
        for title in ["pin-based", "primary processor", "secondary processor", "tertiary", "primary VM-exit", "VM-entry"] {
            #expect(all.contains { $0.hasPrefix(title) }, "\(title)")
        }
        #expect(all.allSatisfy { $0.count <= 112 })
        #expect(
            try controls("quaternary") == [
                "controls: no control has \"quaternary\" in its name",
                "  \"controls\" lists all; \"controls pin\", \"primary\", \"secondary\", \"tertiary\", \"exit\" and \"entry\" list a field's",
            ])
    }

    @Test func `a control is found by a part of its name, in whatever field it is, and its meaning is explained`() throws {
        let lines = try controls("nmi")
        #expect(
            lines.filter { $0.hasPrefix("  bit") } == [
                "  bit  3  NMI exiting                             required    on",
                "  bit  5  virtual NMIs                            preferred   on",
                "  bit 22  NMI-window exiting                      at times    off for now",
            ])
        #expect(Array(lines.prefix(2)) == Array(try controls("pin").prefix(2)))
        #expect(lines[3] == "          when 1: NMIs exit instead of going through the guest's IDT")
        #expect(lines.contains { $0.hasPrefix("primary processor-based VM-execution controls = ") })
        #expect(lines.last == "          when 1: exits before an instruction as soon as nothing blocks NMIs")
        let tables = try controls("ENABLE ept")
        #expect(tables.contains { $0.hasPrefix("  bit  1  enable EPT ") })
        #expect(try controls("load efer").filter { $0.hasPrefix("  bit") }.count == 2)
        let without = try controls("enable ept") { $0.fields[.primaryControls] = .none }
        #expect(without.last == "  none of them counts: \"activate secondary controls\" is off")
    }

    @Test func `vmcs knows controls by name too, where no field has the name`() throws {
        let capabilities = CapabilitySet.skylakeX.capabilities
        let state = StateSnapshot()
        func vmcs(_ words: String) -> [String] {
            answer { output in FieldInspection.write(words, state, capabilities, to: &output) }
        }
        #expect(vmcs("hlt exiting")[0] == "primary processor-based VM-execution controls = 0x00000000")
        // A field goes before.
        #expect(vmcs("exception bitmap")[0].hasPrefix("exception bitmap = "))
    }
}
