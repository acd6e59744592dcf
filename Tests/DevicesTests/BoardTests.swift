import Testing

@testable import Devices

@Suite struct BoardTests {
    @Test func `devices answer at COM1's eight ports, the diagnostic port and the debug-exit port alone`() {
        let present = (UInt16.min...UInt16.max).filter { Board.isPresent($0) }
        #expect(present == [0x80, 0xF4] + (0x3F8...0x3FF))
    }

    @Test func `an absent port reads ones, swallows writes, and each byte counts`() {
        var devices = Board()
        #expect(devices.read(0x60, size: 1) == 0xFF && devices.absentAccesses == 1)
        #expect(devices.read(0x60, size: 2) == 0xFFFF && devices.absentAccesses == 3)
        #expect(devices.read(0x60, size: 4) == 0xFFFF_FFFF && devices.absentAccesses == 7)
        #expect(devices.write(0x60, size: 1, 0) == .absent && devices.absentAccesses == 8)
        #expect(devices.write(0x60, size: 4, 0) == .absent && devices.absentAccesses == 12)
    }

    @Test func `present ports are not counted as absent`() {
        var devices = Board()
        _ = devices.read(0x3FD, size: 1)
        _ = devices.write(0x3F8, size: 1, 65)
        _ = devices.write(0x80, size: 1, 1)
        _ = devices.read(0xF4, size: 1)
        #expect(devices.absentAccesses == 0)
    }

    @Test func `wide accesses take consecutive ports`() {
        var devices = Board()
        #expect(devices.write(0x3F8, size: 2, 0x0541) == .transmit(0x41))
        #expect(devices.read(0x3F9, size: 1) == 0x05)
        #expect(devices.read(0x3FC, size: 4) == 0x00B0_6000)
        // Over the end of COM1 into absent ports, and over the end of all ports.
        #expect(devices.read(0x3FE, size: 4) == 0xFFFF_00B0)
        #expect(devices.read(0xFFFF, size: 2) == 0xFFFF)
        #expect(devices.write(0x3F6, size: 4, 0x0048_0000) == .transmit(0x48))
        #expect(devices.write(0x3FE, size: 4, 0) == .none)
    }

    @Test func `the diagnostic port holds the last code`() {
        var devices = Board()
        #expect(devices.read(0x80, size: 1) == 0)
        #expect(devices.write(0x80, size: 1, 0x1AB) == .none)
        #expect(devices.diagnostic == 0xAB && devices.read(0x80, size: 1) == 0xAB)
    }

    @Test(arguments: [(1, 0x44), (2, 0x3344), (4, 0x1122_3344)] as [(Int, UInt32)])
    func `the debug-exit port takes values of each size`(size: Int, value: UInt32) {
        var devices = Board()
        #expect(devices.write(0xF4, size: size, 0x1122_3344) == .exit(value))
    }

    @Test func `the single-byte ways are those of the wide ones`() {
        for port in [0x3F8, 0x3FD, 0x80, 0xF4, 0x61] as [UInt16] {
            var one = Board(), other = Board()
            #expect(UInt32(one.readByte(port)) == other.readWide(port, size: 1))
            #expect(one == other)
        }
    }
}
