import Instructions

/// The machine's 8259 pair: masked, since Martlet takes no interrupts; one that comes all the same is ended.
enum InterruptControllers {
    /// Masks all lines. What firmware left pending then stays where it is.
    static func mask() {
        outb(0x21, 0xFF)
        outb(0xA1, 0xFF)
    }

    /// Ends an interrupt that a VM exit acknowledged.
    static func finish(_ vector: UInt8) {
        outb(0xA0, 0x20)
        outb(0x20, 0x20)
    }
}
