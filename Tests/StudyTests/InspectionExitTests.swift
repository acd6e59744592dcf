import Machine
import Memory
import Debug
import StudyTools
import Support
import Testing
import VMX
import Virtualization
import X86

/// Inspection: why.
@Suite struct InspectionExitTests {
    /// The state at an exit: the controls that Martlet sets, and what the processor reports.
    private func exited(_ reason: BasicExitReason, qualification: UInt64 = 0, _ change: (inout StateSnapshot) -> Void = { _ in })
        -> StateSnapshot
    {
        var state = StateSnapshot.long64
        state.fields[.exitReason] = ExitReason(reason)
        state.fields[.exitQualification] = qualification
        state.fields[.pinControls] = .externalInterruptExiting | .nmiExiting | .activatePreemptionTimer
        state.fields[.primaryControls] = .hltExiting | .useIOBitmaps | .useMSRBitmaps | .useTPRShadow | .activateSecondaryControls
        state.fields[.secondaryControls] = .enableEPT | .virtualInterruptDelivery
        state.fields[.ioBitmapA] = HostPhysicalAddress(0x20_0000)
        state.fields[.ioBitmapB] = HostPhysicalAddress(0x20_1000)
        state.fields[.msrBitmaps] = HostPhysicalAddress(0x20_2000)
        change(&state)
        return state
    }

    private func why(
        _ exit: Exit, _ outcome: Outcome, _ before: StateSnapshot, _ change: (inout StateSnapshot) -> Void = { _ in }
    ) -> [String] {
        var after = before
        change(&after)
        return answer { ExitInspection.write(exit, outcome, before: before, after: after, to: &$0) }
    }

