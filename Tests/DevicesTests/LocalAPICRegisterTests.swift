import Support
import Testing

@testable import Devices

/// Each register of the local APIC, in both modes.
@Suite struct LocalAPICRegisterTests {
    private static let readable: [UInt16: UInt32] = [
        0x020: 5 << 24, 0x030: 0x0005_0014, 0x080: 0, 0x090: 0, 0x0A0: 0, 0x0B0: 0, 0x0C0: 0, 0x0D0: 0, 0x0E0: 0xFFFF_FFFF,
        0x0F0: 0xFF, 0x280: 0, 0x300: 0, 0x310: 0, 0x320: 0x1_0000, 0x330: 0x1_0000, 0x340: 0x1_0000, 0x350: 0x1_0000,
        0x360: 0x1_0000, 0x370: 0x1_0000, 0x380: 0, 0x390: 0, 0x3E0: 0,
    ]

    private static var arrays: [UInt16] { (0x10...0x27).map { $0 << 4 } }

    @Test func `after power-up every register has the manual's value`() {
        let test = TestLocalAPIC(identifier: 5, enabled: false)
        for (offset, value) in Self.readable { #expect(test[offset] == value, "\(String(offset, radix: 16))") }
        for offset in Self.arrays { #expect(test[offset] == 0) }
        #expect(test.errors == 0)
        #expect(test.apic.base.rawValue == 0xFEE0_0900)
        #expect(test.apic.nextEvent == .never)
    }

    @Test(arguments: [false, true])
    func `after INIT every register but the identifier is as after power-up, the mode as it was`(extended: Bool) {
        let test = TestLocalAPIC(identifier: 5, extended: extended, enabled: false)
        let fresh = test.apic.state
        test[0xF0] = 0x1FF
        test[0x80] = 0x25
        test[0x320] = 0x4_0030
        test.apic.writeDeadline(100, at: MachineTime(100))
        test.serve(0x40)
        test.request(0x30, level: true)
        _ = test.send(0x0003)
        #expect(test.apic.state != fresh)
        test.apic.initialize()
        #expect(test.apic.state == fresh)
        #expect(test.apic.base.isExtended == extended)
        #expect(test.apic.pendingVector == 0)
    }

    @Test(
        arguments: [
            (0x080, 0xFF), (0x0F0, 0x3FF), (0x300, 0xC_CFFF), (0x320, 0x7_00FF), (0x330, 0x1_07FF), (0x340, 0x1_07FF),
            (0x350, 0x1_A7FF), (0x360, 0x1_A7FF), (0x370, 0x1_00FF), (0x380, 0xFFFF_FFFF), (0x3E0, 0xB),
        ] as [(UInt16, UInt32)])
    func `software changes the bits that it may, and no others`(offset: UInt16, writable: UInt32) {
        for bit in UInt32(0)..<32 where !(offset == 0x320 && bit == 18) {
            let test = TestLocalAPIC()
            let before = test[offset]
            test[offset] = 1 << bit
            #expect(test[offset] == 1 << bit & writable, "bit \(bit)")
            test[offset] = before
            #expect(test[offset] == before & writable)
        }
        let test = TestLocalAPIC()
        test[offset] = .max
        // All ones are a mode of the timer's that is reserved, but the bits are there.
        #expect(test[offset] == writable)
    }

    @Test func `destination registers keep their upper bits; the identifier and DFR's lower bits are fixed`() {
        let test = TestLocalAPIC(identifier: 3)
        test[0xD0] = .max
        test[0xE0] = 0
        test[0x310] = .max
        test[0x20] = .max
        #expect(test[0xD0] == 0xFF00_0000)
        #expect(test[0xE0] == 0x0FFF_FFFF)
        #expect(test[0x310] == 0xFF00_0000)
        #expect(test[0x20] == 0x0300_0000)
    }

    @Test func `writes of read-only registers go nowhere and are no error: Linux writes the version`() {
        let test = TestLocalAPIC()
        test.serve(0x55)
        test.request(0x66, level: true)
        for offset in [0x030, 0x090, 0x0A0, 0x0C0, 0x390] + Self.arrays {
            let before = test[offset]
            #expect(test.write(offset, ~before) == LocalAPICEffect.none)
            #expect(test[offset] == before)
        }
        #expect(test.errors == 0)
    }

    @Test func `registers that do not exist read as 0, and accesses to them are errors`() {
        let present = Set(Self.readable.keys).union(Self.arrays)
        for offset in stride(from: UInt16(0), to: 0x1000, by: 16) {
            let test = TestLocalAPIC()
            let value = test[offset]
            #expect(test.errors == (present.contains(offset) ? 0 : 0x80), "\(String(offset, radix: 16))")
            if !present.contains(offset) {
                #expect(value == 0)
                #expect(test.errors == 0)
                test[offset] = .max
                #expect(test.errors == 0x80)
            }
        }
    }

    @Test func `between the registers there is nothing`() {
        let test = TestLocalAPIC()
        let before = test.apic.state
        for offset in UInt16(0)..<0x1000 where offset & 0xF != 0 {
            #expect(test[offset] == 0)
            test[offset] = .max
        }
        #expect(test.apic.state == before)
    }

    @Test func `the registers are memory in xAPIC mode alone, and MSRs in x2APIC mode alone`() {
        let extended = TestLocalAPIC(extended: true)
        let before = extended.apic.state
        #expect(extended.apic.read(offset: 0x30, at: MachineTime(0)) == .max)
        #expect(extended.apic.write(offset: 0x80, 0x20, at: MachineTime(0)) == .none)
        #expect(extended.apic.state == before)
        let plain = TestLocalAPIC()
        for number in UInt32(0x7FF)...0x900 {
            #expect(plain.readMSR(number) == nil)
            #expect(plain.writeMSR(number, 0) == nil)
        }
        _ = plain.apic.writeBase(0xFEE0_0100)
        #expect(plain[0x30] == .max)
        #expect(plain.write(0x80, 0x20) == LocalAPICEffect.none)
        #expect(plain.readMSR(0x803) == nil)
    }

    // MARK: x2APIC

    /// The MSRs that may be written, and which of their bits.
    private static let writable: [UInt32: UInt64] = [
        0x808: 0xFF, 0x80B: 0, 0x80F: 0x3FF, 0x828: 0, 0x830: 0xFFFF_FFFF_000C_CFFF, 0x832: 0x7_10FF, 0x833: 0x1_17FF,
        0x834: 0x1_17FF, 0x835: 0x1_F7FF, 0x836: 0x1_F7FF, 0x837: 0x1_10FF, 0x838: 0xFFFF_FFFF, 0x83E: 0xB, 0x83F: 0xFF,
    ]

    private static let readOnly: Set<UInt32> = Set([0x802, 0x803, 0x80A, 0x80D, 0x839] + Array(0x810...0x827))
    private static let writeOnly: Set<UInt32> = [0x80B, 0x83F]

    @Test func `each MSR from 800H to 8FFH can be read, or #GP`() {
        let test = TestLocalAPIC(extended: true)
        for number in UInt32(0x7F0)...0x910 {
            let exists = Self.readOnly.contains(number) || Self.writable[number] != nil && !Self.writeOnly.contains(number)
            #expect((test.readMSR(number) != nil) == exists, "\(String(number, radix: 16))")
        }
        #expect(test.errors == 0)
    }

    @Test func `a write of a reserved bit of an MSR, or of a read-only one, is #GP and changes nothing`() {
        for number in UInt32(0x7F0)...0x910 {
            for bit in UInt64(0)..<64 {
                let test = TestLocalAPIC(extended: true)
                let before = test.apic.state
                let isAllowed = (Self.writable[number] ?? 0) >> bit & 1 != 0
                let effect = test.writeMSR(number, 1 << bit)
                #expect((effect != nil) == isAllowed, "\(String(number, radix: 16)) bit \(bit)")
                if effect == nil { #expect(test.apic.state == before) }
            }
            let test = TestLocalAPIC(extended: true)
            #expect((test.writeMSR(number, 0) != nil) == (Self.writable[number] != nil))
        }
    }

    @Test func `what is written to an MSR is read from it, but for the bits that are read-only`() {
        for (number, value) in [
            (0x808, 0xA7), (0x80F, 0x3AB), (0x830, 0x1234_5678_0008_C9AA), (0x832, 0x3_00AA), (0x833, 0x1_04AA),
            (0x834, 0x0_04AA), (0x835, 0x1_A755), (0x836, 0x0_2455), (0x837, 0xFE), (0x838, 0x8765_4321), (0x83E, 0xB),
        ] as [(UInt32, UInt64)] {
            let test = TestLocalAPIC(extended: true)
            #expect(test.writeMSR(number, value) != nil)
            #expect(test.readMSR(number) == value)
        }
        let test = TestLocalAPIC(extended: true)
        #expect(test.writeMSR(0x835, 0x1_F7FF) != nil)
        #expect(test.readMSR(0x835) == 0x1_A7FF)
    }

    @Test func `the identifiers of x2APIC mode have 32 bits, the logical one made of the other`() {
        for (identifier, logical) in [(0, 1), (5, 0x20), (0x1F, 0x1_8000), (0x234, 0x23_0010)] as [(UInt32, UInt64)] {
            let test = TestLocalAPIC(identifier: identifier, extended: true)
            #expect(test.readMSR(0x802) == UInt64(identifier))
            #expect(test.readMSR(0x80D) == logical)
        }
    }

    // MARK: Errors

    @Test(arguments: [false, true])
    func `the error status shows what came before it was last written`(extended: Bool) {
        let test = TestLocalAPIC(extended: extended)
        #expect(test.send(0x000F) == LocalAPICEffect.none)
        #expect(test[0x280] == 0)
        test[0x280] = 0
        #expect(test[0x280] == 0x20)
        test.request(15)
        #expect(test[0x280] == 0x20)
        #expect(test.errors == 0x40)
        _ = test.send(0x0100)
        test.request(0)
        #expect(test.errors == 0x60)
        #expect(test.errors == 0)
        #expect(test.requested == [])
    }

    @Test(arguments: [false, true])
    func `an error interrupts once until the status is written, by a vector that is legal`(extended: Bool) {
        let test = TestLocalAPIC(extended: extended)
        test[0x370] = 0xE1
        #expect(test.send(0x0001) == .priorityChanged)
        #expect(test.requested == [0xE1])
        #expect(test.apic.acknowledge() == 0xE1)
        _ = test.apic.endOfInterrupt()
        #expect(test.send(0x0001) == LocalAPICEffect.none)
        #expect(test.apic.pendingVector == 0)
        #expect(test.request(3) == .requested(0xE1))
        #expect(test.errors == 0x60)
        test[0x370] = 0x09
        #expect(test.send(0x0001) == LocalAPICEffect.none)
        #expect(test.errors == 0x60)
        test[0x370] = 0x1_00E1
        _ = test.apic.acknowledge()
        #expect(test.send(0x0001) == LocalAPICEffect.none)
        #expect(test.requested == [])
    }

    @Test func `reading a register that does not exist may interrupt`() {
        let test = TestLocalAPIC()
        test[0x370] = 0xE1
        _ = test[0x2F0]
        #expect(test.apic.pendingVector == 0xE1)
    }

    // MARK: Disabled by software

    @Test(arguments: [false, true])
    func `software disables: local interrupts are masked and stay so, those that wait remain`(extended: Bool) {
        let test = TestLocalAPIC(extended: extended)
        let entries = stride(from: UInt16(0x320), through: 0x370, by: 16)
        for offset in entries { test[offset] = 0x40 }
        test.serve(0x80)
        test.request(0x90)
        test[0xF0] = 0xFF
        for offset in entries { #expect(test[offset] == 0x1_0040) }
        #expect(test.inService == [0x80])
        #expect(test.apic.pendingVector == 0x90)
        test[0x370] = 0x41
        #expect(test[0x370] == 0x1_0041)
        test[0xF0] = 0x1FF
        for offset in entries { #expect(test[offset] & 0x1_0000 != 0) }
        test[0x370] = 0x41
        #expect(test[0x370] == 0x41)
    }

    @Test func `a disabled APIC takes NMI, INIT, start-up and SMI, no vectors, and still sends`() {
        let test = TestLocalAPIC(enabled: false)
        func accept(_ mode: InterruptMessage.DeliveryMode) -> AcceptedInterrupt {
            test.apic.accept(InterruptMessage(vector: 0x44, deliveryMode: mode))
        }
        for mode in [.fixed, .lowestPriority, .external, .reserved] as [InterruptMessage.DeliveryMode] {
            #expect(accept(mode) == AcceptedInterrupt.none)
        }
        #expect(test.request(3) == AcceptedInterrupt.none)
        #expect(accept(.nonMaskable) == .nonMaskable)
        #expect(accept(.initialize) == .initialize)
        #expect(accept(.startup) == .startup(0x44))
        #expect(accept(.systemManagement) == .systemManagement)
        #expect(test.requested == [])
        #expect(test.errors == 0)
        #expect(test.send(0x4044, to: 2) == .send(InterruptMessage(vector: 0x44, destination: 2), .none))
    }

    @Test func `the 8259 pair reaches the processor through LINT0, or directly past an APIC that is off`() {
        let test = TestLocalAPIC()
        #expect(!test.apic.passesExternalInterrupts)
        test[0x350] = 0x700
        #expect(test.apic.passesExternalInterrupts)
        for entry in [0x1_0700, 0x400, 0x30] as [UInt32] {
            test[0x350] = entry
            #expect(!test.apic.passesExternalInterrupts)
        }
        test[0x350] = 0x700
        test[0xF0] = 0xFF
        #expect(!test.apic.passesExternalInterrupts)
        _ = test.apic.writeBase(0xFEE0_0100)
        #expect(test.apic.passesExternalInterrupts)
        let firmware = TestLocalAPIC(enabled: false)
        firmware.apic.enableVirtualWire()
        #expect(firmware.apic.passesExternalInterrupts)
        #expect(firmware[0xF0] == 0x1FF)
        #expect(firmware[0x360] == 0x400)
    }
}
