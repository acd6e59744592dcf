import Devices

/// A local APIC with a page of its own, its registers by their offset in either mode.
final class TestLocalAPIC {
    let page: UnsafeMutablePointer<UInt32>
    var apic: LocalAPIC

    /// What the offsets beyond are is nobody's: a sign that they stay alone.
    static let guardWord: UInt32 = 0xDEAD_BEEF

    init(identifier: UInt32 = 0, extended: Bool = false, enabled: Bool = true, timerShift: UInt8 = 0) {
        page = .allocate(capacity: 1024 + 16)
        page.initialize(repeating: Self.guardWord, count: 1024 + 16)
        apic = LocalAPIC(page: page, identifier: identifier, isBootstrap: true, physicalAddressWidth: 40, timerShift: timerShift)
        if extended { _ = apic.writeBase(0xFEE0_0D00) }
        if enabled { self[0xF0] = 0x1FF }
    }

    deinit { page.deallocate() }

    var isPageAloneTouched: Bool { (1024..<1040).allSatisfy { page[$0] == Self.guardWord } }

    /// A register of 32 bits, as a guest has it at machine time 0.
    subscript(_ offset: UInt16) -> UInt32 {
        get { read(offset) }
        set { write(offset, newValue) }
    }

    func read(_ offset: UInt16, at ticks: UInt64 = 0) -> UInt32 {
        guard apic.base.isExtended else { return apic.read(offset: offset, at: MachineTime(ticks)) }
        return UInt32(truncatingIfNeeded: apic.readMSR(0x800 + UInt32(offset >> 4), at: MachineTime(ticks)) ?? 0)
    }

    @discardableResult
    func write(_ offset: UInt16, _ value: UInt32, at ticks: UInt64 = 0) -> LocalAPICEffect? {
        guard apic.base.isExtended else { return apic.write(offset: offset, value, at: MachineTime(ticks)) }
        return apic.writeMSR(0x800 + UInt32(offset >> 4), UInt64(value), at: MachineTime(ticks))
    }

    func readMSR(_ number: UInt32) -> UInt64? { apic.readMSR(number, at: MachineTime(0)) }

    func writeMSR(_ number: UInt32, _ value: UInt64) -> LocalAPICEffect? {
        apic.writeMSR(number, value, at: MachineTime(0))
    }

    /// Sends by the command register of either mode.
    func send(_ command: UInt32, to destination: UInt32 = 0) -> LocalAPICEffect? {
        if apic.base.isExtended { return writeMSR(0x830, UInt64(destination) << 32 | UInt64(command)) }
        self[0x310] = destination << 24
        return write(0x300, command)
    }

    /// The error status register after a write that brings it up to date.
    var errors: UInt32 {
        self[0x280] = 0
        return self[0x280]
    }

    /// The vectors of one of the three bit arrays.
    func vectors(at offset: UInt16) -> [UInt8] {
        (0...UInt8.max).filter { vector in
            let word: UInt32 = self[offset + UInt16(vector >> 5) << 4]
            return word & 1 << UInt32(vector & 31) != 0
        }
    }

    var inService: [UInt8] { vectors(at: 0x100) }
    var levelTriggered: [UInt8] { vectors(at: 0x180) }
    var requested: [UInt8] { vectors(at: 0x200) }

    // `#expect` calls no mutating function of a property.

    func writeBase(_ value: UInt64) -> Bool { apic.writeBase(value) }
    var endsQuietly: Bool { apic.endsQuietly }

    @discardableResult
    func request(_ vector: UInt8, level: Bool = false) -> AcceptedInterrupt {
        apic.accept(InterruptMessage(vector: vector, isLevelTriggered: level))
    }

    /// Requests an interrupt, and the processor takes it.
    func serve(_ vector: UInt8, level: Bool = false) {
        request(vector, level: level)
        _ = apic.acknowledge()
    }
}
