import Devices
import Instructions
import X86

/// The machine's interrupt controllers. Martlet takes three interrupts: COM1's and COM4's, through the 8259 pair, and the timer's of
/// the local APIC; it ends any other that comes anyway.
enum InterruptControllers {
    // The ports of the 8259 pair.
    private static var firstCommand: UInt16 { InterruptControllerPair.firstPort }
    private static var firstData: UInt16 { firstCommand + 1 }
    private static var secondCommand: UInt16 { InterruptControllerPair.secondPort }
    private static var secondData: UInt16 { secondCommand + 1 }
    /// OCW2: the interrupt of the highest priority has ended.
    private static var endOfInterrupt: UInt8 { 0x20 }
    /// OCW3: the next read of the command port gives the interrupts in service.
    private static var readInService: UInt8 { 0x0B }

    /// The vectors of the 8259 pair, sixteen.
    private static var firstLine: UInt8 { 0x20 }
    private static var serialLine: UInt8 { 4 }
    private static var stopLine: UInt8 { 3 }

    /// Puts the 8259 pair at its vectors, with all lines masked (8259A data sheet, "Initialization Command Words").
    static func mask() {
        outb(firstCommand, 0x11)
        outb(secondCommand, 0x11)
        outb(firstData, firstLine)
        outb(secondData, firstLine + 8)
        outb(firstData, 1 << 2)
        outb(secondData, 2)
        outb(firstData, 1)
        outb(secondData, 1)
        outb(firstData, 0xFF)
        outb(secondData, 0xFF)
    }

    /// Lets COM1 interrupt.
    static func openSerialLine() { open(serialLine) }

    /// Lets COM4 interrupt: its byte is not taken, so it stays visible; its line is edge-triggered.
    static func openStopLine() {
        SerialLine.com4.open()
        SerialLine.com4.openInterrupt()
        open(stopLine)
    }

    private static func open(_ line: UInt8) { outb(firstData, inb(firstData) & ~(1 << line)) }

    /// Serves and ends an interrupt that a VM exit or the kernel itself acknowledged.
    static func finish(_ vector: UInt8) {
        guard vector &- firstLine < 16 else { return Processor.current.pointee.interruptController.finish(vector) }
        let line = vector - firstLine
        if line == serialLine { Console.withLock { $0.input.collect() } }
        // A withdrawn request comes as line 7 or 15 and is not in service.
        if line >= 8 {
            if line != 15 || isInService(secondCommand) { outb(secondCommand, endOfInterrupt) }
            outb(firstCommand, endOfInterrupt)
        } else if line != 7 || isInService(firstCommand) {
            outb(firstCommand, endOfInterrupt)
        }
    }

    private static func isInService(_ port: UInt16) -> Bool {
        outb(port, readInService)
        return inb(port) & 0x80 != 0
    }
}
