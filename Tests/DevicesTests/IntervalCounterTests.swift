import Support
import Testing

@testable import Devices

/// The modes, pulse by pulse of the counter's own clock. A count written at pulse 0 is loaded at pulse 1.
@Suite struct IntervalCounterTests {
    private func counter(mode: UInt8, count: UInt16, gate: Bool = true, decimal: Bool = false) -> IntervalCounter {
        var counter = IntervalCounter(gate: gate)
        counter.program(0x30 | mode << 1 | (decimal ? 1 : 0), at: 0)
        counter.write(UInt8(count & 0xFF), at: 0)
        counter.write(UInt8(count >> 8), at: 0)
        return counter
    }

    private func count(_ counter: inout IntervalCounter, at now: UInt64) -> UInt16 {
        let low = counter.followAndRead(at: now)
        return UInt16(counter.followAndRead(at: now)) << 8 | UInt16(low)
    }

    private func counts(_ counter: IntervalCounter, _ moments: ClosedRange<UInt64>) -> [UInt16] {
        var counter = counter
        return moments.map { count(&counter, at: $0) }
    }

    /// The output as the data sheet draws it.
    private func wave(_ counter: IntervalCounter, _ moments: ClosedRange<UInt64>) -> String {
        var counter = counter
        return String(
            moments.map {
                counter.follow(to: $0)
                return counter.isHigh ? "-" : "_"
            })
    }

    /// Where `nextRise` says that the output rises.
    private func rises(_ counter: IntervalCounter, _ moments: ClosedRange<UInt64>) -> [UInt64] {
        var (counter, now) = (counter, moments.lowerBound)
        var result: [UInt64] = []
        while true {
            counter.follow(to: now)
            now = counter.nextRise(after: now)
            guard moments.contains(now) else { return result }
            result.append(now)
        }
    }

    @Test func `mode 0 is low until the count is over, then high for good`() {
        let counter = counter(mode: 0, count: 4)
        #expect(wave(counter, 0...8) == "_____----")
        #expect(counts(counter, 1...7) == [4, 3, 2, 1, 0, 0xFFFF, 0xFFFE])
        #expect(rises(counter, 0...200_000) == [5])
    }

    @Test func `mode 0 waits while its gate is low, and goes on where it was`() {
        var counter = counter(mode: 0, count: 4)
        counter.setGate(false, at: 3)
        #expect(counts(counter, 3...5) == [2, 2, 2])
        #expect(wave(counter, 3...9) == "_______")
        #expect(counter.nextRise(after: 3) == .max)
        counter.setGate(true, at: 10)
        #expect(counts(counter, 10...13) == [2, 1, 0, 0xFFFF])
        #expect(rises(counter, 10...100) == [12])
    }

    @Test func `mode 0 loads a count while its gate is low, and counts from the gate's rise`() {
        var counter = counter(mode: 0, count: 3, gate: false)
        #expect(counts(counter, 1...3) == [3, 3, 3])
        counter.setGate(true, at: 5)
        #expect(rises(counter, 5...100) == [8])
    }

    @Test func `mode 0 stops with the first byte of a new count, and drops its output`() {
        var counter = counter(mode: 0, count: 4)
        counter.write(2, at: 7)
        #expect(wave(counter, 7...9) == "___")
        #expect(counts(counter, 8...10) == [0xFFFE, 0xFFFE, 0xFFFE])
        counter.write(0, at: 20)
        #expect(wave(counter, 20...24) == "___--")
    }

    @Test func `mode 1 makes a low pulse for each rise of its gate, and starts anew in its midst`() {
        var counter = counter(mode: 1, count: 3, gate: false)
        #expect(wave(counter, 0...5) == "------")
        counter.setGate(true, at: 10)
        #expect(wave(counter, 11...16) == "___---")
        #expect(rises(counter, 10...100) == [14])
        counter.setGate(false, at: 12)
        counter.setGate(true, at: 13)
        #expect(wave(counter, 14...19) == "___---")
        // A new count waits for the next trigger.
        counter.write(5, at: 15)
        counter.write(0, at: 15)
        #expect(rises(counter, 15...100) == [17])
        counter.setGate(false, at: 30)
        counter.setGate(true, at: 31)
        #expect(rises(counter, 31...100) == [37])
    }

    @Test func `mode 1 without a count does nothing at a trigger`() {
        var counter = IntervalCounter(gate: false)
        counter.program(0x32, at: 0)
        counter.setGate(true, at: 1)
        #expect(wave(counter, 1...4) == "----")
        #expect(counter.nextRise(after: 1) == .max)
    }

