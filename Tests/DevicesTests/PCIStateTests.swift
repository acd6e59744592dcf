import Support
import Testing

@testable import Devices

/// Cards keep their places and their interrupts when a board's state is put into another.
@Suite struct PCIStateTests {
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `claims and lines follow from the state`(seed: UInt64) {
        let cards: [(device: UInt8, pin: PCIInterruptPin)] = [(3, .a), (6, .b)]
        var random = FixedSeedGenerator(seed: seed)
        var here = CardMachine(cards)
        for _ in 0..<200 {
            for _ in 0..<20 {
                let value = UInt32(truncatingIfNeeded: random.next())
                let device = cards[Int(value & 1)].device
                switch UInt8.random(in: 0..<7, using: &random) {
                case 0: here.write(device, CardMachine.command, value & 0x0407, size: 2)
                case 1: here.write(device, CardMachine.portBase, value & 0xFFFF)
                case 2: here.write(device, CardMachine.memoryBase, value)
                case 3: here.route(Int(value >> 2 & 3), to: UInt8(value >> 8 & 0x8F))
                case 4: here.board.setLine([3, 5, 6, 7, 10, 11, 14, 15][Int(value >> 2 & 7)], value & 2 != 0)
                default: here.board.setInterrupt(ofFunction: 2 + Int(value & 1), value & 2 != 0)
                }
            }
            let saved = here.board.state
            let there = CardMachine(cards)
            there.board.restore(saved)
            #expect(there.board.state == saved)
            #expect(there.board.ports == here.board.ports && there.board.memory == here.board.memory)
            #expect(there.board.functionLines == here.board.functionLines && there.board.pci == here.board.pci)
            // A line that falls now does so in both.
            for var board in [here.board, there.board] {
                for number in [2, 3] { board.setInterrupt(ofFunction: number, false) }
                let lines = (0..<16 as Range<UInt8>).filter { board.controllers.isHigh($0) }
                let driven = (0..<16 as Range<UInt8>).filter { board.deviceLines >> UInt16($0) & 1 != 0 }
                #expect(lines == driven)
            }
            here = there
        }
    }

    @Test func `what a card holds is in the state`() {
        let changes: [(CardMachine) -> Void] = [
            { $0.write(3, CardMachine.command, 1, size: 2) }, { $0.write(3, CardMachine.portBase, 0xC000) },
            { $0.write(3, CardMachine.memoryBase, 0xE000_0000) }, { $0.write(3, CardMachine.interrupt, 11, size: 1) },
            { $0.board.setInterrupt(ofFunction: 2, true) }, { $0.board.setLine(5, true) },
        ]
        for change in changes {
            let machine = CardMachine()
            _ = machine.read(3, 0)
            let before = machine.board.state
            change(machine)
            #expect(machine.board.state != before)
        }
    }
}
