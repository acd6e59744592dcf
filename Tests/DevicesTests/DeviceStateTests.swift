import Support
import Testing

@testable import Devices

/// The state of each device, taken out at a random moment of random use and put into a board made anew, which goes on as the
/// first one would have.
@Suite struct DeviceStateTests {
    private final class Clock {
        var now = MachineTime(0)
    }

    /// The ports of each device; none for the I/O APIC, which is in memory.
    static let devices: [(name: String, ports: [UInt16])] = [
        ("8259 pair", [0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1]), ("8254 and speaker", [0x40, 0x41, 0x42, 0x43, 0x61]),
        ("keyboard controller", [0x60, 0x64]), ("real-time clock", [0x70, 0x71]), ("COM1", Array(0x3F8...0x3FF)),
        ("firmware configuration", [0x510, 0x511]), ("ACPI", Array(0x600...0x60B)),
        ("PCI and reset", [0xCF8, 0xCF9, 0xCFC, 0xCFD, 0xCFE, 0xCFF]), ("CRT controller", [0x3D4, 0x3D5]),
        ("diagnostic and absent", [0x80, 0x2100]),
        ("I/O APIC", []),
        (
            "all",
            [
                0x20, 0x21, 0xA0, 0xA1, 0x40, 0x43, 0x61, 0x60, 0x64, 0x70, 0x71, 0x3F8, 0x3F9, 0x3FA, 0x3FC, 0x511, 0x600, 0x602,
                0xCFC,
            ]
        ),
    ]

    private static func make() -> Board {
        let line: StaticString = "root=/dev/sda quiet"
        return Board(
            .init(
                memory: 64 << 20, timeStampFrequency: 2_000_000_000, unixSeconds: 1_700_000_000,
                commandLine: .init(UnsafeRawBufferPointer(start: line.utf8Start, count: 19)), limit: 1 << 40))
    }

    /// Uses it at random, as a virtual CPU would; what it answered.
    private func use(
        _ board: inout Board, _ ports: [UInt16], _ random: inout FixedSeedGenerator, _ clock: Clock, count: Int
    ) -> [UInt64] {
        var seen: [UInt64] = []
        for _ in 0..<count {
            clock.now = random.time(after: clock.now)
            if board.nextEvent <= clock.now { board.advance(to: clock.now) }
            let value = UInt32(truncatingIfNeeded: random.next() >> UInt64.random(in: 0...60, using: &random))
            let kind = UInt8.random(in: 0..<16, using: &random)
            if let port = ports.randomElement(using: &random), kind < 12 {
                let size = port == 0x510 || port == 0xCF8 ? [1, 2, 4].randomElement(using: &random)! : 1
                if kind < 6 {
                    seen.append(UInt64(board.read(port, size: size, at: clock.now)))
                } else if case .transmit(let byte) = board.output(port, size: size, value, at: clock.now) {
                    seen.append(UInt64(byte))
                }
            } else {
                switch kind {
                case 0..<3: seen.append(UInt64(board.readWord(0xFEC0_0010)))
                case 3..<6: board.writeWord(0xFEC0_0000, value & 0x3F)
                case 6..<12: board.writeWord(0xFEC0_0010, value)
                case 12: if board.canReceive { board.receive(UInt8(truncatingIfNeeded: value)) }
                case 13: board.endOfInterrupt(UInt8(truncatingIfNeeded: value))
                case 14: board.reportProgress(at: clock.now)
                // A line that no device of the board drives.
                default: board.setLine([3, 5, 6, 7, 10, 11, 14, 15][Int(value & 7)], value & 16 != 0)
                }
            }
            while let message = board.takeMessage() { seen += [UInt64(message.vector), UInt64(message.destination)] }
            if board.requestsExternalInterrupt, kind & 1 == 0 {
                seen.append(UInt64(board.acknowledgeExternalInterrupt(at: clock.now)))
            }
            let vectors = board.levelTriggeredVectors()
            seen += [vectors.word0, vectors.word1, vectors.word2, vectors.word3]
            seen += [board.requestsExternalInterrupt, board.awaitsInput, board.awaitsDevice, board.isOverdue].map { $0 ? 1 : 0 }
        }
        return seen
    }

    @Test(arguments: devices, [UInt64](1...3))
    func `a device whose state was put into another goes on as it would have`(
        device: (name: String, ports: [UInt16]), seed: UInt64
    ) {
        var random = FixedSeedGenerator(seed: seed)
        let (clock, otherClock) = (Clock(), Clock())
        var here = Self.make()
        for trip in 0..<40 {
            _ = use(&here, device.ports, &random, clock, count: Int.random(in: 1...60, using: &random))
            let saved = here.state
            var there = Self.make()
            there.restore(saved)
            #expect(there.state == saved, "\(device.name), trip \(trip)")
            var sameRandom = random
            otherClock.now = clock.now
            let seen = use(&here, device.ports, &random, clock, count: 60)
            #expect(use(&there, device.ports, &sameRandom, otherClock, count: 60) == seen, "\(device.name), trip \(trip)")
            #expect(there.state == here.state, "\(device.name), trip \(trip)")
            here = there
        }
    }

    @Test(arguments: devices.dropLast(2))
    func `what a guest changes is in the state`(device: (name: String, ports: [UInt16])) {
        var random = FixedSeedGenerator(seed: 77)
        let clock = Clock()
        for port in device.ports where ![0x601, 0x606, 0x607, 0x608, 0x609, 0x60A, 0x60B].contains(port) {
            // What is written shows in the state, or nowhere.
            var changed = false
            for _ in 0..<50 {
                var board = Self.make()
                let before = board.state
                _ = board.output(
                    port, size: port == 0xCF8 ? 4 : port == 0x510 ? 2 : 1, UInt32(truncatingIfNeeded: random.next()),
                    at: clock.now)
                if board.state != before { changed = true }
            }
            let isReadOnly = [0x511, 0x3F8, 0x3FD, 0x3FE, 0xCFC, 0xCFD, 0xCFE, 0xCFF, 0x600, 0x71, 0x3D5].contains(port)
            #expect(changed || isReadOnly, "port \(String(port, radix: 16))")
        }
    }
}
