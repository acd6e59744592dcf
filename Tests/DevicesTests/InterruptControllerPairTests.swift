import Support
import Testing

@testable import Devices

@Suite struct InterruptControllerPairTests {
    static let first: UInt8 = 0, firstMask: UInt8 = 1, second: UInt8 = 2, secondMask: UInt8 = 3
    static let firstTrigger: UInt8 = 4, secondTrigger: UInt8 = 5
    static let endOfInterrupt: UInt8 = 0x20

    /// As Linux and most others set them up: vectors 30H and 38H, nothing masked.
    static func pair(firstMode: UInt8 = 0x01, secondMode: UInt8 = 0x01) -> InterruptControllerPair {
        var pair = InterruptControllerPair()
        initialize(&pair, firstMode: firstMode, secondMode: secondMode)
        return pair
    }

    static func initialize(_ pair: inout InterruptControllerPair, firstMode: UInt8 = 0x01, secondMode: UInt8 = 0x01) {
        pair.write(first, 0x11)
        for value in [0x30, 0x04, firstMode] as [UInt8] { pair.write(firstMask, value) }
        pair.write(second, 0x11)
        for value in [0x38, 0x02, secondMode] as [UInt8] { pair.write(secondMask, value) }
    }

    /// IRR or ISR of a controller.
    static func register(_ pair: InterruptControllerPair, _ port: UInt8, _ command: UInt8) -> UInt8 {
        var copy = pair
        copy.write(port, command)
        return copy.read(port)
    }
    static func requested(_ pair: InterruptControllerPair) -> UInt16 {
        UInt16(register(pair, first, 0x0A)) | UInt16(register(pair, second, 0x0A)) << 8
    }
    static func inService(_ pair: InterruptControllerPair) -> UInt16 {
        UInt16(register(pair, first, 0x0B)) | UInt16(register(pair, second, 0x0B)) << 8
    }

    static func pulse(_ pair: inout InterruptControllerPair, _ irqs: UInt8...) {
        for irq in irqs {
            pair.setLine(irq, false)
            pair.setLine(irq, true)
        }
    }

    // MARK: Initialization

    @Test func `nothing interrupts before initialization is complete`() {
        var pair = InterruptControllerPair()
        for irq in UInt8(0)..<16 { pair.setLine(irq, true) }
        #expect(!pair.interruptOutput)
        for irq in UInt8(0)..<16 { pair.setLine(irq, false) }
        for (index, value) in ([0x30, 0x04, 0x01] as [UInt8]).enumerated() {
            if index == 0 { pair.write(Self.first, 0x11) }
            pair.setLine(1, false)
            pair.setLine(1, true)
            #expect(!pair.interruptOutput)
            pair.write(Self.firstMask, value)
        }
        #expect(pair.interruptOutput && pair.acknowledge() == 0x31)
    }

    @Test func `the output is the second one's too only when both are initialized`() {
        var pair = InterruptControllerPair()
        pair.write(Self.first, 0x11)
        for value in [0x30, 0x04, 0x01] as [UInt8] { pair.write(Self.firstMask, value) }
        pair.setLine(8, true)
        #expect(!pair.interruptOutput)
        Self.initialize(&pair)
        #expect(!pair.interruptOutput, "the line has to go high anew")
        Self.pulse(&pair, 8)
        #expect(pair.interruptOutput && pair.acknowledge() == 0x38)
    }

    @Test func `initialization clears masks, requests by edge, service and modes`() {
        var pair = Self.pair()
        pair.write(Self.firstMask, 0xAA)
        Self.pulse(&pair, 2, 4, 6)
        _ = pair.acknowledge()
        pair.write(Self.first, 0xC3)  // priorities
        pair.write(Self.first, 0x80)  // rotation
        pair.write(Self.first, 0x6B)  // special mask mode, ISR read
        pair.write(Self.first, 0x0C)  // poll
        pair.setLine(4, false)
        pair.setLine(6, false)
        Self.initialize(&pair)
        #expect(pair.state == Self.pair().state)
        #expect(pair.read(Self.firstMask) == 0 && pair.read(Self.first) == 0 && Self.inService(pair) == 0)
    }

    @Test(arguments: [0x10, 0x11, 0x12, 0x13] as [UInt8])
    func `how many words initialization takes follows from its first one`(word: UInt8) {
        var pair = InterruptControllerPair()
        pair.write(Self.first, word)
        pair.write(Self.firstMask, 0x47)  // the low three bits of a vector are the input
        if word & 2 == 0 { pair.write(Self.firstMask, 0x04) }
        if word & 1 != 0 { pair.write(Self.firstMask, 0x01) }
        pair.write(Self.firstMask, 0xF7)
        #expect(pair.read(Self.firstMask) == 0xF7)
        pair.setLine(3, true)
        #expect(pair.interruptOutput && pair.acknowledge() == 0x43)
    }

