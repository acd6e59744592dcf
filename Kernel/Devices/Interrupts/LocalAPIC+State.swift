extension LocalAPIC {
    /// Everything a local APIC holds, as a plain value, for a virtual CPU with the same identifier.
    public struct State: Equatable, Sendable {
        /// By their offset, 16 bytes apart.
        private var registers: [64 of UInt32]
        /// Bits 63:32 of the command register of x2APIC mode.
        fileprivate let commandDestination: UInt32
        fileprivate let base: APICBase
        /// Found since the error status register was last written.
        fileprivate let errors: UInt32
        fileprivate let timer: LocalAPICTimer

        fileprivate init(_ apic: LocalAPIC) {
            registers = .init { apic.page[4 * $0] }
            commandDestination = apic.page[0x304 >> 2]
            base = apic.base
            errors = apic.errors
            timer = apic.timer
            // Only with assistance is this one kept in the page.
            var apic = apic
            registers[Int(APICRegister.processorPriority.rawValue >> 4)] = UInt32(apic.processorPriority)
        }

        fileprivate func fill(_ page: UnsafeMutablePointer<UInt32>) {
            for index in 0..<64 { page[4 * index] = registers[index] }
            page[0x304 >> 2] = commandDestination
        }

        public static func == (left: Self, right: Self) -> Bool {
            for index in 0..<64 where left.registers[index] != right.registers[index] { return false }
            return left.commandDestination == right.commandDestination && left.base == right.base && left.errors == right.errors
                && left.timer == right.timer
        }
    }

    public var state: State { State(self) }

    /// Restores a saved state. Whether the processor assists, then or now, is not part of it.
    public mutating func restore(_ state: State) {
        (base, errors, timer) = (state.base, state.errors, state.timer)
        state.fill(page)
        timerEntry = value(.timer)
        line0AwaitsEnd = line0AwaitsEndInPage
        setAssisted(isAssisted)
    }
}
