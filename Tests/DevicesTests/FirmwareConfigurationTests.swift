import Devices
import Support
import Testing

@Suite struct FirmwareConfigurationTests {
    private static let commandLine = Array("console=ttyS0 quiet".utf8)

    private func device(above: UInt64 = 0) -> FirmwareConfiguration {
        FirmwareConfiguration(
            memoryBelow4GiB: 0xC000_0000, memoryAbove4GiB: above, processors: 2,
            commandLineLength: UInt32(Self.commandLine.count))
    }

    private func byte(_ device: inout FirmwareConfiguration) -> UInt8 {
        device.readData { Self.commandLine[Int($0)] }
    }

    private func item(_ device: inout FirmwareConfiguration, _ selector: UInt16, _ count: Int) -> [UInt8] {
        device.select(selector)
        return (0..<count).map { _ in byte(&device) }
    }

    private func number(_ device: inout FirmwareConfiguration, _ selector: UInt16, _ count: Int) -> UInt64 {
        item(&device, selector, count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    @Test func `before anything is selected, the signature is read, then zeros`() {
        var device = device()
        #expect((0..<6).map { _ in byte(&device) } == Array("QEMU".utf8) + [0, 0])
        #expect(item(&device, 0, 5) == Array("QEMU".utf8) + [0])
    }

    @Test func `features, memory size and processors are told`() {
        var device = device(above: 0x4000_0000)
        #expect(number(&device, 0x01, 4) == 1, "no DMA interface")
        #expect(number(&device, 0x03, 8) == 0x1_0000_0000)
        #expect(number(&device, 0x04, 2) == 1)
        #expect(number(&device, 0x05, 2) == 2)
        #expect(number(&device, 0x0F, 2) == 2)
        #expect(number(&device, 0x8002, 1) == 1)
        #expect(item(&device, 0x03, 10).suffix(2) == [0, 0], "zeros beyond the end")
    }

    @Test func `the command line is read with its final zero, and its size counts that`() {
        var device = device()
        #expect(number(&device, 0x14, 4) == UInt64(Self.commandLine.count + 1))
        #expect(item(&device, 0x15, Self.commandLine.count + 3) == Self.commandLine + [0, 0, 0])
        var none = FirmwareConfiguration(memoryBelow4GiB: 1 << 30)
        #expect(number(&none, 0x14, 4) == 1 && item(&none, 0x15, 2) == [0, 0])
    }

    @Test func `selecting begins an item anew, also with the bit that once asked to write`() {
        var device = device()
        #expect(item(&device, 0x15, 3) == Array("con".utf8))
        #expect(item(&device, 0x4015, 3) == Array("con".utf8))
        #expect(item(&device, 0x8000, 2) == [0, 0] && item(&device, 0xFFFF, 2) == [0, 0])
    }

    @Test(arguments: [(0, 1), (1 << 30, 2)] as [(UInt64, Int)])
    func `the directory names the one file, big-endian`(above: UInt64, entries: Int) {
        var device = device(above: above)
        let name = Array("etc/e820".utf8)
        let directory: [UInt8] =
            [0, 0, 0, 1] + [0, 0, 0, UInt8(entries * 20), 0, 0x20, 0, 0] + name + [UInt8](repeating: 0, count: 48)
        #expect(item(&device, 0x19, 4 + 64) == directory)
        #expect(item(&device, 0x19, 4 + 64 + 8).suffix(8) == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test func `the memory map has the RAM below and above 4 GiB`() {
        var device = device(above: 0x1_2345_0000)
        let low: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 1, 0, 0, 0]
        let high: [UInt8] = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x45, 0x23, 1, 0, 0, 0, 1, 0, 0, 0]
        #expect(item(&device, 0x20, 44) == low + high + [0, 0, 0, 0])
        var small = self.device()
        #expect(item(&small, 0x20, 24) == low + [0, 0, 0, 0])
    }

    @Test func `no access traps, and the device still answers afterwards`() {
        var generator = FixedSeedGenerator(seed: 0x510)
        var device = FirmwareConfiguration(
            memoryBelow4GiB: .max, memoryAbove4GiB: .max, processors: .max,
            commandLineLength: UInt32(Self.commandLine.count))
        for _ in 0..<100_000 {
            let value = generator.next()
            if value & 15 == 0 {
                device.select(UInt16(truncatingIfNeeded: value >> 8) & (value & 16 != 0 ? 0xFFFF : 0x3F))
            } else {
                _ = byte(&device)
            }
        }
        #expect(item(&device, 0, 4) == Array("QEMU".utf8))
    }
}
