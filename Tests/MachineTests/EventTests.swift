import Testing
import VMX
import Virtualization
import X86

@testable import Machine

/// Exceptions that exit to be seen, host interrupts, and events whose delivery an exit interrupted.
@Suite struct EventTests {
    /// Interruption information as the processor writes it.
    static func information(_ kind: UInt32, _ vector: UInt8, hasErrorCode: Bool = false) -> UInt32 {
        1 << 31 | kind << 8 | UInt32(vector) | (hasErrorCode ? 1 << 11 : 0)
    }

    static let external: UInt32 = 0, nmi: UInt32 = 2, hardware: UInt32 = 3, software: UInt32 = 4, privileged: UInt32 = 5
    static let softwareException: UInt32 = 6

    // MARK: Exceptions go on to the guest

    @Test func `a machine check is the host's, and ends the guest`() {
        let machine = TestMachine()
        #expect(
            machine.exit(.exceptionOrNMI, information: Self.information(Self.hardware, 18)) == .end(.unsupported(.machineCheck)))
        #expect(machine.injection == nil)
    }

    /// Their delivery can be endless inside the processor, where no timer reaches.
    @Test func `debug and alignment-check exceptions always exit`() {
        let bitmap = TestMachine().vmcs[0x4004]
        #expect(bitmap & 1 << 1 != 0 && bitmap & 1 << 17 != 0)
    }

    @Test(arguments: [0, 5, 6, 7, 16, 19] as [UInt8])
    func `an exception without error code is delivered as it came`(vector: UInt8) {
        // BOUND is not for 64-bit mode, nor is INTO.
        let machine = TestMachine(vector == 5 ? .protected32 : .long64)
        machine.exit(.exceptionOrNMI, information: Self.information(Self.hardware, vector))
        #expect(machine.injection == .exception(vector))
        #expect(machine.rip == 0x10000)
    }

    @Test(arguments: [10, 11, 12, 13, 17] as [UInt8])
    func `an exception with an error code is delivered with it`(vector: UInt8) {
        let machine = TestMachine()
        machine.exit(.exceptionOrNMI, information: Self.information(Self.hardware, vector, hasErrorCode: true), errorCode: 0x1234)
        #expect(machine.injection == .exception(vector, errorCode: 0x1234))
    }

    @Test func `a page fault is delivered with CR2`() {
        let machine = TestMachine()
        machine.exit(
            .exceptionOrNMI, qualification: 0xFFFF_8000_1234_5678,
            information: Self.information(Self.hardware, 14, hasErrorCode: true),
            errorCode: 2)
        #expect(machine.injection == .exception(14, errorCode: 2))
        #expect(machine.host.pageFaultAddress == 0xFFFF_8000_1234_5678)
    }

    @Test func `no exception delivers an error code in real mode`() {
        let machine = TestMachine(.real)
        machine.exit(.rdmsr, length: 2)
        #expect(machine.injection == .exception(13))
        let paged = TestMachine(.protected16)
        paged.exit(.rdmsr, length: 2)
        #expect(paged.injection == .generalProtection)
    }

    @Test func `a fault that Martlet raises sets RF, an interrupt does not`() {
        let machine = TestMachine()
        machine.exit(.vmxon, length: 3)
        #expect(machine.injection == .invalidOpcode)
        #expect(machine.rflags & 1 << 16 != 0)
        let other = TestMachine()
        other.processor.inject(.interrupt(0x40))
        #expect(other.rflags & 1 << 16 == 0)
    }

    @Test func `a debug exception sets DR6's bits, clears DR7.GD, and changes no RF`() {
        let machine = TestMachine()
        machine.host.debugStatus = 0xFFFF_0FF5
        machine.vmcs[0x681A] = 0x2400
        machine.exit(.exceptionOrNMI, qualification: 1 << 14 | 1 << 1, information: Self.information(Self.hardware, 1))
        #expect(machine.host.debugStatus == 0xFFFF_4FF2)
        #expect(machine.vmcs[0x681A] == 0x400)
        #expect(machine.injection == .exception(1))
        // SDM volume 3, "Saving RIP, RSP, RFLAGS, and SSP": the exit saved RF as the exception would push it: clear for a trap,
        // set for a fault.
        #expect(machine.rflags & 1 << 16 == 0)
        let fault = TestMachine()
        fault.rflags |= 1 << 16
        fault.exit(.exceptionOrNMI, qualification: 1, information: Self.information(Self.hardware, 1))
        #expect(fault.rflags & 1 << 16 != 0)
    }

    @Test(arguments: [3, 4] as [UInt8])
    func `INT3 and INTO return behind the instruction`(vector: UInt8) {
        let machine = TestMachine(vector == 4 ? .protected32 : .long64)
        machine.exit(.exceptionOrNMI, length: 2, information: Self.information(Self.softwareException, vector))
        #expect(machine.injection == Injection(kind: Self.softwareException, vector: vector, instructionLength: 2))
        #expect(machine.rip == 0x10000)
    }

    @Test func `INT1 returns behind the instruction`() {
        let machine = TestMachine()
        machine.exit(.exceptionOrNMI, length: 1, information: Self.information(Self.privileged, 1))
        #expect(machine.injection == Injection(kind: Self.privileged, vector: 1, instructionLength: 1))
        #expect(machine.rip == 0x10000)
    }

    // MARK: An exception while another event was being delivered

    @Test(
        arguments: [
            (13, 13), (0, 10), (14, 13), (14, 14), (10, 11), (12, 0),
        ] as [(UInt8, UInt8)])
    func `two exceptions that cannot be handled one after the other become a double fault`(first: UInt8, second: UInt8) {
        let machine = TestMachine()
        machine.exit(
            .exceptionOrNMI, information: Self.information(Self.hardware, second),
            vectoring: Self.information(Self.hardware, first))
        #expect(machine.injection == .exception(8, errorCode: 0))
    }

    @Test(arguments: [(13, 14), (1, 13), (6, 14), (14, 6), (8, 6)] as [(UInt8, UInt8)])
    func `two exceptions that can be handled one after the other leave the second`(first: UInt8, second: UInt8) {
        let machine = TestMachine()
        let hasErrorCode = ExceptionVector(second).hasErrorCode
        machine.exit(
            .exceptionOrNMI, information: Self.information(Self.hardware, second, hasErrorCode: hasErrorCode), errorCode: 4,
            vectoring: Self.information(Self.hardware, first))
        #expect(machine.injection == .exception(second, errorCode: hasErrorCode ? 4 : nil))
    }

    @Test(arguments: [0, 10, 13, 14] as [UInt8])
    func `an exception while a double fault is delivered is a triple fault`(second: UInt8) {
        let machine = TestMachine()
        let outcome = machine.exit(
            .exceptionOrNMI, information: Self.information(Self.hardware, second),
            vectoring: Self.information(Self.hardware, 8, hasErrorCode: true))
        #expect(outcome == .end(.tripleFault))
    }

    @Test(arguments: [external, nmi, software, softwareException])
    func `an exception while an interrupt or software event is delivered is no double fault`(kind: UInt32) {
        let machine = TestMachine()
        machine.exit(
            .exceptionOrNMI, length: 2, information: Self.information(Self.hardware, 11, hasErrorCode: true), errorCode: 0x101,
            vectoring: Self.information(kind, kind == Self.nmi ? 2 : kind == Self.softwareException ? 3 : 13))
        #expect(machine.injection == .exception(11, errorCode: 0x101))
    }

    // MARK: Interrupted events are not lost

    @Test(.onVMX) func `a host interrupt is finished, and the guest goes on`() {
        let machine = TestMachine()
        #expect(machine.exit(.externalInterrupt, information: Self.information(Self.external, 0xE0)) == .resume)
        #expect(machine.host.finishedInterrupts == [0xE0])
        #expect(machine.injection == nil && machine.rip == 0x10000)
    }

    @Test func `a host interrupt brings input to a guest that spins`() {
        let machine = TestMachine()
        _ = PortTests.output(machine, 0x3FC, size: 1, 0x08)  // OUT2
        _ = PortTests.output(machine, 0x3F9, size: 1, 0x01)
        for (port, value) in [(0x20, 0x11), (0x21, 0x30), (0x21, 4), (0x21, 1), (0x21, 0xEF)] as [(UInt16, UInt64)] {
            _ = PortTests.output(machine, port, size: 1, value)
        }
        machine.host.input = [3]
        machine.rflags |= 1 << 9
        machine.exit(.externalInterrupt, information: Self.information(Self.external, 0x24))
        #expect(machine.host.input == [])
        #expect(machine.injection == .interrupt(0x34))
    }

    @Test func `a host NMI is finished, and the guest goes on`() {
        let machine = TestMachine()
        #expect(machine.exit(.exceptionOrNMI, information: Self.information(Self.nmi, 2)) == .resume)
        #expect(machine.host.finishedNonMaskableInterrupts == 1)
        #expect(machine.injection == nil)
    }

    @Test(arguments: [(.externalInterrupt, external, 0xE0), (.exceptionOrNMI, nmi, 2)] as [(BasicExitReason, UInt32, UInt8)])
    func `an event whose delivery a host event interrupted is delivered again`(
        reason: BasicExitReason, kind: UInt32, vector: UInt8
    ) {
        let events: [(UInt32, Injection, UInt32)] = [
            (Self.information(Self.external, 0x40), .interrupt(0x40), 77),
            (Self.information(Self.hardware, 6), .exception(6), 77),
            (Self.information(Self.hardware, 14, hasErrorCode: true), .exception(14, errorCode: 6), 77),
            (Self.information(Self.software, 0x80), Injection(kind: 4, vector: 0x80, instructionLength: 2), 2),
            (Self.information(Self.privileged, 1), Injection(kind: 5, vector: 1, instructionLength: 1), 1),
            (Self.information(Self.softwareException, 3), Injection(kind: 6, vector: 3, instructionLength: 1), 1),
            (Self.information(Self.nmi, 2), Injection(kind: 2, vector: 2), 77),
        ]
        for (vectoring, expected, length) in events {
            let machine = TestMachine()
            machine.rflags |= 1 << 9
            machine.exit(
                reason, length: length, information: Self.information(kind, vector), vectoring: vectoring, vectoringErrorCode: 6)
            #expect(machine.injection == expected)
            #expect(machine.rip == 0x10000)
        }
    }

    /// The exit saved what the first delivery had set; a VM entry with it fails.
    @Test(.onVMX) func `an NMI that is delivered again is not blocked by itself`() {
        let machine = TestMachine()
        machine.vmcs[0x4824] = 8
        machine.exit(
            .externalInterrupt, information: Self.information(Self.external, 0xE0), vectoring: Self.information(Self.nmi, 2))
        #expect(machine.injection == Injection(kind: Self.nmi, vector: 2))
        #expect(machine.vmcs[0x4824] == 0)
    }

    @Test(.onVMX) func `a debug trap that MOV SS holds stays behind the INT3 that follows`() {
        let machine = TestMachine()
        machine.vmcs[0x4824] = 2
        machine.vmcs[SteppingTests.pendingDebugExceptions] = 0x1001
        machine.exit(.exceptionOrNMI, length: 1, information: Self.information(Self.softwareException, 3))
        #expect(machine.injection == Injection(kind: Self.softwareException, vector: 3, instructionLength: 1))
        #expect(machine.vmcs[0x4824] == 2 && machine.vmcs[SteppingTests.pendingDebugExceptions] == 0x1001)
    }

    @Test func `an injected exception ends blocking by STI and MOV SS, and leaves blocking by NMI`() {
        let machine = TestMachine()
        machine.vmcs[0x4824] = 0b1011
        machine.exit(.rdmsr, length: 2)
        #expect(machine.vmcs[0x4824] == 0b1000)
    }
}
