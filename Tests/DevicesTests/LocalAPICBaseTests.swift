import Support
import Testing

@testable import Devices

/// IA32_APIC_BASE (SDM volume 3, "x2APIC State Transitions").
@Suite struct LocalAPICBaseTests {
    private enum Mode: UInt64, CaseIterable {
        case disabled = 0xFEE0_0100
        case memory = 0xFEE0_0900
        case registers = 0xFEE0_0D00
        case invalid = 0xFEE0_0500
    }

    private func test(in mode: Mode) -> TestLocalAPIC {
        let test = TestLocalAPIC(identifier: 6, extended: mode == .registers)
        if mode == .disabled { _ = test.apic.writeBase(mode.rawValue) }
        return test
    }

    @Test func `the transitions of the manual's figure are made, and all others are #GP`() {
        let allowed: [Mode: [Mode]] = [
            .disabled: [.disabled, .memory], .memory: [.disabled, .memory, .registers], .registers: [.disabled, .registers],
        ]
        for (from, targets) in allowed {
            for to in Mode.allCases {
                let test = test(in: from)
                let isAllowed = targets.contains(to)
                #expect(test.writeBase(to.rawValue) == isAllowed, "\(from) to \(to)")
                #expect(test.apic.base.rawValue == (isAllowed ? to : from).rawValue)
            }
        }
    }

    @Test func `reserved bits and addresses beyond the processor's are #GP and change nothing`() {
        let test = TestLocalAPIC()
        for bit in UInt64(0)..<64 where ![8, 10, 11].contains(bit) {
            let isAllowed = (12..<40).contains(bit)
            let value: UInt64 = 0xFEE0_0900 ^ 1 << bit
            #expect(test.writeBase(value) == isAllowed, "bit \(bit)")
            #expect(test.apic.base.rawValue == (isAllowed ? value : 0xFEE0_0900))
            _ = test.apic.writeBase(0xFEE0_0900)
        }
    }

    @Test func `the page moves and keeps its contents`() {
        let test = TestLocalAPIC()
        test[0x80] = 0x40
        let before = test[0x80]
        #expect(test.writeBase(0x12_3456_7900))
        #expect(test.apic.base.address == 0x12_3456_7000)
        #expect(test[0x80] == before)
        #expect(test[0xF0] == 0x1FF)
    }

    @Test(arguments: [false, true])
    func `an APIC that was off is as after power-up, from either mode`(extended: Bool) {
        let test = TestLocalAPIC(identifier: 6, extended: extended)
        let fresh = TestLocalAPIC(identifier: 6, enabled: false)
        test.serve(0x70)
        test.request(0x80, level: true)
        test[0x80] = 0x30
        test[0x320] = 0x30
        test.write(0x380, 5000)
        _ = test.send(0x0001)
        #expect(test.writeBase(0xFEE0_0100))
        #expect(test.apic.pendingVector == 0)
        #expect(test.apic.nextEvent == .never)
        #expect(test.apic.taskPriority == 0)
        #expect(test.writeBase(0xFEE0_0900))
        #expect(test.apic.state == fresh.apic.state)
        #expect(test[0x20] == 0x0600_0000)
    }

    @Test func `x2APIC mode keeps what the registers hold, but for the identifiers and the command's destination`() {
        let test = TestLocalAPIC(identifier: 6)
        test.serve(0x70)
        test.request(0x80, level: true)
        test[0x80] = 0x30
        test[0x350] = 0x700
        test[0xD0] = 0x0200_0000
        _ = test.send(0x4044, to: 9)
        #expect(test.writeBase(0xFEE0_0D00))
        #expect(test.readMSR(0x802) == 6)
        #expect(test.readMSR(0x80D) == 1 << 6)
        #expect(test.readMSR(0x808) == 0x30)
        #expect(test.readMSR(0x80F) == 0x1FF)
        #expect(test.readMSR(0x835) == 0x700)
        #expect(test.readMSR(0x830) == 0x4044)
        #expect(test.inService == [0x70])
        #expect(test.apic.pendingVector == 0x80)
        #expect(test.levelTriggered == [0x80])
    }
}
