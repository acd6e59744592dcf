/// QEMU's firmware configuration device (QEMU documentation, "QEMU Firmware Configuration (fw_cfg) Device"): a word at
/// port 510h selects an item, port 511h reads it byte by byte. It has no DMA interface and says so.
///
/// Numbers are little-endian, except in the file directory. Beyond an item's end are zeros.
public struct FirmwareConfiguration: Equatable, Sendable {
    public static var selectorPort: UInt16 { 0x510 }
    public static var dataPort: UInt16 { 0x511 }
    static var portCount: UInt16 { 2 }

    /// The first key of a file.
    private static var firstFile: UInt16 { 0x20 }
    /// Above it the architecture's own items.
    private static var architecture: UInt16 { 0x8000 }
    /// Formerly requested write access, which no longer exists.
    private static var writeAccess: UInt16 { 0x4000 }
    private static var fourGiB: UInt64 { 1 << 32 }

    private let memoryBelow4GiB: UInt64
    private let memoryAbove4GiB: UInt64
    private let processors: UInt16
    private let commandLineLength: UInt32
    public private(set) var state = State()

    /// Where the guest reads.
    public struct State: Equatable, Sendable {
        fileprivate var selector: UInt16 = 0
        fileprivate var offset: UInt32 = 0
    }

    /// - Parameters:
    ///   - memoryBelow4GiB: bytes of RAM from address 0.
    ///   - memoryAbove4GiB: bytes of RAM from 4 GiB.
    ///   - commandLineLength: of the kernel command line, in bytes, without a final zero.
    public init(
        memoryBelow4GiB: UInt64, memoryAbove4GiB: UInt64 = 0, processors: UInt16 = 1, commandLineLength: UInt32 = 0
    ) {
        self.memoryBelow4GiB = memoryBelow4GiB
        self.memoryAbove4GiB = memoryAbove4GiB
        self.processors = processors
        self.commandLineLength = commandLineLength
    }

    /// Goes on from the state of another.
    public mutating func restore(_ state: State) { self.state = state }

    /// Port 510h: selects an item, to be read from its beginning.
    public mutating func select(_ value: UInt16) {
        state.selector = value & ~Self.writeAccess
        state.offset = 0
    }

    /// Port 511h.
    /// - Parameter commandLine: gives the byte at an offset less than the command line's length.
    public mutating func readData(commandLine: (UInt32) -> UInt8) -> UInt8 {
        let index = state.offset
        state.offset &+= 1
        // The command line ends with a zero.
        if state.selector == 0x15 { return index < commandLineLength ? commandLine(index) : 0 }
        if state.selector == 0x19 { return directoryByte(index) }
        if state.selector == Self.firstFile { return memoryMapByte(index) }
        return Self.byte(index, of: number(state.selector))
    }

    /// The byte at an offset in a little-endian number with zeros after it.
    private static func byte(_ index: UInt32, of number: UInt64) -> UInt8 {
        index < 8 ? UInt8(truncatingIfNeeded: number >> UInt64(index * 8)) : 0
    }

    /// The items that are numbers, and those that are absent or all zeros.
    private func number(_ selector: UInt16) -> UInt64 {
        switch selector {
        case 0x00: 0x554D_4551  // signature, "QEMU"
        case 0x01: 1  // features: this interface
        case 0x03: memoryBelow4GiB &+ memoryAbove4GiB
        case 0x04: 1  // no graphics
        case 0x05, 0x0F: UInt64(processors)  // present, and at most
        case 0x14: UInt64(commandLineLength) &+ 1
        case Self.architecture | 2: 1  // IRQ 0 is pin 2 of the I/O APIC
        default: 0
        }
    }

    // MARK: Files

    /// The directory: how many files, then 64 bytes for each: size, key, two reserved bytes, name.
    private func directoryByte(_ index: UInt32) -> UInt8 {
        switch index {
        case 3: return 1
        case 7: return memoryMapSize
        case 8: return UInt8(Self.firstFile >> 8)
        case 9: return UInt8(truncatingIfNeeded: Self.firstFile)
        case 12..<68:
            let name: StaticString = "etc/e820"
            let position = Int(index - 12)
            return position < name.utf8CodeUnitCount ? name.utf8Start[position] : 0
        default: return 0
        }
    }

    /// One entry or two.
    private var memoryMapSize: UInt8 { memoryAbove4GiB > 0 ? 40 : 20 }

    /// The file "etc/e820", RAM alone: entries of address, length (8 bytes each) and type (4).
    private func memoryMapByte(_ index: UInt32) -> UInt8 {
        guard index < memoryMapSize else { return 0 }
        let isSecond = index >= 20
        let position = isSecond ? index - 20 : index
        switch position {
        case 0..<8: return Self.byte(position, of: isSecond ? Self.fourGiB : 0)
        case 8..<16: return Self.byte(position - 8, of: isSecond ? memoryAbove4GiB : memoryBelow4GiB)
        default: return position == 16 ? 1 : 0
        }
    }
}
