import Testing

@testable import Devices

/// A clock that stands still until the test moves it.
private final class TestClock {
    var now = MachineTime(1_000_000)
}

extension Board {
    /// OUT, and what it asks of the machine.
    mutating func output(_ port: UInt16, size: Int, _ value: UInt32, at time: MachineTime) -> PortEffect {
        write(port, size: size, value, at: time)
        return takeEffect()
    }

    /// A store of 4 bytes where a device is.
    mutating func writeWord(_ address: UInt64, _ value: UInt32) {
        let isPresent = writeMemory(address, size: 4, value)
        #expect(isPresent)
    }

    /// A load of 4 bytes where a device is.
    mutating func readWord(_ address: UInt64) -> UInt32 {
        let value = readMemory(address)
        #expect(value != nil)
        return value ?? 0
    }
}

@Suite struct BoardTests {
    private let now = TestClock()

    private static func make() -> Board { Board(parameters) }

    static var parameters: Board.Parameters {
        let line: StaticString = "abc"
        return .init(
            memory: 64 << 20, timeStampFrequency: 2_000_000_000, unixSeconds: 1_700_000_000,
            commandLine: .init(UnsafeRawBufferPointer(start: line.utf8Start, count: 3)))
    }

    @Test func `a reset leaves alone what the battery keeps, and firmware writes the memory sizes anew`() {
        var board = Self.make()
        for (address, value) in [(0x0F, 0x0A), (0x17, 0x55), (0x40, 0x77)] as [(UInt32, UInt32)] {
            _ = board.output(0x70, size: 1, address, at: now.now)
            _ = board.output(0x71, size: 1, value, at: now.now)
        }
        _ = board.output(0x3FF, size: 1, 0xA5, at: now.now)
        board.restart(Self.parameters)
        for (address, value) in [(0x0F, 0x0A), (0x17, 0x00), (0x18, 0xFC), (0x40, 0x77)] as [(UInt32, UInt32)] {
            _ = board.output(0x70, size: 1, address, at: now.now)
            #expect(board.read(0x71, size: 1, at: now.now) == value)
            _ = board.output(0x71, size: 1, 0, at: now.now)
        }
        #expect(board.read(0x3FF, size: 1, at: now.now) == 0)
    }

    @Test func `every port that answers is one of the listed devices, and no other`() {
        let present = (UInt16.min...UInt16.max).filter { Board.isPresent($0) }
        var listed: [UInt16] = [0x20, 0x21] + (0x40...0x43) + [0x60, 0x61, 0x64, 0x70, 0x71, 0x80, 0xA0, 0xA1, 0xE9, 0xF4]
        listed +=
            [0x3D4, 0x3D5] + Array(0x3F8...0x3FF) + [0x4D0, 0x4D1, 0x510, 0x511] + Array(0x600...0x60B) + Array(0xCF8...0xCFF)
        #expect(present == listed)
    }

    @Test func `an absent port reads ones, swallows writes, and each access counts once`() {
        var board = Self.make()
        #expect(board.read(0x2100, size: 1, at: now.now) == 0xFF && board.absentAccesses == 1)
        #expect(board.read(0x2100, size: 2, at: now.now) == 0xFFFF && board.absentAccesses == 2)
        #expect(board.read(0x2100, size: 4, at: now.now) == 0xFFFF_FFFF && board.absentAccesses == 3)
        #expect(board.output(0x2100, size: 1, 0, at: now.now) == .none && board.absentAccesses == 4)
        #expect(board.output(0x2100, size: 4, 0, at: now.now) == .none && board.absentAccesses == 5)
    }

    @Test func `wide accesses take consecutive ports`() {
        var board = Self.make()
        #expect(board.output(0x3F8, size: 2, 0x0541, at: now.now) == .transmit(0x41))
        #expect(board.read(0x3F9, size: 1, at: now.now) == 0x05)
        #expect(board.read(0x3FC, size: 4, at: now.now) == 0x00B0_6000)
        // Over the end of COM1 into absent ports, and over the end of all ports.
        #expect(board.read(0x3FE, size: 4, at: now.now) == 0xFFFF_00B0)
        #expect(board.read(0xFFFF, size: 2, at: now.now) == 0xFFFF)
        #expect(board.output(0x3F6, size: 4, 0x0048_0000, at: now.now) == .transmit(0x48))
        #expect(board.output(0x3FE, size: 4, 0, at: now.now) == .none)
    }

    @Test(arguments: [(1, 0x44), (2, 0x3344), (4, 0x1122_3344)] as [(Int, UInt32)])
    func `the debug-exit port takes values of each size`(size: Int, value: UInt32) {
        var board = Self.make()
        #expect(board.output(0xF4, size: size, 0x1122_3344, at: now.now) == .exit(value))
    }

    @Test func `soft off and the three ways to reset`() {
        var board = Self.make()
        #expect(board.output(0x604, size: 2, 0x2000 | 5 << 10, at: now.now) == .powerOff)
        #expect(board.output(0xCF9, size: 1, 2, at: now.now) == .none)
        #expect(board.output(0xCF9, size: 1, 6, at: now.now) == .reset)
        #expect(board.output(0x64, size: 1, 0xFE, at: now.now) == .reset)
    }

