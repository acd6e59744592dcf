// The timer, and IA32_APIC_BASE.

extension LocalAPIC {
    /// When the timer will request its interrupt. An APIC disabled in either way has its timer masked.
    public var nextEvent: MachineTime { timerEntry & LocalAPIC.mask != 0 ? .never : timer.expiry }

    /// Lets the timer request its interrupt if that is due.
    /// - Returns: the vector that was requested (that of the error interrupt if the timer's is illegal), or 0.
    @inline(__always)
    public mutating func advance(to time: MachineTime) -> UInt8 {
        guard timer.expiry <= time else { return 0 }
        let entry = timerEntry
        timer.expire(at: time)
        guard entry & LocalAPIC.mask == 0 else { return 0 }
        let vector = UInt8(truncatingIfNeeded: entry)
        guard vector >= 16 else { return note(.receivedIllegalVector) }
        request(vector, isLevelTriggered: false)
        return vector
    }

    // MARK: IA32_TSC_DEADLINE

    /// The value, 0 when disarmed, as the timer is once its deadline has come.
    public func readDeadline(at time: MachineTime) -> UInt64 { timer.expiry > time ? timer.deadline : 0 }

    /// - Parameters:
    ///   - value: as the guest writes it, in its own time stamp.
    ///   - moment: the machine time at which the guest's time stamp has that value.
    @inline(__always)
    public mutating func writeDeadline(_ value: UInt64, at moment: MachineTime) { timer.setDeadline(value, at: moment) }

    // MARK: IA32_APIC_BASE

    /// As firmware leaves it: enabled, with the 8259 pair at LINT0 and NMI at LINT1 (Multiprocessor Specification 1.4, 3.6.2.2
    /// "Virtual Wire Mode").
    public mutating func enableVirtualWire() {
        set(.spuriousInterrupt, 0x1FF)
        set(.line0, 7 << 8)
        set(.line1, 4 << 8)
    }

    /// WRMSR.
    /// - Returns: false for #GP.
    public mutating func writeBase(_ new: UInt64) -> Bool {
        guard base.allows(new, physicalAddressWidth: physicalAddressWidth) else { return false }
        let wasExtended = base.isExtended
        base.set(new)
        if !base.isEnabled {
            resetRegisters()
        } else if base.isExtended != wasExtended {
            writeIdentifiers()
            // The command register's halves become one register.
            page[0x304 >> 2] = 0
            set(.interruptCommandHigh, 0)
        }
        return true
    }
}
