import X86

/// What a virtual machine needs of the physical one: the kernel's instructions, or a simulation of them.
public protocol HostServices: ProcessorIdentification {
    /// The processor's time-stamp counter.
    func timeStamp() -> UInt64
    /// Waits for an interrupt or a moment of the time stamp, whichever comes first; it may come back early.
    func sleep(until moment: UInt64)
    /// The oldest byte that came in for the guest's COM1, or nil.
    func receive() -> UInt8?
    /// Takes a byte that the guest transmitted on COM1.
    func transmit(_ byte: UInt8)
    /// Loads XCR0, which stays loaded across exits since the kernel uses no extended state.
    func loadExtendedControl(_ value: UInt64)
    /// PKRU, which the kernel leaves the guest's: it governs user pages, of which the kernel has none.
    func protectionKeyRights() -> UInt32
    /// Loads CR2, which VM entries and exits leave alone.
    func loadPageFaultAddress(_ address: UInt64)
    /// DR6, likewise.
    func readDebugStatus() -> UInt64
    func loadDebugStatus(_ value: UInt64)
    /// Ends the blocking of NMIs that an NMI exit began.
    func finishNonMaskableInterrupt()
    /// Tells the interrupt controllers that an acknowledged interrupt is done with.
    func finishInterrupt(_ vector: UInt8)
}
