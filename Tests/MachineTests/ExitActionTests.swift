import Text
import Memory
import Support
import Testing
import Virtualization
import X86

@testable import Machine

@Suite struct ExitActionTests {
    static func action(_ exit: Exit, _ outcome: Outcome, _ change: (inout GeneralRegisters) -> Void = { _ in }) -> String {
        var registers = GeneralRegisters()
        change(&registers)
        return words(ExitAction(exit, outcome, registers))
    }

    @Test func `what was emulated, with its result`() {
        #expect(
            Self.action(.cpuid, .step) {
                $0.rax = 0x16; $0.rbx = 1; $0.rcx = 2; $0.rdx = 3
            } == "EAX 0x16, EBX 0x1, ECX 0x2, EDX 0x3")
        #expect(Self.action(.hypercall, .step) { $0.rax = .max } == "RAX = 0xffffffffffffffff")
        #expect(
            Self.action(.readMSR, .step) {
                $0.rax = 0x900; $0.rdx = 1
            } == "EDX:EAX = 0x100000900")
        #expect(Self.action(.writeMSR, .step) == "done")
        #expect(Self.action(.controlRegister(.clearTaskSwitched), .step) == "done")
        #expect(Self.action(.invalidateCaches(writesBack: true), .step) == "nothing to do, caches are coherent")
        #expect(Self.action(.pause, .step) == "emulated")
        #expect(Self.action(.timerExpired, .resume) == "nothing due, went on")
        #expect(Self.action(.externalInterrupt(vector: 3), .resume) == "went on")
    }

    @Test func `what ports did`() {
        func io(_ port: UInt16, _ size: Int, isInput: Bool, isString: Bool = false) -> Exit {
            .io(.init(port: port, size: size, isInput: isInput, isString: isString))
        }
        #expect(Self.action(io(0x3F8, 1, isInput: false), .step) == "sent by COM1")
        #expect(Self.action(io(0x80, 1, isInput: false), .step) == "stored")
        #expect(Self.action(io(0x3FD, 1, isInput: true), .step) { $0.rax = 0x1160 } == "= 0x60")
        #expect(Self.action(io(0x3FC, 4, isInput: true), .step) { $0.rax = 0xB0_6000 } == "= 0xb06000")
        #expect(Self.action(io(0x2100, 1, isInput: true), .step) == "no device, read ones")
        #expect(Self.action(io(0x2100, 1, isInput: false), .step) == "no device, swallowed")
        #expect(Self.action(io(0x3F8, 1, isInput: false, isString: true), .step) == "done")
        #expect(Self.action(io(0x3F8, 1, isInput: false, isString: true), .resume) == "did part of it, the instruction goes on")
    }

    @Test func `what became of absent memory`() {
        func fault(isWrite: Bool) -> Exit {
            .nestedPageFault(
                .init(
                    address: GuestPhysicalAddress(0), isRead: !isWrite, isWrite: isWrite, isFetch: false, isMapped: false,
                    duringWalk: false))
        }
        #expect(Self.action(fault(isWrite: true), .stepLength(3)) == "swallowed")
        #expect(Self.action(fault(isWrite: false), .stepLength(3)) == "read ones")
    }

    @Test func `injections, waits and endings`() {
        #expect(Self.action(.readMSR, .inject(.generalProtection)) == "injected #GP(0)")
        #expect(Self.action(.timerExpired, .inject(.interrupt(0x40))) == "injected interrupt 0x40")
        #expect(Self.action(.halt, .wait) == "waits for its timer")
        #expect(Self.action(.halt, .end(.halted(interruptsEnabled: false))) == "ended: halted with interrupts off")
    }

    @Test func `every ending has words of its own`() {
        let endings: [(Ending, String)] = [
            (.debugExit(0x31), "wrote 0x31 to the debug-exit port"),
            (.halted(interruptsEnabled: true), "halted, and nothing can wake it"),
            (.halted(interruptsEnabled: false), "halted with interrupts off"), (.tripleFault, "triple fault"),
            (.overdue, "left no note within its limit"),
            (.dismissed, "ended from the monitor"),
            (.stopped, "stopped from outside"),
            (.entryFailure(reason: 0x8000_0021), "VM-entry failure, exit reason 0x80000021"),
            (.unsupported(.initSignal), "INIT"), (.unsupported(.startupIPI), "start-up IPI"),
            (.unsupported(.systemManagementInterrupt), "system-management"), (.unsupported(.controlNotSet), "control is off"),
            (.unsupported(.unknownReason(0x23)), "unknown reason 0x23"),
            (.unsupported(.instruction), "an instruction on a device or absent memory"),
            (.unsupported(.fetchFromAbsentMemory), "executes in memory that is not there"),
            (.unsupported(.tableInAbsentMemory), "a table or stack"),
            (.unsupported(.nestedPageMisconfiguration), "bug in Martlet"),
            (.unsupported(.directPaging(.foreign)), "lead out of its RAM"),
            (.unsupported(.directPaging(.noWriteProtection)), "CR0.WP"),
            (.unsupported(.directPaging(.otherMode)), "use MMU=nested"),
        ]
        var seen: Set<String> = []
        for (ending, part) in endings {
            #expect(words(ending).contains(part), "\(words(ending))")
            #expect(seen.insert(words(ending)).inserted)
        }
    }
}
