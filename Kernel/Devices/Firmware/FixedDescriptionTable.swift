/// The ports of the ACPI fixed hardware, as stated in the tables and required of the machine.
public enum FixedHardware {
    /// PM1a_STS and PM1a_EN.
    public static var eventPort: UInt16 { PowerManagementTimer.firstPort }
    /// PM1a_CNT.
    public static var controlPort: UInt16 { PowerManagementTimer.firstPort + PowerManagementTimer.controlOffset }
    public static var timerPort: UInt16 { PowerManagementTimer.firstPort + PowerManagementTimer.timerOffset }
    /// All of them.
    public static var portCount: UInt16 { PowerManagementTimer.portCount }
    /// The reset control register of the host bridge, and the value that resets the machine.
    public static var resetPort: UInt16 { ResetControl.port }
    public static var resetValue: UInt8 { 6 }
    /// The system control interrupt.
    public static var interrupt: UInt8 { 9 }
    /// The sleep type of soft off.
    public static var softOffType: UInt8 { UInt8(PowerManagementTimer.softOff) }
    /// WBINVD works, C1 on all processors, no power and sleep button and no RTC wake-up in the fixed hardware, a PM timer of
    /// 32 bits, a reset register.
    static var features: UInt32 { 1 << 0 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 10 }
}

extension TableWriter {
    /// FACS (ACPI specification 6.3, 5.2.10 "Firmware ACPI Control Structure (FACS)"): on a 64-byte boundary, without checksum.
    mutating func firmwareControlStructure() -> UInt64 {
        align(to: 64)
        let start = next
        text("FACS")
        doubleWord(64)
        zeros(24)  // hardware signature, waking vectors, global lock, flags
        byte(2)
        zeros(31)
        return start
    }

    /// FADT of ACPI 5.0 (5.2.9 "Fixed ACPI Description Table (FADT)").
    mutating func fixedDescriptionTable(control: UInt64, namespace: UInt64) -> UInt64 {
        table("FACP", revision: 5) {
            $0.doubleWord(UInt32(truncatingIfNeeded: control))
            $0.doubleWord(UInt32(truncatingIfNeeded: namespace))
            $0.byte(0)
            $0.byte(1)  // a desktop
            $0.word(UInt16(FixedHardware.interrupt))
            $0.doubleWord(0)  // no SMI command port: ACPI mode is on
            $0.zeros(4)
            $0.fixedPorts()
            $0.word(0xFFF)  // no C2 state
            $0.word(0xFFF)  // no C3 state
            $0.zeros(4)  // WBINVD flushes: no flush size and stride
            $0.zeros(2)  // no duty cycle
            $0.byte(0)  // no day alarm
            $0.byte(0)  // no month alarm
            $0.byte(0x32)  // the century in CMOS memory
            $0.word(0b111)  // legacy devices and an 8042, but no VGA
            $0.byte(0)
            $0.doubleWord(FixedHardware.features)
            $0.register(port: FixedHardware.resetPort, bits: 8, accessSize: 1)
            $0.byte(FixedHardware.resetValue)
            $0.word(0)
            $0.byte(0)
            // With both addresses of the FACS, an operating system warns of two: the 64-bit one stays zero.
            $0.quadWord(0)
            $0.quadWord(namespace)
            $0.fixedRegisters()
        }
    }

    private mutating func fixedPorts() {
        doubleWord(UInt32(FixedHardware.eventPort))
        doubleWord(0)
        doubleWord(UInt32(FixedHardware.controlPort))
        doubleWord(0)
        doubleWord(0)
        doubleWord(UInt32(FixedHardware.timerPort))
        doubleWord(0)
        doubleWord(0)
        byte(4)
        byte(2)
        byte(0)
        byte(4)
        zeros(4)  // no general-purpose events, no C-state command
    }

    private mutating func fixedRegisters() {
        register(port: FixedHardware.eventPort, bits: 32, accessSize: 2)
        absentRegister()
        register(port: FixedHardware.controlPort, bits: 16, accessSize: 2)
        absentRegister()
        absentRegister()
        register(port: FixedHardware.timerPort, bits: 32, accessSize: 3)
        absentRegister()
        absentRegister()
        absentRegister()  // sleep control and status are for reduced hardware only
        absentRegister()
    }
}
