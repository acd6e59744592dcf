import Testing
import Trace
import Virtualization

@testable import Machine
@testable import VMX

/// What the kernel takes down of an exit beyond what the world switch writes.
@Suite struct ExitRecordingTests {
    /// A machine whose exits go to one slot, as the world switch begins it: all zeros.
    private func recording(_ body: (TestMachine, UnsafeMutablePointer<ExitRecord>) -> Void) {
        let slot = UnsafeMutablePointer<ExitRecord>.allocate(capacity: 1)
        slot.initialize(to: ExitRecord())
        let machine = TestMachine()
        machine.cpu.records = RecordSlots(slot, count: 1)
        body(machine, slot)
        slot.deallocate()
    }

    @Test func `the source of MOV to a control register, whichever it is`() {
        recording { machine, slot in
            machine.cpu.registers.r9 = 0x20
            machine.setExit(.controlRegisterAccess, qualification: 0x904, length: 4)
            let isFinished = machine.handleExit()
            #expect(isFinished)
            #expect(slot.pointee.operand == 0x20)
            slot.pointee.instructionPointer = machine.rip - 4
            machine.cpu.completeRecord()
            #expect(slot.pointee.result(of: .cpuid, nil) == .step)
        }
    }

    @Test func `an exception's error code, and the one that is injected`() {
        recording { machine, slot in
            machine.setExit(.exceptionOrNMI, qualification: 0x1000, information: 0x8000_0B0E, errorCode: 6)
            let isFinished = machine.handleExit()
            #expect(isFinished)
            #expect(slot.pointee.operand == 6 && slot.pointee.detail == 6 && slot.pointee.outcome == 3)
            machine.cpu.completeRecord()
            #expect(slot.pointee.event == 0x8000_0B0E)
        }
    }

    @Test func `a recorded exit has the same effect as one that is not`() {
        for reason in [.cpuid, .invd, .rdpmc, .vmcall, .rdmsr, .wrmsr, .wbinvd, .xsetbv] as [BasicExitReason] {
            let plain = TestMachine()
            plain.setExit(reason, length: 2)
            let resumes = plain.handleExit()
            recording { machine, _ in
                machine.setExit(reason, length: 2)
                let isFinished = machine.handleExit()
                #expect(isFinished == resumes)
                #expect(machine.cpu.registers == plain.cpu.registers && machine.rip == plain.rip)
                #expect(machine.injection == plain.injection)
            }
        }
    }

    @Test func `the run loop ends a record with what the guest goes on with`() {
        recording { machine, slot in
            machine.host.time = 500
            machine.rip = 0x1234
            machine.cpu.registers.rax = 0x1_0000_0001
            machine.cpu.registers.rbx = 0x1_0000_0002
            machine.cpu.registers.rcx = 3
            machine.cpu.registers.rdx = 4
            machine.cpu.note(.wait)
            machine.cpu.note(.step)
            machine.cpu.completeRecord()
            let record = slot.pointee
            #expect(record.departure >= 500 && record.nextInstructionPointer == 0x1234 && record.event == 0)
            #expect(record.nextRAX == 0x1_0000_0001 && record.nextEBX == 2 && record.nextECX == 3 && record.nextEDX == 4)
            #expect(record.result(of: .halt, nil) == .wait)
        }
    }

    @Test func `an interrupt that the processor delivers is in the record`() {
        recording { machine, slot in
            machine.cpu.apic.setAssisted(true)
            machine.cpu.offer(0xEC)
            #expect(slot.pointee.requestedVector == 0xEC)
        }
    }

    @Test func `time that is skipped passes by no clock of the guest's`() {
        let machine = TestMachine()
        machine.cpu.timer.arm(vector: 0x40, deadline: 10_000)
        let before = machine.cpu.clock.now
        let offset = machine.processor.timeStampOffset
        let stamp = machine.host.timeStamp()
        machine.host.time += 5000
        machine.cpu.skipTime(5000)
        #expect(machine.cpu.clock.now.ticks - before.ticks < 100)
        #expect(machine.cpu.timer.deadline == 15_000)
        #expect(machine.host.timeStamp() &+ machine.processor.timeStampOffset - (stamp &+ offset) < 100)
        machine.cpu.timer.disarm()
        machine.cpu.skipTime(5000)
        #expect(!machine.cpu.timer.isArmed)
    }

    @Test func `without records nothing is taken down`() {
        let machine = TestMachine()
        machine.cpu.noteOperand(1)
        machine.cpu.note(.wait)
        machine.cpu.offer(1)
        machine.cpu.completeRecord()
        #expect(!machine.cpu.records.isOn)
    }
}
