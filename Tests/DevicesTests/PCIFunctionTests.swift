import Testing

@testable import Devices

/// What software sees of a function's configuration space.
@Suite struct PCIFunctionTests {
    @Test func `base addresses tell their kind and, when all ones are written, their size`() {
        let machine = CardMachine()
        #expect(machine.read(3, 0x10) == 1 && machine.read(3, 0x14) == 0)
        machine.write(3, 0x10, .max)
        machine.write(3, 0x14, .max)
        #expect(machine.read(3, 0x10) == 0xFFF9 && machine.read(3, 0x14) == 0xFFFF_F000)
        machine.write(3, 0x10, 0x1234_C123)
        machine.write(3, 0x14, 0xE123_4567)
        #expect(machine.read(3, 0x10) == 0xC121 && machine.read(3, 0x14) == 0xE123_4000)
        for offset in stride(from: UInt32(0x18), through: 0x30, by: 4) {
            machine.write(3, offset, .max)
            #expect(machine.read(3, offset) == 0)
        }
    }

    @Test func `a base address is written in bytes too`() {
        let machine = CardMachine()
        for (index, value) in [0xFF, 0x3F, 0x12, 0xE0].enumerated() as EnumeratedSequence<[UInt32]> {
            machine.write(3, 0x14 + UInt32(index), value, size: 1)
        }
        #expect(machine.read(3, 0x14) == 0xE012_3000)
    }

    @Test func `the command register has the bits that belong to what a function has`() {
        let machine = CardMachine([(3, .a), (4, .none)])
        machine.write(3, 4, 0xFFFF, size: 2)
        machine.write(4, 4, 0xFFFF, size: 2)
        #expect(machine.read(3, 4) & 0xFFFF == 0x0407 && machine.read(4, 4) & 0xFFFF == 0x0007)
    }

    @Test func `status bits are cleared by ones, and by nothing else`() {
        let machine = CardMachine()
        machine.write(3, 4, 0)
        #expect(machine.read(3, 4) == 0x2000_0000)
        machine.write(3, 4, 0xD900_0000)
        #expect(machine.read(3, 4) == 0x2000_0000)
        machine.write(3, 7, 0x20, size: 1)
        #expect(machine.read(3, 4) == 0)
    }

    @Test func `the interrupt line is software's, the pin is not, and neither is there without a pin`() {
        let machine = CardMachine([(3, .c), (4, .none)])
        machine.write(3, 0x3C, .max)
        machine.write(4, 0x3C, .max)
        #expect(machine.read(3, 0x3C) == 0x0000_03FF && machine.read(4, 0x3C) == 0)
    }

    @Test func `interrupt status is the level, also when the interrupt is disabled, and cannot be written`() {
        let machine = CardMachine()
        machine.write(3, 4, 0x0400, size: 2)
        machine.board.setInterrupt(ofFunction: 2, true)
        #expect(machine.read(3, 4) & 1 << 19 != 0)
        machine.write(3, 4, 0xFFFF_0400)
        #expect(machine.read(3, 4) & 1 << 19 != 0)
        machine.board.setInterrupt(ofFunction: 2, false)
        #expect(machine.read(3, 4) & 1 << 19 == 0)
    }

    @Test func `a function is found at its place only`() {
        let machine = CardMachine([(3, .a), (31, .b)])
        let found = (UInt8(0)..<32).filter { machine.read($0, 0) != .max }
        #expect(found == [0, 1, 3, 31])
        for other in 1..<8 as Range<UInt32> {
            machine.board.write(0xCF8, size: 4, 0x8000_1800 | other << 8, at: machine.time)
            #expect(machine.board.read(0xCFC, size: 4, at: machine.time) == .max)
        }
    }
}
