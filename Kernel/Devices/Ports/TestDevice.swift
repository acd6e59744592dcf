import Memory

/// A device for test suites and for trying out an emulator, like QEMU's pc-testdev as publicly documented: a latch, a port
/// that drops a page's translation, interrupt lines, and device memory. It exists only if asked for.
///
/// The original's byte-wide latch at E8H is missing: the debug console is there.
struct TestDevice: Equatable, Sendable {
    static var latchPort: UInt16 { 0xE0 }
    static var flushPort: UInt16 { 0xE4 }
    static var firstLinePort: UInt16 { 0x2000 }
    /// Ports of one interrupt line each: those of the ISA bus, and above them those of the I/O APIC alone.
    static var lineCount: UInt16 { 24 }
    static var memoryAddress: UInt64 { 0xFF00_0000 }

    /// What a snapshot keeps: the latch, and the lines that are high, one bit each.
    var latch: UInt32 = 0
    var lines: UInt32 = 0

    func read(_ register: UInt8) -> UInt8 { UInt8(truncatingIfNeeded: latch &>> (8 * UInt32(register & 3))) }

    mutating func write(_ register: UInt8, _ byte: UInt8) {
        let shift = 8 * UInt32(register & 3)
        latch = latch & ~(0xFF &<< shift) | UInt32(byte) &<< shift
    }
}

/// Host memory, aligned to a page, in which a device keeps what a guest writes.
public struct DeviceMemory: Equatable, @unchecked Sendable {
    private let start: UnsafeMutableRawPointer
    private let address: HostPhysicalAddress

    /// In bytes.
    public static var size: UInt64 { 0x10000 }

    /// - Parameters:
    ///   - start: must stay where it is as long as the machine lives.
    ///   - address: the same for the processor.
    public init(_ start: UnsafeMutableRawPointer, at address: HostPhysicalAddress) {
        self.start = start
        self.address = address
    }

    public func clear() { start.initializeMemory(as: UInt8.self, repeating: 0, count: Int(Self.size)) }

    /// - Parameter size: 1, 2, 4 or 8 bytes.
    func read(_ offset: UInt64, size: Int) -> UInt64? {
        guard offset <= Self.size &- UInt64(size) else { return nil }
        let place = start + Int(offset)
        switch size {
        case 1: return UInt64(place.load(as: UInt8.self))
        case 2: return UInt64(place.loadUnaligned(as: UInt16.self))
        case 4: return UInt64(place.loadUnaligned(as: UInt32.self))
        default: return place.loadUnaligned(as: UInt64.self)
        }
    }

    func write(_ offset: UInt64, size: Int, _ value: UInt64) -> Bool {
        guard offset <= Self.size &- UInt64(size) else { return false }
        let place = start + Int(offset)
        switch size {
        case 1: place.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
        case 2: place.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
        case 4: place.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
        default: place.storeBytes(of: value, as: UInt64.self)
        }
        return true
    }

    /// The host page that holds a page of it.
    func page(_ offset: UInt64) -> HostPhysicalAddress? {
        offset < Self.size ? address.advanced(by: ByteCount(offset & ~0xFFF)) : nil
    }
}

extension Board {
    mutating func wireTestDevice() {
        guard testMemory != nil else { return }
        _ = ports.claim(PortClaim(TestDevice.latchPort, 4, .testLatch), takes: true)
        _ = ports.claim(PortClaim(TestDevice.flushPort, 4, .testFlush), takes: true)
        _ = ports.claim(PortClaim(TestDevice.firstLinePort, TestDevice.lineCount, .testLine), takes: true)
        memory.include(TestDevice.memoryAddress, DeviceMemory.size)
    }

    /// The test device drives a line: of the ISA bus, or of the I/O APIC alone.
    @inline(never)
    mutating func setTestLine(_ line: UInt8, _ isHigh: Bool) {
        let bit: UInt32 = 1 &<< UInt32(line)
        test.lines = isHigh ? test.lines | bit : test.lines & ~bit
        if line < 16 { return drive(line) }
        ioAPIC.setLine(line, isHigh)
        if ioAPIC.hasMessage { needsAttention = true }
    }

    /// Reads 1, 2, 4 or 8 bytes in a page of the test device's memory; nil outside it.
    public mutating func readTestMemory(_ address: UInt64, size: Int) -> UInt64? {
        testMemory?.read(address &- TestDevice.memoryAddress, size: size)
    }

    /// - Returns: false outside it.
    public mutating func writeTestMemory(_ address: UInt64, size: Int, _ value: UInt64) -> Bool {
        testMemory?.write(address &- TestDevice.memoryAddress, size: size, value) ?? false
    }

    /// The host page that holds a page of the test device's memory; nil outside it.
    public mutating func testMemoryPage(_ address: UInt64) -> HostPhysicalAddress? {
        testMemory?.page(address &- TestDevice.memoryAddress)
    }
}