    // MARK: Requests

    @Test(arguments: (UInt8(0)..<16).filter { $0 != 2 })
    func `each input gives its vector, is in service until it is ended, and no other is`(irq: UInt8) {
        var pair = Self.pair()
        pair.setLine(irq, true)
        let own: UInt16 = 1 << UInt16(irq), cascade: UInt16 = irq < 8 ? 0 : 4
        #expect(pair.interruptOutput && Self.requested(pair) == own | cascade && Self.inService(pair) == 0)
        #expect(pair.acknowledge() == 0x30 + irq)
        #expect(!pair.interruptOutput && Self.requested(pair) == 0 && Self.inService(pair) == own | cascade)
        if irq >= 8 { pair.write(Self.second, Self.endOfInterrupt) }
        pair.write(Self.first, Self.endOfInterrupt)
        #expect(Self.inService(pair) == 0 && !pair.interruptOutput, "an edge interrupts once")
        Self.pulse(&pair, irq)
        #expect(pair.interruptOutput)
    }

    @Test func `inputs that there are not are ignored`() {
        var pair = Self.pair()
        for irq in [2, 16, 17, 18, 26, 255] as [UInt8] {
            pair.setLine(irq, true)
            #expect(pair.state == Self.pair().state)
        }
    }

    @Test func `a masked input keeps its request, and interrupts when the mask goes`() {
        var pair = Self.pair()
        pair.write(Self.firstMask, 0xFB)
        pair.write(Self.secondMask, 0xEF)
        Self.pulse(&pair, 1, 14)
        #expect(!pair.interruptOutput && Self.requested(pair) == 0x4002)
        #expect(pair.read(Self.firstMask) == 0xFB && pair.read(Self.secondMask) == 0xEF)
        pair.write(Self.secondMask, 0xBF)
        #expect(pair.interruptOutput && pair.acknowledge() == 0x3E)
        pair.write(Self.firstMask, 0xF9)
        #expect(pair.interruptOutput && pair.acknowledge() == 0x31)
    }

    @Test func `a masked cascade holds the whole second controller`() {
        var pair = Self.pair()
        pair.write(Self.firstMask, 0x04)
        Self.pulse(&pair, 8, 15)
        #expect(!pair.interruptOutput)
        pair.write(Self.firstMask, 0x00)
        #expect(pair.acknowledge() == 0x38)
    }

    @Test func `a request that is withdrawn is gone, and acknowledging it is spurious`() {
        for irq in [1, 12] as [UInt8] {
            var pair = Self.pair()
            Self.pulse(&pair, irq)
            #expect(pair.interruptOutput)
            pair.setLine(irq, false)
            #expect(!pair.interruptOutput && pair.acknowledge() == 0x37)
            #expect(Self.inService(pair) == 0, "a spurious interrupt is not in service")
        }
    }

    @Test func `a request that is masked after all is spurious too, and waits`() {
        var pair = Self.pair()
        Self.pulse(&pair, 10)
        pair.write(Self.secondMask, 0x04)
        #expect(!pair.interruptOutput && pair.acknowledge() == 0x37 && Self.inService(pair) == 0)
        pair.write(Self.secondMask, 0x00)
        #expect(pair.acknowledge() == 0x3A)
    }

    @Test func `spurious and true interrupts of input 7 can be told apart by ISR`() {
        var pair = Self.pair()
        #expect(pair.acknowledge() == 0x37 && Self.inService(pair) & 0x80 == 0)
        Self.pulse(&pair, 7)
        #expect(pair.acknowledge() == 0x37 && Self.inService(pair) & 0x80 != 0)
    }

    // MARK: Edge and level

    @Test func `the trigger mode can be chosen but for inputs 0, 1, 2, 8 and 13`() {
        var pair = InterruptControllerPair()
        #expect(pair.read(Self.firstTrigger) == 0 && pair.read(Self.secondTrigger) == 0)
        pair.write(Self.firstTrigger, 0xFF)
        pair.write(Self.secondTrigger, 0xFF)
        #expect(pair.read(Self.firstTrigger) == 0xF8 && pair.read(Self.secondTrigger) == 0xDE)
        Self.initialize(&pair)
        #expect(pair.read(Self.firstTrigger) == 0xF8 && pair.read(Self.secondTrigger) == 0xDE, "initialization leaves it")
    }

