/// The pin that a function interrupts with (PCI local bus specification 3.0, 6.2.4 "Miscellaneous Registers").
enum PCIInterruptPin: UInt8, Sendable {
    case none, a, b, c, d
}

/// The route of the interrupt pins: by the board's wires to PIRQA to PIRQD, and by the ISA bridge's registers to inputs of the
/// interrupt controllers (Intel 82371SB data sheet, "PIRQRC[A:D] - PIRQx Route Control Registers").
enum PCIInterruptRouting {
    /// The ISA bridge's register with a byte for each PIRQ: bit 7 is set if it goes nowhere, else bits 3:0 are an IRQ.
    static var register: UInt8 { 0x18 }
    /// The IRQs that it may go to; the others are reserved, and nothing goes there.
    private static var routable: UInt16 { 0xDEF8 }

    /// The PIRQ of a pin, 0 to 3: boards with a 440FX rotate the wires by one from each device to the next, so that devices with
    /// one pin spread over all four.
    static func request(_ pin: PCIInterruptPin, ofDevice device: UInt8) -> UInt8 {
        pin == .none ? 4 : (pin.rawValue &+ device &- 2) & 3
    }

    /// The IRQs, a bit each, that a set of PIRQs (a bit each) drives.
    static func lines(of requests: UInt8, by routes: UInt32) -> UInt16 {
        var lines: UInt16 = 0
        for request in 0..<UInt32(4) where requests &>> UInt8(request) & 1 != 0 {
            let route = routes &>> (8 &* request)
            if route & 0x80 == 0 { lines |= 1 &<< UInt16(route & 15) }
        }
        return lines & routable
    }
}
