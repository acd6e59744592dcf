import Instructions
import X86

/// The machine's interrupt controllers. Martlet takes no interrupts; one that comes all the same is ended.
enum InterruptControllers {
    /// Masks all lines of the 8259 pair. What firmware left pending then stays where it is.
    static func mask() {
        outb(0x21, 0xFF)
        outb(0xA1, 0xFF)
    }

    /// Ends an interrupt that a VM exit or the kernel itself acknowledged: at the 8259s and, where it is on, at the local
    /// APIC (SDM volume 3, 12.8.5 "Signaling Interrupt Servicing Completion").
    static func finish(_ vector: UInt8) {
        outb(0xA0, 0x20)
        outb(0x20, 0x20)
        guard execute_cpuid(1, 0).edx & CPUIDFeature.apic != 0 else { return }
        let base = read_msr(ModelSpecificRegister.apicBase.number)
        let isEnabled = base & 1 << 11 != 0
        let isX2APIC = base & 1 << 10 != 0
        if isEnabled, isX2APIC { write_msr(0x80B, 0) }
        if isEnabled, !isX2APIC { write_word(base & 0x000F_FFFF_FFFF_F000 + 0xB0, 0) }
    }
}