    @Test func `mode 2 is low for one pulse in each period`() {
        let counter = counter(mode: 2, count: 4)
        #expect(wave(counter, 1...12) == "---_---_---_")
        #expect(counts(counter, 1...6) == [4, 3, 2, 1, 4, 3])
        #expect(rises(counter, 0...14) == [5, 9, 13])
    }

    @Test func `mode 2 takes a new count at the end of its period`() {
        var counter = counter(mode: 2, count: 4)
        counter.write(3, at: 6)
        counter.write(0, at: 6)
        #expect(counts(counter, 6...13) == [3, 2, 1, 3, 2, 1, 3, 2])
        #expect(rises(counter, 6...16) == [9, 12, 15])
        // Before the first count is even loaded.
        var early = self.counter(mode: 2, count: 4)
        early.write(2, at: 0)
        early.write(0, at: 0)
        #expect(counts(early, 1...4) == [2, 1, 2, 1])
    }

    @Test func `mode 2 is high while its gate is low, and begins a period with the gate's rise`() {
        var counter = counter(mode: 2, count: 4)
        counter.setGate(false, at: 4)
        #expect(wave(counter, 4...7) == "----")
        #expect(counts(counter, 4...6) == [1, 1, 1])
        counter.write(3, at: 8)
        counter.write(0, at: 8)
        counter.setGate(true, at: 10)
        #expect(counts(counter, 11...15) == [3, 2, 1, 3, 2])
    }

    @Test func `mode 3 is high for half of an even count, counting by two`() {
        let counter = counter(mode: 3, count: 6)
        #expect(wave(counter, 1...12) == "---___---___")
        #expect(counts(counter, 1...7) == [6, 4, 2, 6, 4, 2, 6])
        #expect(rises(counter, 0...20) == [7, 13, 19])
    }

    @Test func `mode 3 is high one pulse longer for an odd count`() {
        let counter = counter(mode: 3, count: 5)
        #expect(wave(counter, 1...10) == "---__---__")
        #expect(counts(counter, 1...6) == [4, 2, 0, 4, 2, 4])
    }

    @Test(arguments: [2, 4] as [UInt64])
    func `mode 3 takes a new count at the end of the half`(moment: UInt64) {
        var counter = counter(mode: 3, count: 6)
        counter.write(4, at: moment)
        counter.write(0, at: moment)
        // Written in the high half, the low half is the new one's already.
        #expect(wave(counter, 4...11) == (moment == 2 ? "__--__--" : "___--__-"))
        #expect(rises(counter, 4...11) == (moment == 2 ? [6, 10] : [7, 11]))
    }

    @Test func `mode 3 takes a new count that is larger than all that went before`() {
        var counter = counter(mode: 3, count: 2)
        counter.write(0, at: 1)
        counter.write(0x80, at: 1)
        #expect(wave(counter, 1...4) == "-___")
        #expect(rises(counter, 1...40000) == [2 + 0x4000])
    }

    @Test func `mode 4 strobes once, one pulse after the count is over`() {
        let counter = counter(mode: 4, count: 3)
        #expect(wave(counter, 0...7) == "----_---")
        #expect(rises(counter, 0...200_000) == [5])
        #expect(counts(counter, 1...5) == [3, 2, 1, 0, 0xFFFF])
    }

    @Test func `mode 5 strobes after each trigger`() {
        var counter = counter(mode: 5, count: 3, gate: false)
        #expect(wave(counter, 0...8) == "---------")
        counter.setGate(true, at: 10)
        #expect(wave(counter, 10...16) == "----_--")
        #expect(rises(counter, 10...100) == [15])
    }

    @Test func `decimal counts run from 9999 and read as digits`() {
        let counter = counter(mode: 0, count: 0x1000, decimal: true)
        #expect(counts(counter, 1...3) == [0x1000, 0x0999, 0x0998])
        #expect(counts(counter, 1001...1002) == [0, 0x9999])
        #expect(rises(self.counter(mode: 2, count: 0, decimal: true), 0...20001) == [10001, 20001])
    }

    @Test func `a count of 0 is the largest`() {
        #expect(rises(counter(mode: 2, count: 0), 0...131_073) == [65537, 131_073])
        #expect(counts(counter(mode: 2, count: 0), 1...2) == [0, 0xFFFF])
    }

    @Test(arguments: [2, 3] as [UInt8])
    func `a count of 1, illegal in the periodic modes, gives a period of 2`(mode: UInt8) {
        #expect(rises(counter(mode: mode, count: 1), 0...6) == [3, 5])
    }

