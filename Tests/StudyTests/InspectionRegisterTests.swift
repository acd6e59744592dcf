import Debug
import StudyTools
import Support
import Testing
import VMX
import X86

/// Inspection: registers.
@Suite struct InspectionRegisterTests {
    private func registers(_ state: StateSnapshot) -> [String] {
        answer { RegisterInspection.write(state, to: &$0) }
    }

    @Test func `64-bit mode shows sixteen registers of 64 bits, and what the guest reads in CR0 where that is another value`() {
        let lines = registers(.long64)
        #expect(lines[0] == "64-bit mode, privilege level 0, 4-level paging")
        #expect(lines[1] == "RAX 0000000000000001  RBX 0000000000000000  RCX 0000000000000000  RDX 0000000000000000")
        #expect(lines[2] == "RSI 0000000000000000  RDI 0000000000000000  RBP 0000000000000000  RSP ffff888000001000")
        #expect(lines[4] == "R12 0000000000000000  R13 0000000000000000  R14 0000000000000000  R15 123456789abcdef0")
        #expect(lines.contains("RIP 0xffffffff81000000"))
        #expect(lines.contains("RFLAGS 0x246 = PF, ZF, IF"))
        #expect(lines.contains("CR0    0x80000031 = PE, ET, NE, PG"))
        #expect(lines.contains("       the guest reads 0x80000011 = PE, ET, PG"))
        #expect(lines.contains("CR2    0x1000"))
        #expect(lines.contains("       the guest reads 0x20 = PAE"))
        #expect(lines.contains("EFER   0xd01 = SCE, LME, LMA, NXE"))
        #expect(lines.contains("DR0    0x0") && lines.contains("DR3    0x0"))
        #expect(lines.contains("DR6    0xffff0ff0 = no debug exception reported"))
        #expect(lines.contains("DR7    0x400 = no breakpoint enabled"))
        #expect(lines.contains("CS     0010  base 0x00000000  limit 0xffffffff  (code, readable, accessed, DPL 0, 64-bit)"))
        #expect(lines.contains("DS     0000 (unusable)"))
        #expect(lines.contains("GDTR         base 0xfffffe0000001000  limit 0x0000007f"))
        #expect(lines.last == "activity (active)")
    }

    @Test func `the debug registers are shown, with what DR6 tells`() {
        var state = StateSnapshot.long64
        state.debugRegisters.addresses = [0x1000, 0, 0, 0xFFFF_8000_0000_0000]
        state.debugRegisters.status = 0xFFFE_C7F9
        let lines = registers(state)
        #expect(lines.contains("DR0    0x1000") && lines.contains("DR3    0xffff800000000000"))
        #expect(
            lines.contains(
                "DR6    0xfffec7f9 = DR0 met, DR3 met, BLD: a bus lock, BS: a single step, BT: a task switch, RTM: in a transaction"
            ))
    }

    @Test func `real mode goes by segment and offset, and shows registers of 32 bits`() {
        let lines = registers(.real)
        #expect(lines[0] == "real mode, privilege level 0, no paging")
        #expect(lines[1] == "EAX 00000000  EBX 12345678  ECX 00000000  EDX 00000000")
        #expect(lines[2] == "ESI 00000000  EDI 00000000  EBP 00000000  ESP 0000fff0")
        #expect(lines[3] == "CS:IP 07c0:0005, linear 0x07c05")
        #expect(lines[4] == "RFLAGS 0x3202 = IF, IOPL 3")
    }

    @Test func `32-bit code shows EIP and the linear address`() {
        var state = StateSnapshot.long64
        state.fields[.guestEFER] = .none
        state.fields[.guestCSAccessRights] = .init(rawValue: 0xC0FB)
        state.fields[.guestSSAccessRights] = .init(rawValue: 0xC0F3)
        state.fields[.guestCSBase] = 0x1_0000
        state.fields[.guestRIP] = 0x400
        state.fields[.guestDR7] = 0x2_0402
        state.fields[.guestInterruptibility] = .blockingBySTI
        state.fields[.guestActivityState] = .halted
        let lines = registers(state)
        #expect(lines[0] == "protected mode, 32-bit code, privilege level 3, PAE paging")
        #expect(lines.contains("EIP 0x00000400, linear 0x00010400"))
        #expect(lines.contains("DR7    0x20402 = DR0 port"))
        #expect(lines.last == "activity (HLT), blocking by STI")
    }
}
