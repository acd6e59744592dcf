/// The reset control register at port CF9h (82371SB PIIX3 data sheet, "Reset Control Register"), which is also ACPI's
/// reset register.
public struct ResetControl: Equatable, Sendable {
    public static var port: UInt16 { 0xCF9 }
    /// The value for ACPI's reset register.
    public static var resetValue: UInt8 { 6 }

    private static var resetProcessor: UInt8 { 0x04 }
    /// The implemented bits: system reset, reset processor, and full reset.
    private static var bits: UInt8 { 0x0E }

    private var value: UInt8 = 0

    public init() {}

    public func read() -> UInt8 { value }

    /// The machine is reset when bit 2 changes from 0 to 1.
    public mutating func write(_ newValue: UInt8) -> PowerEffect {
        let rises = newValue & ~value & Self.resetProcessor != 0
        value = newValue & Self.bits
        return rises ? .reset : .none
    }
}
