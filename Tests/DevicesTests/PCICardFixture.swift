@testable import Devices

/// A card that no machine has: a serial port and an I/O APIC, so that each kind of base address has registers to be seen.
/// Its interrupt is the test's to drive.
extension PCIFunction {
    static func card(_ pin: PCIInterruptPin = .a) -> PCIFunction {
        let registers: [3 of PCIRegister] = [
            PCIRegister(0x00, 0x5678_1234),
            // Master abort was received and is to be cleared.
            PCIRegister(0x01, 0x2000_0000, writable: 0x0000_0004, clearable: 0xF900_0000),
            PCIRegister(0x02, 0x0700_0201),  // a 16550
        ]
        return PCIFunction(
            registers.span,
            bases: [.ports(8, .serial), .memory(0x1000, .ioAPIC), .none, .none, .none, .none], pin: pin)
    }
}

/// A board with cards, as software sees it.
final class CardMachine {
    var board: Board
    let time = MachineTime(1000)

    /// Command bits.
    static let (ports, memory): (UInt32, UInt32) = (1, 2)
    /// Registers, by their offset.
    static let (command, portBase, memoryBase, interrupt): (UInt32, UInt32, UInt32, UInt32) = (0x04, 0x10, 0x14, 0x3C)
    static let isaBridge: UInt8 = 1

    init(_ cards: [(device: UInt8, pin: PCIInterruptPin)] = [(3, .a)]) {
        board = Board(
            .init(
                memory: 64 << 20, timeStampFrequency: 2_000_000_000, unixSeconds: 1_700_000_000,
                commandLine: .init(UnsafeRawBufferPointer(start: nil, count: 0))))
        for card in cards { board.pci.place(.card(card.pin), at: PCIAddress(device: card.device)) }
    }

    // MARK: Configuration space

    private func select(_ device: UInt8, _ offset: UInt32) {
        board.write(0xCF8, size: 4, 0x8000_0000 | UInt32(device) << 11 | offset & 0xFC, at: time)
    }

    func read(_ device: UInt8, _ offset: UInt32) -> UInt32 {
        select(device, offset)
        return board.read(0xCFC, size: 4, at: time)
    }

    func write(_ device: UInt8, _ offset: UInt32, _ value: UInt32, size: Int = 4) {
        select(device, offset)
        board.write(0xCFC + UInt16(offset & 3), size: size, value, at: time)
    }

    /// Places a card's ports and memory, and has it claim them.
    func place(_ device: UInt8 = 3, ports: UInt32? = nil, memory: UInt32? = nil) {
        if let ports { write(device, Self.portBase, ports) }
        if let memory { write(device, Self.memoryBase, memory) }
        write(device, Self.command, (ports == nil ? 0 : Self.ports) | (memory == nil ? 0 : Self.memory), size: 2)
    }

    /// Routes a PIRQ, 0 to 3.
    func route(_ request: Int, to value: UInt8) {
        write(Self.isaBridge, 0x60 + UInt32(request), UInt32(value), size: 1)
    }

    // MARK: What answers

    /// Whether a serial port answers: what is written to its scratch register is read back.
    func hasSerialPort(at first: UInt16) -> Bool {
        for value in [0x5A, 0xA5] as [UInt32] {
            board.write(first &+ 7, size: 1, value, at: time)
            if board.read(first &+ 7, size: 1, at: time) != value { return false }
        }
        return true
    }

    /// Whether an I/O APIC answers, by what selects a register.
    func hasIOAPIC(at first: UInt64) -> Bool {
        for value in [0x01, 0x02] as [UInt32] {
            guard board.writeMemory(first, size: 4, value), board.readMemory(first) == value else { return false }
        }
        return true
    }

    /// Nothing answers, and that is counted.
    func isAbsent(_ port: UInt16) -> Bool {
        let before = board.absentAccesses
        return board.read(port, size: 1, at: time) == 0xFF && board.absentAccesses == before + 1
    }
}