    @Test func `a level interrupts until it falls; an edge once`() {
        var pair = Self.pair()
        pair.write(Self.secondTrigger, 0x02)
        for irq in [9, 10] as [UInt8] {
            pair.setLine(irq, true)
            for _ in 0..<3 {
                guard pair.interruptOutput else { break }
                #expect(pair.acknowledge() == 0x30 + irq && !pair.interruptOutput)
                pair.write(Self.second, Self.endOfInterrupt)
                pair.write(Self.first, Self.endOfInterrupt)
            }
            #expect(pair.interruptOutput == (irq == 9))
            pair.setLine(irq, false)
            #expect(!pair.interruptOutput)
        }
    }

    @Test func `a high line becomes a request when its input becomes level-triggered, and none when edge-triggered`() {
        var pair = Self.pair()
        pair.setLine(5, true)
        #expect(pair.acknowledge() == 0x35)
        pair.write(Self.first, Self.endOfInterrupt)
        #expect(!pair.interruptOutput)
        pair.write(Self.firstTrigger, 0x20)
        #expect(pair.interruptOutput)
        pair.write(Self.firstTrigger, 0x00)
        #expect(!pair.interruptOutput)
        Self.initialize(&pair)
        #expect(!pair.interruptOutput)
        pair.write(Self.firstTrigger, 0x20)
        Self.initialize(&pair)
        #expect(pair.interruptOutput, "a level is there after initialization too")
    }

    // MARK: Priorities

    @Test func `the lower input comes first, the second controller's as input 2`() {
        var pair = Self.pair()
        Self.pulse(&pair, 7, 3, 15, 0, 8, 4, 1)
        let expected: [UInt8] = [0, 1, 8, 15, 3, 4, 7]
        for irq in expected {
            #expect(pair.interruptOutput && pair.acknowledge() == 0x30 + irq && !pair.interruptOutput)
            if irq >= 8 { pair.write(Self.second, Self.endOfInterrupt) }
            pair.write(Self.first, Self.endOfInterrupt)
        }
        #expect(!pair.interruptOutput)
    }

    @Test func `only what is more urgent interrupts an interrupt`() {
        var pair = Self.pair()
        Self.pulse(&pair, 4)
        _ = pair.acknowledge()
        Self.pulse(&pair, 4, 6)
        #expect(!pair.interruptOutput)
        Self.pulse(&pair, 12)
        #expect(pair.acknowledge() == 0x3C)
        Self.pulse(&pair, 9)
        #expect(!pair.interruptOutput, "the cascade is in service")
        Self.pulse(&pair, 0)
        #expect(pair.acknowledge() == 0x30 && Self.inService(pair) == 0x1015)
        // The ends come in the opposite order.
        pair.write(Self.first, Self.endOfInterrupt)
        #expect(Self.inService(pair) == 0x1014)
        pair.write(Self.second, Self.endOfInterrupt)
        pair.write(Self.first, Self.endOfInterrupt)
        #expect(Self.inService(pair) == 0x0010 && pair.acknowledge() == 0x39)
    }

    @Test func `special fully nested, the second controller's more urgent inputs come through, and no others`() {
        var pair = Self.pair(firstMode: 0x11)
        Self.pulse(&pair, 12)
        #expect(pair.acknowledge() == 0x3C)
        Self.pulse(&pair, 3, 13)
        #expect(!pair.interruptOutput)
        Self.pulse(&pair, 9)
        #expect(pair.interruptOutput && pair.acknowledge() == 0x39)
        Self.pulse(&pair, 1)
        #expect(pair.acknowledge() == 0x31)
        Self.pulse(&pair, 8)
        #expect(!pair.interruptOutput)
        pair.write(Self.first, Self.endOfInterrupt)
        #expect(pair.interruptOutput && pair.acknowledge() == 0x38)
        // The first controller is only told of the end when the second has nothing more in service.
        for left in [0x12, 0x10, 0x00] as [UInt8] {
            pair.write(Self.second, Self.endOfInterrupt)
            #expect(Self.register(pair, Self.second, 0x0B) == left)
        }
        #expect(pair.acknowledge() == 0x3D)
        pair.write(Self.second, Self.endOfInterrupt)
        pair.write(Self.first, Self.endOfInterrupt)
        #expect(pair.acknowledge() == 0x33)
    }

