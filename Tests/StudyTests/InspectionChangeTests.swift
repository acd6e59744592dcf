import Debug
import StudyTools
import Support
import Testing
import VMX
import X86

/// Inspection: changes.
@Suite struct InspectionChangeTests {
    private func changes(_ change: (inout StateSnapshot) -> Void) -> [String] {
        let before = StateSnapshot.long64
        var after = before
        change(&after)
        return answer { ChangeInspection.write(before, after, to: &$0) }
    }

    @Test func `if nothing changed, it says so`() { #expect(changes { _ in } == ["nothing has changed since the last stop"]) }

    @Test func `registers, CR2 and fields are explained with both values, in this order`() {
        #expect(
            changes {
                $0.registers.rax = 0x2A
                $0.registers.r15 = 0
                $0.pageFaultAddress = 0x2008
                $0.debugRegisters.addresses[2] = 0x30
                $0.debugRegisters.status = 0xFFFF_4FF0
                $0.fields[.guestRIP] = 0xFFFF_FFFF_8100_0002
                $0.fields[.guestRSP] = 0
                $0.fields[.exitReason] = .init(rawValue: 10)
            } == [
                "RAX 0x1 -> 0x2a", "R15 0x123456789abcdef0 -> 0x0", "CR2 0x1000 -> 0x2008", "DR2 0x0 -> 0x30",
                "DR6 0xffff0ff0 -> 0xffff4ff0: BS: a single step",
                "guest RSP 0xffff888000001000 -> 0x0", "guest RIP 0xffffffff81000000 -> 0xffffffff81000002",
                "exit reason 0x0 -> 0xa (CPUID)",
            ])
    }

    @Test func `flags are explained by the names of those that were set and those that were cleared`() {
        #expect(changes { $0.fields[.guestRFLAGS] = .init(rawValue: 0x47) } == ["guest RFLAGS 0x246 -> 0x47: set CF; cleared IF"])
        #expect(
            changes { $0.fields[.primaryControls] = .interruptWindowExiting }
                == ["primary processor-based VM-execution controls 0x0 -> 0x4: set interrupt-window exiting"])
        #expect(changes { $0.fields[.guestEFER] = .none } == ["guest IA32_EFER 0xd01 -> 0x0: cleared SCE, LME, LMA, NXE"])
        #expect(
            changes { $0.fields[.guestCSAccessRights] = .init(rawValue: 0xC09B) }
                == ["guest CS access rights 0xa09b -> 0xc09b (code, readable, accessed, DPL 0, 32-bit)"])
    }
}
