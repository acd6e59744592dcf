import Support
import Testing

@testable import Devices

/// The ports and the memory that a card's base addresses claim.
@Suite struct PCIClaimTests {
    @Test func `a card answers where software places it, once the command register allows it`() {
        let machine = CardMachine()
        machine.write(3, CardMachine.portBase, 0xC100)
        machine.write(3, CardMachine.memoryBase, 0xE000_0000)
        #expect(machine.isAbsent(0xC107) && machine.board.readMemory(0xE000_0000) == nil)
        machine.write(3, CardMachine.command, CardMachine.ports, size: 2)
        #expect(machine.hasSerialPort(at: 0xC100) && !machine.hasIOAPIC(at: 0xE000_0000))
        machine.write(3, CardMachine.command, CardMachine.memory, size: 2)
        #expect(machine.isAbsent(0xC107) && machine.hasIOAPIC(at: 0xE000_0000))
        #expect(machine.board.readMemory(0xDFFF_FFFC) == nil && machine.board.readMemory(0xE000_1000) == nil)
        machine.write(3, CardMachine.command, 0, size: 2)
        #expect(machine.isAbsent(0xC107) && !machine.hasIOAPIC(at: 0xE000_0000))
    }

    @Test func `moved, it answers at the new place and no longer at the old one, as often as software likes`() {
        let machine = CardMachine()
        machine.place(ports: 0x1000, memory: 0x8000_0000)
        var (port, address): (UInt16, UInt64) = (0x1000, 0x8000_0000)
        for step in 1..<100 as Range<UInt16> {
            machine.write(3, CardMachine.portBase, UInt32(0x1000 + step * 0x208))
            machine.write(3, CardMachine.memoryBase, 0x8000_0000 + UInt32(step) << 20)
            #expect(machine.isAbsent(port + 7) && machine.board.readMemory(address) == nil)
            (port, address) = (0x1000 + step * 0x208, 0x8000_0000 + UInt64(step) << 20)
            #expect(machine.hasSerialPort(at: port) && machine.hasIOAPIC(at: address))
        }
        #expect(machine.hasSerialPort(at: 0x3F8) && machine.hasIOAPIC(at: 0xFEC0_0000))
    }

    @Test func `wide accesses and the ends of ranges`() {
        let machine = CardMachine()
        machine.place(ports: 0xC100)
        machine.board.write(0xC106, size: 2, 0x5A00, at: machine.time)
        #expect(machine.board.read(0xC107, size: 2, at: machine.time) == 0xFF5A)
        #expect(machine.isAbsent(0xC0FF) && machine.isAbsent(0xC108))
    }

    @Test func `0 and all ones are no addresses`() {
        let machine = CardMachine()
        for (ports, memory) in [(0, 0), (.max, .max), (0xFFF8, 0xFFFF_F000)] as [(UInt32, UInt32)] {
            machine.place(ports: ports, memory: memory)
            #expect(machine.isAbsent(0) && machine.isAbsent(7) && machine.isAbsent(0xFFFF))
            #expect(machine.board.readMemory(0) == nil && machine.board.readMemory(0xFFFF_F000) == nil)
        }
        // Next to them is.
        machine.place(ports: 0xFFF0, memory: 0xFFFF_E000)
        #expect(machine.hasSerialPort(at: 0xFFF0) && machine.hasIOAPIC(at: 0xFFFF_E000))
        machine.place(ports: 8, memory: 0x1000)
        #expect(machine.hasSerialPort(at: 8) && machine.hasIOAPIC(at: 0x1000))
    }

    @Test func `no base address takes a port of the board's own, and none is missing afterwards`() {
        let machine = CardMachine()
        let fresh = machine.board.ports
        let own = (UInt16.min...UInt16.max).filter { Board.isPresent($0) }
        for port in own + [0xCF0, 0x600] {
            machine.place(ports: UInt32(port & ~7))
            var (map, before) = (machine.board.ports, fresh)
            for other in own {
                let (found, expected) = (map.find(other), before.find(other))
                if found != expected { Issue.record("port \(other) with the card at \(port & ~7)") }
            }
        }
        // What is free of the range is the card's: CF0H to CF7H here, and 22H to 27H.
        machine.place(ports: 0xCF0)
        #expect(machine.hasSerialPort(at: 0xCF0))
        machine.place(ports: 0xCF8)
        #expect(machine.read(3, 0) == 0x5678_1234)
        machine.place(ports: 0x20)
        #expect(machine.hasSerialPort(at: 0x20))
        machine.write(3, CardMachine.command, 0, size: 2)
        #expect(machine.board.ports == fresh)
    }

