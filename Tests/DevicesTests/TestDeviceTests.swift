import Memory
import Testing

@testable import Devices

/// The device for test suites.
@Suite final class TestDeviceTests {
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: Int(DeviceMemory.size), alignment: 4096)
    private var board: Board
    private let now = MachineTime(1_000_000)

    init() {
        let storage = DeviceMemory(memory, at: HostPhysicalAddress(0x50_0000))
        storage.clear()
        var parameters = BoardTests.parameters
        parameters.testMemory = storage
        board = Board(parameters)
    }

    deinit { memory.deallocate() }

    @Test func `the latch keeps what is written to its bytes, in any size`() {
        _ = board.output(0xE0, size: 4, 0x4433_2211, at: now)
        #expect(board.read(0xE0, size: 4, at: now) == 0x4433_2211 && board.read(0xE1, size: 2, at: now) == 0x3322)
        _ = board.output(0xE2, size: 1, 0x99, at: now)
        #expect(board.read(0xE0, size: 4, at: now) == 0x4499_2211 && board.readByte(0xE3, at: now) == 0x44)
        #expect(board.output(0xE4, size: 4, 0x12_3000, at: now) == .flush)
    }

    @Test func `a line of the ISA bus goes to the 8259 pair, one above to the I/O APIC`() {
        board.writeByte(0x21, 0xDF, at: now)
        board.writeByte(0x20, 0x0A, at: now)
        board.writeByte(0x2005, 1, at: now)
        #expect(board.readByte(0x20, at: now) & 0x20 != 0)
        board.writeByte(0x2005, 0, at: now)
        board.writeWord(0xFEC0_0000, 0x10 + 2 * 20)
        board.writeWord(0xFEC0_0010, 0x41)
        board.writeByte(0x2014, 1, at: now)
        let message = board.takeMessage()
        #expect(message?.vector == 0x41)
        board.writeByte(0x2018, 1, at: now)
        #expect(board.absentAccesses == 1)
    }

    @Test func `its memory keeps what is written, in any size, to its last byte`() {
        for (address, size, value) in [
            (0xFF00_0000, 8, 0x8877_6655_4433_2211), (0xFF00_0101, 4, 0xDDCC_BBAA), (0xFF00_FFFE, 2, 0x1234),
            (0xFF00_FFF8, 1, 0x5A),
        ] as [(UInt64, Int, UInt64)] {
            let isThere = board.writeTestMemory(address, size: size, value)
            let value2 = board.readTestMemory(address, size: size)
            #expect(isThere && value2 == value)
        }
        let beyond = board.readTestMemory(0xFF00_FFFE, size: 4)
        let before = board.readTestMemory(0xFEFF_FFFF, size: 1)
        #expect(beyond == nil && before == nil)
        let page = board.testMemoryPage(0xFF00_3008)
        #expect(page == HostPhysicalAddress(0x50_3000))
    }

    @Test func `it is not there unless it is asked for, and a snapshot keeps it`() {
        _ = board.output(0xE0, size: 4, 0x4433_2211, at: now)
        board.writeByte(0x2003, 1, at: now)
        var other = Board(BoardTests.parameters)
        #expect(other.read(0xE0, size: 4, at: now) == 0xFFFF_FFFF)
        #expect(!other.mayAnswer(at: 0xFF00_0000))
        let state = board.state
        board.writeByte(0x2003, 0, at: now)
        _ = board.output(0xE0, size: 4, 0, at: now)
        board.restore(state)
        #expect(board.read(0xE0, size: 4, at: now) == 0x4433_2211 && board.state == state)
        other.restore(other.state)
    }
}
