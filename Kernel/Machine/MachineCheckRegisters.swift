import X86

/// The machine-check registers of a virtual CPU, which never report an error (SDM volume 3, "Machine-Check MSRs"): the
/// machine's own errors are Martlet's, and a virtual one has none.
struct MachineCheckRegisters: Equatable, Sendable {
    private static var bankCount: UInt32 { 10 }
    /// The MSRs of the banks, four each: control, status, address, miscellaneous.
    static var banks: Range<UInt32> { 0x400..<0x400 + 4 * bankCount }
    /// IA32_MCG_CAP: the number of banks, and that there is IA32_MCG_CTL.
    static var capability: UInt64 { 1 << 8 | UInt64(bankCount) }

    /// IA32_MCG_STATUS, bits 2:0.
    private(set) var status: UInt64 = 0
    /// IA32_MCG_CTL: all zeros or all ones.
    private(set) var control: UInt64 = 0
    /// The banks whose IA32_MCi_CTL is all ones; that of the others is all zeros.
    private var enabledBanks: UInt32 = 0

    /// A register of a bank's, by its number among those of all banks.
    @inline(__always)
    func readBank(_ number: UInt32) -> UInt64 {
        number & 3 == 0 && enabledBanks &>> (number >> 2) & 1 != 0 ? .max : 0
    }

    // Writes return false if the register does not take the value.

    @inline(__always)
    mutating func writeStatus(_ value: UInt64) -> Bool {
        guard value & ~0b111 == 0 else { return false }
        status = value
        return true
    }

    @inline(__always)
    mutating func writeControl(_ value: UInt64) -> Bool {
        guard value &+ 1 < 2 else { return false }
        control = value
        return true
    }

    @inline(__always)
    mutating func writeBank(_ number: UInt32, _ value: UInt64) -> Bool {
        let isControl = number & 3 == 0
        guard value == 0 || value == .max && isControl else { return false }
        let bit: UInt32 = 1 &<< (number >> 2)
        if isControl { enabledBanks = value == 0 ? enabledBanks & ~bit : enabledBanks | bit }
        return true
    }
}
