import Text
import Instructions

/// The end of the kernel: reports the status and switches the machine off by whatever means it has.
enum Power {
    static func end(_ status: Status) -> Never {
        disable_interrupts()
        Processor.current.pointee.recorder?.close(status.number)
        Report.status(status)
        Console.drain()
        if Console.isOnBochs { endBochs() }
        // QEMU's isa-debug-exit passes on the guest's own value, and Martlet's statuses unchanged.
        if case .guestValue(let value) = status { outl(0xF4, value) } else { outl(0xF4, status.number) }
        // The ACPI sleep registers of QEMU's q35 and pc machines.
        outw(0x604, 0x2000)
        outw(0xB004, 0x2000)
        Console.print("martlet: ended; the machine can be switched off")
        while true { halt() }
    }

    /// Bochs ends when this word is written to its shutdown port.
    private static func endBochs() {
        let word: StaticString = "Shutdown"
        for index in 0..<word.utf8CodeUnitCount { outb(0x8900, word.utf8Start[index]) }
    }
}
