import Devices
import Instructions
import X86

/// How fast a processor's time-stamp counter runs.
struct TimeStamp {
    /// Ticks a second; 0 if unknown.
    private(set) var frequency: UInt64 = 0

    private static var calibrationCount: UInt64 { 11932 }
    /// More ticks than 10 ms have on any processor.
    private static var longest: UInt64 { 1 << 32 }
    private static var timerFrequency: UInt64 { 1_193_182 }

    /// Measures it against channel 2 of the 8254, for 10 ms. What CPUID says is taken only if the measurement bears it out:
    /// emulators show the figures of the processor that they imitate. If the machine's 8254 stands still, CPUID is believed.
    mutating func measure(with controller: inout LocalInterruptController) {
        let control = inb(SystemControlPort.port)
        outb(SystemControlPort.port, control & ~0x03 | 0x01)  // gate on, speaker off
        outb(IntervalTimer.controlPort, 0b1011_0000)  // channel 2, low and high byte, mode 0
        outb(IntervalTimer.channel2Port, UInt8(truncatingIfNeeded: Self.calibrationCount))
        controller.beginCalibration()
        outb(IntervalTimer.channel2Port, UInt8(truncatingIfNeeded: Self.calibrationCount >> 8))
        let start = read_tsc()
        while inb(SystemControlPort.port) & 0x20 == 0, read_tsc() - start < Self.longest {}
        let calibrationTicks = read_tsc() - start
        controller.endCalibration(ticks: calibrationTicks)
        outb(SystemControlPort.port, control)
        let measured = calibrationTicks * Self.timerFrequency / Self.calibrationCount
        let told = Self.toldFrequency
        guard calibrationTicks < Self.longest else {
            frequency = told
            return
        }
        let difference = told > measured ? told - measured : measured - told
        frequency = difference < measured / 100 ? told : measured
    }

    /// What CPUID says, or 0 (SDM volume 3, "Determining the Processor Base Frequency").
    private static var toldFrequency: UInt64 {
        guard execute_cpuid(0, 0).eax >= 0x15 else { return 0 }
        let ratio = execute_cpuid(0x15, 0)
        guard ratio.eax != 0 else { return 0 }
        return UInt64(ratio.ecx) * UInt64(ratio.ebx) / UInt64(ratio.eax)
    }
}