    @Test func `access by one byte leaves the other at zero`() {
        var low = IntervalCounter(gate: true)
        low.program(0x10, at: 0)
        low.write(0x34, at: 0)
        #expect(low.followAndRead(at: 1) == 0x34 && low.followAndRead(at: 2) == 0x33)
        var high = IntervalCounter(gate: true)
        high.program(0x20, at: 0)
        high.write(0x12, at: 0)
        #expect(high.followAndRead(at: 1) == 0x12 && high.followAndRead(at: 2) == 0x11)
    }

    @Test func `a latched count stays until it was read; the second latch changes nothing`() {
        var counter = counter(mode: 0, count: 0x0203)
        counter.followAndLatchCount(at: 2)
        counter.followAndLatchCount(at: 100)
        #expect(count(&counter, at: 200) == 0x0202)
        #expect(count(&counter, at: 201) == 0x0203 - 200)
        var low = IntervalCounter(gate: true)
        low.program(0x10, at: 0)
        low.write(0x34, at: 0)
        low.followAndLatchCount(at: 1)
        #expect(low.followAndRead(at: 5) == 0x34 && low.followAndRead(at: 5) == 0x30)
    }

    @Test func `the status tells output, null count, access, mode and base, before a latched count`() {
        var counter = counter(mode: 2, count: 4)
        counter.followAndLatchStatus(at: 0)
        #expect(counter.followAndRead(at: 1) == 0xF4)
        counter.followAndLatchStatus(at: 1)
        counter.followAndLatchStatus(at: 4)
        counter.followAndLatchCount(at: 2)
        #expect(counter.followAndRead(at: 9) == 0xB4)
        #expect(counter.followAndRead(at: 9) == 3 && counter.followAndRead(at: 9) == 0)
        // The output low, and a count that waits.
        counter.write(9, at: 12)
        counter.write(0, at: 12)
        counter.followAndLatchStatus(at: 12)
        #expect(counter.followAndRead(at: 12) == 0x74)
        counter.followAndLatchStatus(at: 13)
        #expect(counter.followAndRead(at: 13) == 0xB4)
        // The modes' second encodings and decimal read as written.
        counter.program(0x1F, at: 20)
        counter.followAndLatchStatus(at: 20)
        #expect(counter.followAndRead(at: 20) == 0xDF)
    }

    @Test func `a control word keeps the count, forgets the rest, and sets the output as its mode begins`() {
        var counter = counter(mode: 3, count: 6)
        counter.followAndLatchCount(at: 1)
        counter.write(1, at: 2)
        counter.program(0x30, at: 2)
        #expect(wave(counter, 2...9) == "________")
        #expect(count(&counter, at: 9) == 4)
        counter.write(2, at: 10)
        counter.write(0, at: 10)
        #expect(rises(counter, 10...20) == [13])
        counter.program(0x34, at: 30)
        #expect(wave(counter, 30...40) == "-----------")
    }

    @Test(arguments: 0...7 as ClosedRange<UInt8>)
    func `the next rise is foretold just as the output, pulse by pulse, rises`(mode: UInt8) {
        var generator = FixedSeedGenerator(seed: UInt64(mode))
        var counter = IntervalCounter(gate: true)
        counter.program(0x10 | mode << 1, at: 0)
        var foretold = counter.nextRise(after: 0)
        for now in 1...20000 as ClosedRange<UInt64> {
            counter.follow(to: now - 1)
            let wasHigh = counter.isHigh
            counter.follow(to: now)
            let rises = !wasHigh && counter.isHigh
            #expect(rises == (now == foretold))
            switch generator.next() & 63 {
            case 0: counter.setGate(!counter.gate, at: now)
            case 1, 2: counter.write(UInt8.random(in: 1...20, using: &generator), at: now)
            case 3 where now & 7 == 0: counter.program(0x10 | mode << 1, at: now)
            default: if !rises { continue }
            }
            foretold = counter.nextRise(after: now)
        }
    }
}

extension IntervalCounter {
    fileprivate mutating func followAndRead(at now: UInt64) -> UInt8 {
        follow(to: now)
        return read(at: now)
    }

    fileprivate mutating func followAndLatchCount(at now: UInt64) {
        follow(to: now)
        latchCount(at: now)
    }

    fileprivate mutating func followAndLatchStatus(at now: UInt64) {
        follow(to: now)
        latchStatus()
    }
}
