import Devices
import Support
import Testing

@Suite struct ConfigurationSpaceTests {
    private static let isaBridge: UInt32 = 0x8000_0800

    private func read(
        _ space: inout ConfigurationSpace, _ address: UInt32, _ offset: UInt16 = 0, size: Int = 4
    ) -> UInt32 {
        space.writeAddress(address)
        return space.readData(offset, size: size)
    }

    private func write(
        _ space: inout ConfigurationSpace, _ address: UInt32, _ value: UInt32, _ offset: UInt16 = 0, size: Int = 4
    ) {
        space.writeAddress(address)
        space.writeData(offset, size: size, value)
    }

    @Test func `the address is read as written, but for bits that it has not`() {
        var space = ConfigurationSpace()
        #expect(space.readAddress() == 0)
        space.writeAddress(0xFFFF_FFFF)
        #expect(space.readAddress() == 0x80FF_FFFC)
        space.writeAddress(0x8000_0000)
        #expect(space.readAddress() == 0x8000_0000)
    }

    @Test func `a scan of all buses finds the host bridge and the ISA bridge and nothing else`() {
        var space = ConfigurationSpace()
        var found: [UInt32: UInt32] = [:]
        for function in 0..<65536 as Range<UInt32> {
            let identity = read(&space, 0x8000_0000 | function << 8)
            if identity != .max { found[function] = identity }
        }
        #expect(found == [0x0000: 0x1237_8086, 0x0008: 0x7000_8086])
    }

    @Test func `without its enable bit an address reaches nothing`() {
        var space = ConfigurationSpace()
        #expect(read(&space, 0) == .max)
        write(&space, Self.isaBridge & 0x7FFF_FFFF | 0x60, 0)
        #expect(read(&space, Self.isaBridge | 0x60) == 0x8080_8080)
    }

    @Test func `both functions say what they are, have no base addresses and no interrupt`() {
        var space = ConfigurationSpace()
        for (base, command, kind, subsystem) in [
            (0x8000_0000, 0x0280_0006, 0x0600_0002, 0x1237_8086),
            (Self.isaBridge, 0x0200_0007, 0x0601_0000, 0x7000_8086),
        ] as [(UInt32, UInt32, UInt32, UInt32)] {
            let expected: [UInt32: UInt32] = [4: command, 8: kind, 0x2C: subsystem]
            for register in stride(from: UInt32(4), to: 0x40, by: 4) {
                #expect(read(&space, base | register) == (expected[register] ?? 0))
            }
            for register in stride(from: UInt32(0x10), through: 0x30, by: 4) where register != 0x2C {
                write(&space, base | register, .max)
                #expect(read(&space, base | register) == 0, "sizing a base address")
            }
            write(&space, base, 0)
            write(&space, base | 8, 0)
            write(&space, base | 0x2C, 0)
            #expect(read(&space, base) != 0 && read(&space, base | 8) == kind && read(&space, base | 0x2C) == subsystem)
        }
    }

    @Test func `the window is read in bytes and words, and beyond its end are ones`() {
        var space = ConfigurationSpace()
        space.writeAddress(0x8000_0000)
        for (size, expected) in [
            (1, [0x86, 0x80, 0x37, 0x12]), (2, [0x8086, 0x3780, 0x1237, 0xFF12]),
            (4, [0x1237_8086, 0xFF12_3780, 0xFFFF_1237, 0xFFFF_FF12]),
        ] as [(Int, [UInt32])] {
            let values = (0...3).map { space.readData($0, size: size) }
            #expect(values == expected)
        }
    }

    @Test func `of command and status only what the bridges have is written`() {
        var space = ConfigurationSpace()
        write(&space, 0x8000_0004, .max)
        #expect(read(&space, 0x8000_0004) == 0x0280_0146)
        write(&space, 0x8000_0004, 0, size: 2)
        #expect(read(&space, 0x8000_0004) == 0x0280_0006)
        write(&space, Self.isaBridge | 4, 0xFFFF, size: 2)
        #expect(read(&space, Self.isaBridge | 4) == 0x0200_010F)
        write(&space, Self.isaBridge | 4, 0, 1, size: 1)
        #expect(read(&space, Self.isaBridge | 4) == 0x0200_000F)
    }

    @Test func `the ISA bridge routes four interrupts, byte by byte; at first none`() {
        var space = ConfigurationSpace()
        #expect(read(&space, Self.isaBridge | 0x60) == 0x8080_8080)
        for pin in 0...3 as ClosedRange<UInt16> {
            write(&space, Self.isaBridge | 0x60, 0xFFFF_FF70 | UInt32(pin + 9), pin, size: 1)
        }
        #expect(read(&space, Self.isaBridge | 0x60) == 0x0C0B_0A09)
        write(&space, Self.isaBridge | 0x60, 0xAAAA_BBFF, 1, size: 2)
        #expect(read(&space, Self.isaBridge | 0x60) == 0x0C8B_8F09)
        write(&space, Self.isaBridge | 0x60, 0x8080_8080)
        #expect(read(&space, Self.isaBridge | 0x60) == 0x8080_8080)
        #expect(read(&space, 0x8000_0060) == 0)
    }

    @Test func `passive release is set, so that Linux has nothing to repair`() {
        var space = ConfigurationSpace()
        #expect(read(&space, Self.isaBridge | 0x80, 2, size: 1) == 0x02)
        write(&space, Self.isaBridge | 0x80, 0xFF, 2, size: 1)
        #expect(read(&space, Self.isaBridge | 0x80) == 0x000F_0000)
    }

    @Test func `two spaces are equal if all their registers are`() {
        var space = ConfigurationSpace()
        #expect(space == ConfigurationSpace())
        write(&space, Self.isaBridge | 0x60, 0)
        space.writeAddress(0)
        #expect(space != ConfigurationSpace())
    }

    @Test func `no access traps, and the bridges still answer afterwards`() {
        var generator = FixedSeedGenerator(seed: 0xCF8)
        var space = ConfigurationSpace()
        for _ in 0..<100_000 {
            let (value, data) = (generator.next(), UInt32(truncatingIfNeeded: generator.next()))
            let (offset, size) = (UInt16(truncatingIfNeeded: value >> 8), 1 << Int(value >> 24 & 3))
            switch value & 3 {
            case 0: space.writeAddress(value & 4 != 0 ? data : 0x8000_0000 | data & 0x8FF)
            case 1: _ = space.readData(offset, size: size)
            default: space.writeData(offset, size: size, data)
            }
        }
        #expect(read(&space, 0x8000_0000) == 0x1237_8086 && read(&space, Self.isaBridge) == 0x7000_8086)
        write(&space, Self.isaBridge | 0x60, 0x0B0A_0905)
        #expect(read(&space, Self.isaBridge | 0x60) == 0x0B0A_0905)
    }
}
