import Support
import Testing

@testable import Devices

/// An 8259A the slow way: lists of inputs in the order of their priority, and the data sheet's sentences.
private struct Reference {
    var lines = Set<Int>(), requested = Set<Int>(), inService = Set<Int>(), masked = Set<Int>(), level = Set<Int>()
    var order = Array(0..<8)
    var endsAutomatically = false, rotates = false, isSpecialMask = false

    var candidate: Int? {
        for input in order {
            if inService.contains(input), !(isSpecialMask && masked.contains(input)) { return nil }
            if requested.contains(input), !masked.contains(input) { return input }
        }
        return nil
    }

    mutating func makeLast(_ input: Int) {
        while order.last != input { order.append(order.removeFirst()) }
    }

    mutating func setLine(_ input: Int, _ isHigh: Bool) {
        if isHigh, lines.insert(input).inserted { requested.insert(input) }
        if !isHigh {
            lines.remove(input)
            requested.remove(input)
        }
    }

    mutating func setLevel(_ new: Set<Int>) {
        for input in new.symmetricDifference(level) { requested.remove(input) }
        level = new
        requested.formUnion(lines.intersection(level))
    }

    mutating func take() -> Int? {
        guard let input = candidate else { return nil }
        if !level.contains(input) { requested.remove(input) }
        if !endsAutomatically { inService.insert(input) } else if rotates { makeLast(input) }
        return input
    }

    mutating func end(_ named: Int?, rotates: Bool) {
        let found = named ?? order.first { inService.contains($0) && !(isSpecialMask && masked.contains($0)) }
        guard let input = found else { return }
        inService.remove(input)
        if rotates { makeLast(input) }
    }
}

@Suite struct InterruptController8259Tests {
    static func set(_ byte: UInt8) -> Set<Int> { Set((0..<8).filter { byte >> $0 & 1 != 0 }) }

    static func controller(mode: UInt8 = 0x01) -> InterruptController8259 {
        var controller = InterruptController8259(levelCapable: 0xFF)
        controller.writeCommand(0x11)
        for value in [0x40, 0x02, mode] as [UInt8] { controller.writeData(value) }
        return controller
    }

    @Test func `acknowledging nothing gives input 7, not in service`() {
        var controller = Self.controller()
        #expect(controller.acknowledge() == 7)
        #expect(controller == Self.controller())
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `random use behaves as the data sheet's sentences say`(seed: UInt64) {
        var random = FixedSeedGenerator(seed: seed)
        let endsAutomatically = seed & 1 == 0
        var controller = Self.controller(mode: endsAutomatically ? 0x03 : 0x01)
        var reference = Reference()
        reference.endsAutomatically = endsAutomatically
        for step in 0..<25_000 {
            let byte = UInt8.random(in: 0...255, using: &random), input = Int(byte & 7)
            switch Int.random(in: 0..<16, using: &random) {
            case 0..<5:
                controller.setLine(1 << UInt8(input), byte & 0x80 != 0)
                reference.setLine(input, byte & 0x80 != 0)
            case 5..<8: #expect(controller.acknowledge() == UInt8(reference.take() ?? 7))
            case 8:
                controller.writeData(byte & 0x55)
                reference.masked = Self.set(byte & 0x55)
            case 9:
                controller.setLevelTriggered(byte & 0xAA)
                reference.setLevel(Self.set(byte & 0xAA))
            case 10, 11:
                controller.writeCommand(0x20 | byte & 0x80)
                reference.end(nil, rotates: byte & 0x80 != 0)
            case 12:
                controller.writeCommand(0x60 | byte & 0x87)
                reference.end(input, rotates: byte & 0x80 != 0)
            case 13:
                controller.writeCommand(0xC0 | byte & 7)
                reference.makeLast(input)
            case 14:
                controller.writeCommand(byte & 0x80)
                reference.rotates = byte & 0x80 != 0
                controller.writeCommand(0x48 | byte & 0x20)
                reference.isSpecialMask = byte & 0x20 != 0
            default:
                controller.writeCommand(0x0C)
                #expect(controller.readData() == reference.take().map { 0x80 | UInt8($0) } ?? 0)
            }
            controller.writeCommand(0x0A)
            #expect(Self.set(controller.readCommand()) == reference.requested, "seed \(seed), step \(step)")
            controller.writeCommand(0x0B)
            #expect(Self.set(controller.readCommand()) == reference.inService, "seed \(seed), step \(step)")
            #expect(Self.set(controller.readData()) == reference.masked)
            #expect(controller.output == (reference.candidate != nil), "seed \(seed), step \(step)")
        }
    }

    @Test func `fully nested, only ever a more urgent unmasked request comes on top of what is in service`() {
        var random = FixedSeedGenerator(seed: 8259)
        var controller = Self.controller()
        /// What is in service, the innermost last.
        var nest: [UInt8] = []
        for _ in 0..<50_000 {
            let byte = UInt8.random(in: 0...255, using: &random)
            switch byte >> 6 {
            case 0: controller.writeData(UInt8.random(in: 0...255, using: &random))
            case 1: controller.setLine(1 << (byte & 7), byte & 8 != 0)
            case 2:
                controller.writeCommand(0x20)
                _ = nest.popLast()
            default: break
            }
            controller.writeCommand(0x0A)
            let requested = controller.readCommand()
            let wanted = requested & ~controller.readData()
            let isMoreUrgent = wanted != 0 && wanted.trailingZeroBitCount < Int(nest.last ?? 8)
            #expect(controller.output == isMoreUrgent)
            if isMoreUrgent, byte & 0x10 != 0 {
                nest.append(controller.acknowledge())
                #expect(nest.last == UInt8(wanted.trailingZeroBitCount))
            }
            controller.writeCommand(0x0B)
            #expect(Self.set(controller.readCommand()) == Set(nest.map(Int.init)))
            #expect(nest == nest.sorted(by: >))
        }
    }

    @Test func `random bytes on all ports do no harm, and what interrupts can be acknowledged`() {
        var random = FixedSeedGenerator(seed: 0x20A0)
        var pair = InterruptControllerPair()
        let registers: [UInt8] = [0, 1, 2, 3, 4, 5]
        for _ in 0..<100_000 {
            let byte = UInt8.random(in: 0...255, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: pair.write(registers.randomElement(using: &random)!, byte)
            case 1: _ = pair.read(registers.randomElement(using: &random)!)
            case 2: pair.setLine(byte & 0x1F, byte & 0x80 != 0)
            default:
                let interrupts = pair.interruptOutput
                let vector = pair.acknowledge()
                if !interrupts { #expect(vector & 7 == 7, "spurious") }
            }
        }
        // After all that it can be initialized, and works.
        for irq in UInt8(0)..<16 { pair.setLine(irq, false) }
        InterruptControllerPairTests.initialize(&pair)
        pair.setLine(9, true)
        #expect(pair.interruptOutput && pair.acknowledge() == 0x39)
    }
}
