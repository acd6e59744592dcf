import Testing

@testable import Devices

@Suite struct NonvolatileMemoryTests {
    private static func make(_ below: UInt64, _ above: UInt64) -> NonvolatileMemory {
        var memory = NonvolatileMemory()
        memory.testSelf(memoryBelow4GiB: below, memoryAbove4GiB: above)
        return memory
    }

    private func word(_ memory: NonvolatileMemory, _ address: UInt8) -> Int {
        Int(memory[address]) | Int(memory[address + 1]) << 8
    }

    @Test(
        arguments: [
            (512 << 10, 0, 512, 0, 0, 0), (64 << 20, 0, 640, 63 << 10, 768, 0), (65 << 20, 0, 640, 0xFFFF, 784, 0),
            (3 << 30, 5 << 30, 640, 0xFFFF, 0xBF00, 0x14000), (1 << 60, 1 << 60, 640, 0xFFFF, 0xFFFF, 0xFF_FFFF),
        ] as [(UInt64, UInt64, Int, Int, Int, Int)])
    func `firmware tells memory sizes up to what their fields hold`(
        below: UInt64, above: UInt64, base: Int, extended: Int, beyond16: Int, high: Int
    ) {
        let memory = Self.make(below, above)
        #expect(word(memory, 0x15) == base)
        #expect(word(memory, 0x17) == extended && word(memory, 0x30) == extended)
        #expect(word(memory, 0x34) == beyond16)
        #expect(word(memory, 0x5B) | Int(memory[0x5D]) << 16 == high)
    }

    @Test func `the checksum is right, the equipment is there, the shutdown status says nothing`() {
        let memory = Self.make(1 << 30, 0)
        let sum = (0x10...0x2D).reduce(0) { $0 + Int(memory[UInt8($1)]) }
        #expect(Int(memory[0x2E]) << 8 | Int(memory[0x2F]) == sum && sum > 0xFF)
        #expect(memory[0x14] == 0x02 && memory[0x0F] == 0 && memory[0x0E] == 0)
    }

    @Test func `two memories are equal if all their bytes are; addresses have seven bits`() {
        var memory = NonvolatileMemory()
        #expect(memory == NonvolatileMemory())
        memory[0xFF] = 1
        #expect(memory[0x7F] == 1 && memory != NonvolatileMemory())
    }
}