    @Test func `nobody takes the I/O APIC's page, and memory may lie over RAM, which answers first`() {
        let machine = CardMachine()
        let fresh = machine.board.memory
        machine.place(memory: 0xFEC0_0000)
        #expect(machine.hasIOAPIC(at: 0xFEC0_0000))
        machine.place(memory: 0x0010_0000)
        // The machine asks the bus only for what is not RAM.
        #expect(machine.hasIOAPIC(at: 0x0010_0000) && machine.hasIOAPIC(at: 0xFEC0_0000))
        machine.write(3, CardMachine.command, 0, size: 2)
        #expect(machine.board.memory == fresh)
    }

    @Test func `of two cards at the same place the first answers, and the other when that goes away`() {
        let machine = CardMachine([(3, .a), (4, .a)])
        machine.place(3, ports: 0xC000)
        machine.place(4, ports: 0xC000)
        let fresh = machine.board.ports
        #expect(machine.hasSerialPort(at: 0xC000))
        machine.write(3, CardMachine.portBase, 0xD000)
        #expect(machine.hasSerialPort(at: 0xC000) && machine.hasSerialPort(at: 0xD000))
        machine.write(3, CardMachine.portBase, 0xC000)
        #expect(machine.board.ports == fresh)
    }

    @Test func `an address is looked up wherever a device or a local APIC may be`() {
        let machine = CardMachine()
        #expect(machine.board.mayAnswer(at: 0xFEC0_0000) && machine.board.mayAnswer(at: 0xFEE0_0FFF))
        #expect(!machine.board.mayAnswer(at: 0xFEBF_FFFF) && !machine.board.mayAnswer(at: 0xFEE0_1000))
        machine.place(memory: 0xFFFF_E000)
        #expect(machine.board.mayAnswer(at: 0xFFFF_EFFF) && !machine.board.mayAnswer(at: 0xFFFF_F000))
        machine.board.includeLocalAPIC(0x8_0000_0000)
        #expect(machine.board.mayAnswer(at: 0x8_0000_0FFF) && machine.board.mayAnswer(at: 0xFEC0_0000))
        #expect(!machine.board.mayAnswer(at: 0x8_0000_1000) && !machine.board.mayAnswer(at: 0xFEBF_FFFF))
    }

    @Test func `100,000 random accesses never trap, and take nothing from the board`() {
        var random = FixedSeedGenerator(seed: 0xBA5E)
        let machine = CardMachine([(3, .a), (4, .d)])
        for step in 0..<100_000 {
            let (value, kind) = (UInt32(truncatingIfNeeded: random.next()), Int.random(in: 0..<4, using: &random))
            let device = ([0, 1, 3, 4] as [UInt8]).randomElement(using: &random)!
            let address = UInt64(value) << UInt64(kind)
            switch kind {
            case 0: machine.write(device, [4, 0x10, 0x14, 0x60].randomElement(using: &random)!, value)
            case 1: _ = machine.board.readMemory(address & ~3)
            case 2: _ = machine.board.read(UInt16(truncatingIfNeeded: value), size: 4, at: machine.time)
            default: machine.board.setInterrupt(ofFunction: Int(value & 3), value & 4 != 0)
            }
            if step % 1000 == 0 { #expect(machine.hasSerialPort(at: 0x3F8) && machine.hasIOAPIC(at: 0xFEC0_0000)) }
        }
        for card in [3, 4] as [UInt8] { machine.write(card, CardMachine.command, 0, size: 2) }
        #expect(machine.board.ports == CardMachine().board.ports && machine.board.memory == CardMachine().board.memory)
    }
}
