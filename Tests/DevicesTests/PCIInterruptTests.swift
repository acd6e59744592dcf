import Support
import Testing

@testable import Devices

/// The way of a card's interrupt: pin, PIRQ, route, and both kinds of controller.
@Suite struct PCIInterruptTests {
    /// The cards' numbers: those after the bridges.
    private static let (first, second) = (2, 3)
    private static let routable: [UInt8] = [3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15]

    /// The levels of the lines, as both kinds of controller have them.
    private func lines(_ machine: CardMachine) -> Set<UInt8> {
        Set((0..<16 as Range<UInt8>).filter { machine.board.controllers.isHigh($0) })
    }

    @Test(arguments: 0..<32 as Range<UInt8>)
    func `devices and pins are spread over the four PIRQs`(device: UInt8) {
        for (index, pin) in [PCIInterruptPin.a, .b, .c, .d].enumerated() {
            // As QEMU has it for the 440FX: the pin plus the device minus one.
            let expected = (index + Int(device) + 3) & 3
            #expect(PCIInterruptRouting.request(pin, ofDevice: device) == expected)
            guard device > 1 else { continue }
            let machine = CardMachine([(device, pin)])
            for (request, line) in [5, 9, 10, 11].enumerated() { machine.route(request, to: UInt8(line)) }
            machine.board.setInterrupt(ofFunction: Self.first, true)
            #expect(lines(machine) == [[5, 9, 10, 11][expected]])
            machine.board.setInterrupt(ofFunction: Self.first, false)
            #expect(lines(machine) == [])
        }
    }

    @Test func `a PIRQ goes to each IRQ that the ISA bridge may route to, and to no other`() {
        for request in 0..<4 {
            let machine = CardMachine([(UInt8(4 + (request + 1) % 4), .a)])
            for value in UInt8.min...UInt8.max {
                machine.route(request, to: value)
                machine.board.setInterrupt(ofFunction: Self.first, true)
                let line = value & 15
                #expect(lines(machine) == (value < 0x80 && Self.routable.contains(line) ? [line] : []), "route \(value)")
                machine.board.setInterrupt(ofFunction: Self.first, false)
            }
        }
    }

    @Test func `rerouting a line that is high moves it, and disabling the route or the interrupt takes it away`() {
        let machine = CardMachine()
        machine.board.setInterrupt(ofFunction: Self.first, true)
        #expect(lines(machine) == [])
        machine.route(2, to: 10)
        #expect(lines(machine) == [10])
        machine.route(2, to: 11)
        #expect(lines(machine) == [11])
        machine.write(3, CardMachine.command, 0x0400, size: 2)
        #expect(lines(machine) == [])
        machine.write(3, CardMachine.command, 0, size: 2)
        #expect(lines(machine) == [11])
        machine.route(2, to: 0x8B)
        #expect(lines(machine) == [])
    }

    @Test func `functions and PIRQs share a line: it is high as long as one of them drives it`() {
        // One on PIRQC by its pin A, one on PIRQC by its pin D; then on PIRQD.
        for (device, request) in [(4, 2), (5, 3)] as [(UInt8, Int)] {
            let machine = CardMachine([(3, .a), (device, .d)])
            machine.route(2, to: 10)
            machine.route(request, to: 10)
            for number in [Self.first, Self.second] { machine.board.setInterrupt(ofFunction: number, true) }
            #expect(lines(machine) == [10])
            machine.board.setInterrupt(ofFunction: Self.first, false)
            #expect(lines(machine) == [10])
            machine.board.setInterrupt(ofFunction: Self.second, false)
            #expect(lines(machine) == [])
        }
    }

    @Test func `an ISA device and a PIRQ on one line are ORed`() {
        let machine = CardMachine()
        machine.route(2, to: 4)
        machine.board.write(0x3F9, size: 1, 1, at: machine.time)
        machine.board.write(0x3FC, size: 1, 8, at: machine.time)
        machine.board.receive(65)
        #expect(lines(machine) == [4])
        machine.board.setInterrupt(ofFunction: Self.first, true)
        #expect(machine.board.read(0x3F8, size: 1, at: machine.time) == 65)
        #expect(lines(machine) == [4])
        machine.board.receive(66)
        machine.board.setInterrupt(ofFunction: Self.first, false)
        #expect(lines(machine) == [4])
        #expect(machine.board.read(0x3F8, size: 1, at: machine.time) == 66)
        #expect(lines(machine) == [])
    }

    @Test func `both kinds of controller interrupt, by level, until the card has enough`() {
        let machine = CardMachine()
        machine.route(2, to: 11)
        for (port, value) in [
            (0x4D1, 0x08), (0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0xA0, 0x11), (0xA1, 0x28), (0xA1, 2), (0xA1, 1),
        ] as [(UInt16, UInt32)] {
            machine.board.write(port, size: 1, value, at: machine.time)
        }
        machine.board.writeWord(0xFEC0_0000, 0x10 + 2 * 11)
        machine.board.writeWord(0xFEC0_0010, 0x8000 | 0x5B)
        machine.board.needsAttention = false
        machine.board.setInterrupt(ofFunction: Self.first, true)
        #expect(machine.board.needsAttention)
        for _ in 0..<2 {
            #expect(machine.board.takeMessage()?.vector == 0x5B)
            #expect(machine.board.takeMessage() == nil)
            machine.board.endOfInterrupt(0x5B)
            #expect(machine.board.requestsExternalInterrupt)
            #expect(machine.board.acknowledgeExternalInterrupt(at: machine.time) == 0x2B)
            #expect(!machine.board.requestsExternalInterrupt)
            for port in [0xA0, 0x20] as [UInt16] { machine.board.write(port, size: 1, 0x20, at: machine.time) }
        }
        machine.board.setInterrupt(ofFunction: Self.first, false)
        #expect(!machine.board.requestsExternalInterrupt && machine.board.takeMessage() == nil)
    }
}