    @Test func `a set priority goes round`() {
        var pair = Self.pair()
        pair.write(Self.first, 0xC0 | 4)
        pair.write(Self.second, 0xC0 | 1)
        Self.pulse(&pair, 0, 3, 4, 5, 6, 7, 8, 9, 10)
        var order: [UInt8] = []
        while pair.interruptOutput {
            order.append(pair.acknowledge() & 0xF)
            if order.last! >= 8 { pair.write(Self.second, Self.endOfInterrupt) }
            pair.write(Self.first, Self.endOfInterrupt)
        }
        #expect(order == [5, 6, 7, 0, 10, 8, 9, 3, 4])
    }

    // MARK: Ends and rotations

    @Test func `a specific end takes the named input out of service, whatever its priority`() {
        var pair = Self.pair()
        Self.pulse(&pair, 6)
        _ = pair.acknowledge()
        Self.pulse(&pair, 3)
        _ = pair.acknowledge()
        pair.write(Self.first, 0x60 | 5)
        #expect(Self.inService(pair) == 0x48)
        pair.write(Self.first, 0x60 | 6)
        #expect(Self.inService(pair) == 0x08)
        pair.write(Self.first, 0x40 | 3)
        #expect(Self.inService(pair) == 0x08, "no operation")
        pair.write(Self.first, 0x60 | 3)
        #expect(Self.inService(pair) == 0)
        pair.write(Self.first, Self.endOfInterrupt)
        #expect(Self.inService(pair) == 0)
    }

    @Test func `an end with rotation makes its input the last`() {
        for (command, isSpecific) in [(0xA0, false), (0xE0, true)] as [(UInt8, Bool)] {
            var pair = Self.pair()
            Self.pulse(&pair, 4)
            _ = pair.acknowledge()
            pair.write(Self.first, isSpecific ? command | 4 : command)
            #expect(Self.inService(pair) == 0)
            Self.pulse(&pair, 3, 4, 5)
            #expect(pair.acknowledge() == 0x35)
        }
        var pair = Self.pair()
        pair.write(Self.first, 0xA0)
        Self.pulse(&pair, 3, 4, 5)
        #expect(pair.acknowledge() == 0x33, "with nothing in service nothing rotates")
    }

    @Test func `an automatic end leaves nothing in service`() {
        var pair = Self.pair(firstMode: 0x03, secondMode: 0x03)
        Self.pulse(&pair, 5, 10, 1)
        for vector in [0x31, 0x3A, 0x35] as [UInt8] {
            #expect(pair.interruptOutput && pair.acknowledge() == vector && Self.inService(pair) == 0)
        }
        #expect(!pair.interruptOutput)
        pair.write(Self.firstTrigger, 0x20)
        #expect(pair.acknowledge() == 0x35 && pair.interruptOutput, "a level goes on")
    }

    @Test func `automatic ends rotate if told so`() {
        var pair = Self.pair(firstMode: 0x03)
        pair.write(Self.first, 0x80)
        Self.pulse(&pair, 3, 4)
        #expect(pair.acknowledge() == 0x33)
        Self.pulse(&pair, 3)
        #expect(pair.acknowledge() == 0x34 && pair.acknowledge() == 0x33)
        pair.write(Self.first, 0x00)
        Self.pulse(&pair, 3, 5)
        #expect(pair.acknowledge() == 0x35, "after 3 comes 4, then 5")
        Self.pulse(&pair, 4, 5)
        #expect(pair.acknowledge() == 0x34, "no rotation any more")
        #expect(pair.acknowledge() == 0x35)
    }

    // MARK: Special mask, poll, reading

    @Test func `in special mask mode a masked interrupt in service lets less urgent ones through, and is ended by name alone`() {
        var pair = Self.pair()
        Self.pulse(&pair, 3)
        _ = pair.acknowledge()
        Self.pulse(&pair, 6)
        pair.write(Self.firstMask, 0x08)
        #expect(!pair.interruptOutput)
        pair.write(Self.first, 0x68)
        #expect(pair.interruptOutput && pair.acknowledge() == 0x36)
        pair.write(Self.first, Self.endOfInterrupt)
        #expect(Self.inService(pair) == 0x08)
        pair.write(Self.first, Self.endOfInterrupt)
        #expect(Self.inService(pair) == 0x08)
        // Without the enable bit the mode stays; with it, it ends.
        pair.write(Self.first, 0x08)
        Self.pulse(&pair, 6)
        #expect(pair.interruptOutput)
        pair.write(Self.first, 0x48)
        #expect(!pair.interruptOutput)
        pair.write(Self.first, Self.endOfInterrupt)
        #expect(Self.inService(pair) == 0 && pair.interruptOutput)
    }