    @Test func `before the first exit there is nothing to explain`() {
        #expect(
            answer { ExitInspection.writeNothingYet(.real, to: &$0) }
                == ["there has been no exit yet: the guest is before its first VM entry, in real mode at 0x7c05"])
    }

    @Test func `CPUID: what it was, that it always exits, what was answered, and what that changed`() {
        let lines = why(.cpuid, .step, exited(.cpuid)) {
            $0.registers.rax = 0x16
            $0.fields[.guestRIP] += 2
        }
        #expect(
            lines == [
                "CPUID, at 0xffffffff81000000 in 64-bit mode: CPUID leaf 1",
                "exit reason 0xa: CPUID, basic reason 10 (SDM volume 3, \"Basic VM-Exit Information\")",
                "  The guest executed CPUID. The hypervisor decides what the guest learns of its processor.",
                "  exits by: always (\"Instructions That Cause VM Exits Unconditionally\")",
                "  qualification: nothing: 0", "Martlet: EAX 0x16, EBX 0x0, ECX 0x0, EDX 0x0", "changed by it:",
                "  RAX 0x1 -> 0x16", "  guest RIP 0xffffffff81000000 -> 0xffffffff81000002",
            ])
    }

    @Test func `a port is explained with its bit in the I/O bitmaps`() {
        let access = IOAccess(port: 0x3F8, size: 1, isInput: false)
        let lines = why(.io(access), .step, exited(.ioInstruction, qualification: 0x3F8_0000))
        #expect(lines[0] == "I/O instruction, at 0xffffffff81000000 in 64-bit mode: OUT 0x3f8, AL = 0x1")
        #expect(lines.contains("  bit 25, \"use I/O bitmaps\", of the primary processor-based VM-execution controls is 1"))
        #expect(lines.contains("  bit 0 of byte 0x7f of the I/O bitmap A, at host-physical 0x20007f, is 1"))
        #expect(lines.contains("  bits 31:16  0x3f8  port 0x3f8"))
        #expect(lines.contains("Martlet: sent by COM1"))
        #expect(lines.suffix(2) == ["changed by it:", "  nothing of the guest"])
        let high = why(.io(IOAccess(port: 0x8001, size: 2, isInput: true)), .step, exited(.ioInstruction))
        #expect(high.contains("  bit 1 of byte 0x0 of the I/O bitmap B, at host-physical 0x201000, is 1"))
        #expect(high.contains("  or that of a following port: the access touches 2"))
        #expect(
            why(.io(IOAccess(port: 0xFFFF, size: 2, isInput: true)), .step, exited(.ioInstruction)).contains(
                "  the access wraps around after port 0xffff, which always exits"))
        let all = exited(.ioInstruction) { $0.fields[.primaryControls] = .unconditionalIOExiting }
        #expect(
            why(.io(access), .step, all).contains(
                "  bit 24, \"unconditional I/O exiting\", of the primary processor-based VM-execution controls is 1"))
    }

    @Test func `an MSR is explained with its bit in the MSR bitmaps, or that they do not cover it`() {
        func bits(_ number: UInt64, _ exit: Exit, _ reason: BasicExitReason) -> [String] {
            why(exit, .step, exited(reason) { $0.registers.rcx = number }).filter {
                $0.hasPrefix("  bit ") || $0.hasPrefix("  the bitmaps")
            }
        }
        #expect(bits(0x1B, .readMSR, .rdmsr).last == "  bit 3 of byte 0x3 of the MSR bitmaps, at host-physical 0x202003, is 1")
        #expect(
            bits(0xC000_0080, .writeMSR, .wrmsr).last
                == "  bit 0 of byte 0xc10 of the MSR bitmaps, at host-physical 0x202c10, is 1")
        #expect(bits(0x4000_0000, .readMSR, .rdmsr).last?.hasSuffix("0x40000000 always exits") == true)
        #expect(bits(0x2000, .readMSR, .rdmsr).last?.hasSuffix("0x2000 always exits") == true)
    }

    @Test func `a control register is explained with the bits that the mask keeps`() {
        let write = ControlRegisterAccess.write(register: 0, from: RegisterNumber(0))
        let lines = why(.controlRegister(write), .step, exited(.controlRegisterAccess) { $0.registers.rax = 0x8000_0013 })
        #expect(
            lines.contains("  the value differs from the CR0 read shadow in MP, of which the bits of the guest/host mask are 1"))
        let status = why(.controlRegister(.loadMachineStatus(8)), .step, exited(.controlRegisterAccess))
        #expect(status.contains { $0.hasPrefix("  the value differs from the CR0 read shadow in TS, ") })
    }

    @Test func `an injected event and one whose delivery was interrupted are explained`() {
        let before = exited(.eptViolation, qualification: 0x182) {
            $0.fields[.guestPhysicalAddress] = GuestPhysicalAddress(0xFEE0_0080)
            $0.fields[.guestLinearAddress] = GuestVirtualAddress(0x1080)
            $0.fields[.vectoringInformation] = .init(rawValue: 0x8000_0030)
        }
        let fault = EPTViolationQualification(rawValue: 0x182).fault(at: GuestPhysicalAddress(0xFEE0_0080))
        let lines = why(.nestedPageFault(fault), .resume, before) {
            $0.fields[.entryInterruptionInformation] = .init(rawValue: 0x8000_0B0D)
        }
        #expect(lines.contains("guest-physical address 0xfee00080"))
        #expect(lines.contains("guest-linear address 0x1080"))
        #expect(lines.contains("the exit occurred during the delivery of: external interrupt, vector 0x30"))
        #expect(lines.contains("  the next VM entry delivers hardware exception, #GP, vector 13"))
        #expect(lines.contains("  bit 1, \"enable EPT\", of the secondary processor-based VM-execution controls is 1"))
    }

    @Test func `an exception is explained with its bit in the exception bitmap, a page fault with mask and match`() {
        let before = exited(.exceptionOrNMI, qualification: 0x1000) {
            $0.fields[.exceptionBitmap] = 1 << 14
            $0.fields[.exitInterruptionInformation] = .init(rawValue: 0x8000_0B0E)
        }
        let fault = ExceptionExit(vector: .pageFault, errorCode: 2, qualification: 0x1000)
        let lines = why(.exception(fault), .inject(.exception(.pageFault, errorCode: 2)), before)
        #expect(lines.contains("  bit 14 of the exception bitmap (0x4000), for #PF, is 1"))
        #expect(lines.contains("  the error code 0x2 under the mask 0x0 is the match 0x0: a #PF exits if bit 14 is 1"))
        #expect(lines.contains("Martlet: injected #PF(2)"))
    }

    @Test func `no reason and no qualification makes the explanation stop short`() {
        for reason in 0...UInt32(BasicExitReason.highest.rawValue) + 1 {
            for failed in [UInt32(0), 1 << 31] {
                let lines = why(
                    .unexpected(reason: reason), .resume,
                    exited(.cpuid, qualification: .max) { $0.fields[.exitReason] = .init(rawValue: reason | failed) })
                #expect(lines.count >= 5, "reason \(reason)")
            }
        }
    }
}