    @Test func `the firmware configuration gives the command line`() {
        var board = Self.make()
        #expect(board.output(0x510, size: 2, 0x15, at: now.now) == .none)
        #expect([0, 1, 2, 3].map { _ in board.read(0x511, size: 1, at: now.now) } == [0x61, 0x62, 0x63, 0])
    }

    /// An I/O APIC entry for a pin: edge-triggered, fixed, to APIC 0.
    private func route(_ board: inout Board, pin: UInt32, vector: UInt32) {
        board.writeWord(0xFEC0_0000, 0x10 + 2 * pin)
        board.writeWord(0xFEC0_0010, vector)
    }

    @Test func `a byte on COM1 interrupts through both kinds of controller`() {
        var board = Self.make()
        route(&board, pin: 4, vector: 0x54)
        for (port, value) in [(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0x21, 0xEF)] as [(UInt16, UInt32)] {
            _ = board.output(port, size: 1, value, at: now.now)
        }
        _ = board.output(0x3F9, size: 1, 1, at: now.now)
        _ = board.output(0x3FC, size: 1, 8, at: now.now)
        #expect(board.awaitsInput && !board.requestsExternalInterrupt)
        board.needsAttention = false
        board.receive(65)
        #expect(board.needsAttention)
        #expect(board.takeMessage()?.vector == 0x54)
        #expect(board.takeMessage() == nil)
        #expect(board.requestsExternalInterrupt)
        #expect(board.acknowledgeExternalInterrupt(at: now.now) == 0x24)
        #expect(board.read(0x3F8, size: 1, at: now.now) == 65)
    }

    @Test func `the interval timer interrupts on pin 2, once for each period`() {
        var board = Self.make()
        route(&board, pin: 2, vector: 0x52)
        _ = board.output(0x43, size: 1, 0x34, at: now.now)
        _ = board.output(0x40, size: 1, 0xA9, at: now.now)
        _ = board.output(0x40, size: 1, 0x04, at: now.now)  // 1193 counts: a millisecond
        var interrupts = 0
        for _ in 0..<10 {
            while board.takeMessage() != nil {}
            let next = board.nextEvent
            #expect(next > now.now && next.ticks - now.now.ticks < 2_010_000)
            now.now = next
            board.advance(to: next)
            if board.takeMessage()?.vector == 0x52 { interrupts += 1 }
        }
        #expect(interrupts == 10)
    }

    /// The 8259 pair for the interval timer alone, a period a millisecond, and its first request.
    private func makeWithTimerRequest() -> Board {
        var board = Self.make()
        for (port, value) in [
            (0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0x21, 0xFE), (0x43, 0x34), (0x40, 0xA9), (0x40, 0x04),
        ] as [(UInt16, UInt32)] {
            _ = board.output(port, size: 1, value, at: now.now)
        }
        now.now = board.nextEvent
        board.advance(to: now.now)
        #expect(board.requestsExternalInterrupt)
        return board
    }

    private func stopTimer(_ board: inout Board) {
        _ = board.output(0x43, size: 1, 0x30, at: now.now)
        _ = board.output(0x20, size: 1, 0x20, at: now.now)
    }

    @Test func `rises of the timer while a request waits are one with it, though Martlet looks late`() {
        var polled = makeWithTimerRequest()
        now.now = MachineTime(now.now.ticks + 5_000_000)
        _ = polled.output(0x20, size: 1, 0x0C, at: now.now)
        #expect(polled.read(0x20, size: 1, at: now.now) == 0x80)
        stopTimer(&polled)
        _ = polled.output(0x20, size: 1, 0x0C, at: now.now)
        #expect(polled.read(0x20, size: 1, at: now.now) & 0x80 == 0)

        var taken = makeWithTimerRequest()
        now.now = MachineTime(now.now.ticks + 5_000_000)
        #expect(taken.acknowledgeExternalInterrupt(at: now.now) == 0x20)
        stopTimer(&taken)
        #expect(!taken.requestsExternalInterrupt)
    }

    @Test func `100,000 random accesses never trap, and the board still answers`() {
        var board = Self.make()
        var state: UInt64 = 0x1234_5678_9ABC_DEF1
        func random() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        let ports = (UInt16.min...UInt16.max).filter { Board.isPresent($0) } + [0, 0x3F7, 0xFFFF]
        for _ in 0..<100_000 {
            let port = ports[Int(random() % UInt64(ports.count))]
            let size = [1, 2, 4][Int(random() % 3)]
            now.now = MachineTime(now.now.ticks + random() % 100_000)
            if board.nextEvent <= now.now { board.advance(to: now.now) }
            switch random() % 8 {
            case 0: board.writeWord(0xFEC0_0000 + random() % 0x50, UInt32(truncatingIfNeeded: random()))
            case 1: _ = board.readWord(0xFEC0_0000 + random() % 0x50)
            case 2: if board.canReceive { board.receive(UInt8(truncatingIfNeeded: random())) }
            case 3, 4: _ = board.read(port, size: size, at: now.now)
            default: _ = board.output(port, size: size, UInt32(truncatingIfNeeded: random()), at: now.now)
            }
            while board.takeMessage() != nil {}
            if board.requestsExternalInterrupt, random() % 2 == 0 { _ = board.acknowledgeExternalInterrupt(at: now.now) }
        }
        #expect(board.output(0xF4, size: 1, 7, at: now.now) == .exit(7))
        #expect(board.read(0xE9, size: 1, at: now.now) == 0xE9)
    }
}