    @Test func `in special mask mode what is in service and not masked still has its priority`() {
        var pair = Self.pair()
        pair.write(Self.first, 0x68)
        Self.pulse(&pair, 3)
        _ = pair.acknowledge()
        Self.pulse(&pair, 6)
        #expect(!pair.interruptOutput)
        Self.pulse(&pair, 1)
        #expect(pair.interruptOutput)
    }

    @Test(arguments: [first, firstMask])
    func `a poll acknowledges by a read of either port`(port: UInt8) {
        var pair = Self.pair()
        pair.write(Self.firstMask, 0x80)
        pair.write(Self.first, 0x0C)
        #expect(pair.read(port) == 0 && pair.read(Self.firstMask) == 0x80, "nothing there; the next read is a read")
        Self.pulse(&pair, 4)
        pair.write(Self.first, 0x0E)
        #expect(pair.read(port) == 0x84 && !pair.interruptOutput && Self.inService(pair) == 0x10)
        #expect(pair.read(Self.first) == 0x00 && pair.read(Self.firstMask) == 0x80)
        Self.pulse(&pair, 5)
        pair.write(Self.first, 0x0C)
        #expect(pair.read(port) == 0, "less urgent than what is in service")
    }

    @Test func `polls of both controllers find the second one's interrupt`() {
        var pair = Self.pair()
        Self.pulse(&pair, 11)
        pair.write(Self.first, 0x0C)
        #expect(pair.read(Self.first) == 0x82)
        pair.write(Self.second, 0x0C)
        #expect(pair.read(Self.second) == 0x83 && Self.inService(pair) == 0x0804 && !pair.interruptOutput)
    }

    @Test func `IRR is read unless ISR is asked for, and the choice stays`() {
        var pair = Self.pair()
        Self.pulse(&pair, 1, 5)
        _ = pair.acknowledge()
        #expect(pair.read(Self.first) == 0x20)
        pair.write(Self.first, 0x0B)
        #expect(pair.read(Self.first) == 0x02 && pair.read(Self.first) == 0x02)
        pair.write(Self.first, 0x08)
        #expect(pair.read(Self.first) == 0x02)
        pair.write(Self.first, 0x0A)
        #expect(pair.read(Self.first) == 0x20)
    }

    @Test func `there are six registers`() {
        var pair = Self.pair()
        for register in [6, 0xFF] as [UInt8] {
            pair.write(register, 0x11)
            #expect(pair.read(register) == 0xFF && pair == Self.pair())
        }
    }

    // MARK: As drivers do it

    @Test func `Linux finds the controllers by their mask, and its spurious-interrupt check works`() {
        // arch/x86/kernel/i8259.c: probe_8259A(), init_8259A(), mask_and_ack_8259A().
        var pair = InterruptControllerPair()
        pair.write(Self.secondMask, 0xFF)
        pair.write(Self.firstMask, 0xFB)
        #expect(pair.read(Self.firstMask) == 0xFB)
        pair.write(Self.firstMask, 0xFF)
        Self.initialize(&pair)
        pair.write(Self.firstMask, 0xFB)
        pair.write(Self.secondMask, 0xFF)
        #expect(!pair.interruptOutput)
        // IRQ 14: unmask, take, mask, end by name.
        pair.write(Self.secondMask, 0xBF)
        Self.pulse(&pair, 14)
        #expect(pair.acknowledge() == 0x3E)
        #expect(pair.read(Self.secondMask) == 0xBF)
        pair.write(Self.secondMask, 0xFF)
        pair.write(Self.second, 0x60 + 6)
        pair.write(Self.first, 0x60 + 2)
        #expect(Self.inService(pair) == 0)
        // i8259A_irq_real() reads ISR and goes back to IRR.
        pair.write(Self.second, 0x0B)
        #expect(pair.read(Self.second) & 0x80 == 0)
        pair.write(Self.second, 0x0A)
        Self.pulse(&pair, 8)
        #expect(pair.read(Self.second) == 0x01)
    }

    @Test func `a timer's interrupt comes by the 8259 as often as it ticks`() {
        // As check_timer() has it with the virtual wire: unmask IRQ 0, count ticks with automatic end.
        var pair = Self.pair(firstMode: 0x03)
        pair.write(Self.firstMask, 0xFE)
        var ticks = 0
        for _ in 0..<10 {
            Self.pulse(&pair, 0)
            while pair.interruptOutput, ticks < 20 {
                #expect(pair.acknowledge() == 0x30)
                ticks += 1
            }
        }
        #expect(ticks == 10)
    }
}
