import Debug
import StudyTools
import Support
import Testing
import VMX
import X86

/// Inspection: vmcs.
@Suite struct InspectionFieldTests {
    private func vmcs(_ words: String, _ state: StateSnapshot = .long64, on set: CapabilitySet = .skylakeX) -> [String] {
        let capabilities = set.capabilities
        return answer { output in
            FieldInspection.write(words, state, capabilities, to: &output)
        }
    }

    @Test func `a field is found by a part of its name, by its whole name, and by its encoding`() {
        let expected = [
            "guest RFLAGS = 0x0000000000000246", "  encoding 0x6820, guest state, natural width, writable",
        ]
        for words in ["rflags", "guest RFLAGS", " flags  rf ", "0x6820"] {
            #expect(Array(vmcs(words).prefix(2)) == expected, "\(words)")
        }
        #expect(vmcs("rflags").contains("  bit 6       1      ZF: zero"))
        // A whole name is that field, even where it is a part of others.
        #expect(vmcs("exit reason").first == "exit reason = 0x00000000 (exception or NMI)")
        #expect(vmcs("guest cr0").first == "guest CR0 = 0x0000000080000031")
    }

    @Test func `words that are parts of several names list these`() {
        #expect(
            vmcs("cr0 g") == [
                "2 fields have \"cr0 g\" in their name:", "  0x6000  natural  CR0 guest/host mask = 0xffffffffffffffff",
                "        PE, MP, EM, TS, ET, NE, WP, AM, NW, CD, PG", "  0x6800  natural  guest CR0 = 0x0000000080000031",
                "        PE, ET, NE, PG",
            ])
    }

    @Test func `each kind of field is explained in its own words`() {
        var state = StateSnapshot.long64
        state.fields[.exceptionBitmap] = 1 << 14 | 1 << 1
        state.fields[.primaryControls] = .hltExiting
        state.fields[.entryInterruptionInformation] = .init(rawValue: 0x8000_0B0E)
        state.fields[.extendedPageTablePointer] = .init(rawValue: 0x10_005E)
        #expect(vmcs("exception bitmap", state).contains("  bit 14  #PF exits"))
        #expect(vmcs("primary", state).contains("  bit 7       1      HLT exiting: HLT exits"))
        #expect(
            vmcs("entry interruption", state)[0].hasPrefix(
                "VM-entry interruption-information field = 0x80000b0e (hardware exception, #PF, vector 14,"))
        #expect(vmcs("eptp)", state)[0] == "EPT pointer (EPTP) = 0x000000000010005e (root 0x100000, 4 levels)")
        state.fields[.extendedPageTablePointer] = .init(rawValue: 0x10_0006)
        #expect(vmcs("eptp)", state)[0] == "EPT pointer (EPTP) = 0x0000000000100006 (root 0x100000, 1 level)")
        #expect(vmcs("cs access", state)[0] == "guest CS access rights = 0x0000a09b (code, readable, accessed, DPL 0, 64-bit)")
        #expect(vmcs("guest pat", state).count > 3)
    }

    @Test func `a group lists its fields and no other, and says how many the processor does not have`() {
        let guest = vmcs("guest")
        #expect(guest[0] == "[guest state]")
        #expect(guest.contains("  0x6820  natural  guest RFLAGS = 0x0000000000000246"))
        #expect(guest.contains("        1, PF, ZF, IF"))
        #expect(!guest.contains { $0.contains("host RIP") })
        #expect(guest.last?.hasPrefix("  this processor does not have ") == true)
        #expect(vmcs("host")[0] == "[host state]")
        #expect(vmcs("exit")[0] == "[VM-exit information]")
        #expect(vmcs("control")[0] == "[control fields]")
        let all = vmcs("")
        for heading in ["[guest state]", "[host state]", "[control fields]", "[VM-exit information]"] {
            #expect(all.contains(heading))
        }
        #expect(all.allSatisfy { $0.count <= 112 })
    }

    @Test func `a field that the processor does not have is said to be missing, not shown as 0`() {
        #expect(
            vmcs("eptp)", on: .penryn) == ["EPT pointer (EPTP), encoding 0x201a: this processor does not have the field"])
        #expect(!vmcs("control", on: .penryn).contains { $0.contains("EPT pointer") })
    }

    @Test func `a name that no field has is refused with the nearest one, and with how to list them`() {
        #expect(
            vmcs("gest rip") == [
                "vmcs: no field has \"gest rip\" in its name; the nearest is \"guest RIP\"",
                "  \"vmcs\" lists all fields; \"vmcs control\", \"guest\", \"host\" and \"exit\" list a group",
            ])
        #expect(vmcs("qwzxjk")[0] == "vmcs: no field has \"qwzxjk\" in its name")
        #expect(vmcs("0xffff")[0] == "vmcs: no field has the encoding 0xffff; \"vmcs\" lists all with theirs")
        #expect(vmcs("0xzz")[0].hasPrefix("vmcs: no field has \"0xzz\""))
        let long = String(repeating: "x", count: 500)
        #expect(vmcs(long)[0] == "vmcs: no field has \"\(long)\" in its name")
    }
}
