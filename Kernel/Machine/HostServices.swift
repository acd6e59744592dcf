import X86

/// What a virtual machine needs from the physical one: the kernel's instructions, or a simulation of them.
public protocol HostServices: ProcessorIdentification, ModelSpecificRegisterAccess {
    /// The processor's time-stamp counter.
    func timeStamp() -> UInt64
    /// Waits for an interrupt or a time stamp, whichever comes first; may return early.
    func sleep(until moment: UInt64)
    /// Martlet checks on a guest that may not exit by itself.
    func look()
    /// Whether someone asks the guest to stop.
    var isCalledAway: Bool { get }
    /// Whether the person who runs Martlet wants the guest to end. Checked at the end of each slice, and when devices are served.
    var isToldToStop: Bool { get }
    /// Makes an interrupt come after that many ticks of the time stamp, where the processor has no timer for a guest; it may
    /// come early. Another call replaces it.
    func setTimer(ticks: UInt64)
    /// The oldest byte that arrived for the guest's COM1, or nil.
    func receive() -> UInt8?
    /// Takes a byte that the guest transmitted on COM1.
    func transmit(_ byte: UInt8)
    /// Loads XCR0, which stays loaded across exits since the kernel uses no extended state.
    func loadExtendedControl(_ value: UInt64)
    /// XCR0. Only where the guest has set CR4.OSXSAVE, and so the processor has the register.
    func readExtendedControl() -> UInt64
    /// A guest's vector register, which stays in the processor across exits: the lowest 16 bytes, or 32.
    func readVector(_ register: UInt8, isWide: Bool) -> VectorValue
    /// Writes one. VEX and 32 bytes only where XCR0 has AVX.
    func writeVector(_ register: UInt8, _ value: VectorValue, _ write: VectorWrite)
    /// PKRU, which the kernel leaves to the guest: it governs user pages, of which the kernel has none.
    func protectionKeyRights() -> UInt32
    /// Saves the guest's extended state (x87, SSE, AVX, AVX-512, PKRU) to 4 KiB of memory, aligned to 64 bytes. XCR0 stays.
    /// - Parameter components: those that the guest may have, as bits of XCR0; 0 without XSAVE.
    func saveExtendedState(_ components: UInt64, to area: UnsafeMutableRawPointer)
    /// Loads what that has saved.
    func loadExtendedState(_ components: UInt64, from area: UnsafeRawPointer)
    /// Resets it to its initial state.
    func resetExtendedState(_ components: UInt64)
    /// CR2, which VM entries and exits leave alone.
    func readPageFaultAddress() -> UInt64
    func loadPageFaultAddress(_ address: UInt64)
    /// DR6, likewise.
    func readDebugStatus() -> UInt64
    func loadDebugStatus(_ value: UInt64)
    /// DR0 to DR3, by their number, likewise.
    func readDebugAddress(_ number: Int) -> UInt64
    func loadDebugAddress(_ number: Int, _ value: UInt64)
    /// Ends the blocking of NMIs that an NMI exit began.
    func finishNonMaskableInterrupt()
    /// Tells the interrupt controllers that an acknowledged interrupt has been handled.
    func finishInterrupt(_ vector: UInt8)
}

extension HostServices {
    public func look() {}
    public var isCalledAway: Bool { false }
    public var isToldToStop: Bool { false }
}
