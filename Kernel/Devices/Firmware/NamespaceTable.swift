extension TableWriter {
    /// DSDT (ACPI specification 6.3, 5.2.11.1 "Differentiated System Description Table (DSDT)"): the virtual CPUs, the PCI root
    /// with the ISA bridge and its devices, and soft off.
    ///
    /// No PCI interrupt routing: no device on the bus has an interrupt pin.
    mutating func namespaceTable(processors: UInt8) -> UInt64 {
        table("DSDT", revision: 2) {
            $0.name("_S5_")
            $0.byte(0x12)
            $0.package {
                $0.byte(4)
                $0.integer(UInt32(FixedHardware.softOffType))
                $0.integer(0)
                $0.integer(0)
                $0.integer(0)
            }
            $0.scope("\\_SB_") {
                for processor in 0..<processors { $0.processor(processor) }
                $0.device("PCI0") {
                    $0.rootBridge()
                    $0.device("ISA_") { $0.isaBridge() }
                }
            }
        }
    }

    /// CP00 and so on: a processor device, by the number that the MADT gives it too.
    private mutating func processor(_ number: UInt8) {
        byte(0x5B)
        byte(0x82)
        package {
            $0.text("CP")
            $0.hexadecimalDigit(number >> 4)
            $0.hexadecimalDigit(number & 15)
            $0.name("_HID", text: "ACPI0007")
            $0.name("_UID", integer: UInt32(number))
        }
    }

    private mutating func hexadecimalDigit(_ digit: UInt8) { byte(digit < 10 ? 0x30 + digit : 0x37 + digit) }

    /// The bridge keeps its configuration ports to itself and passes on all other ports, the video memory, and the addresses
    /// between the most RAM that a guest can have and the I/O APIC.
    private mutating func rootBridge() {
        hardwareIdentifier("PNP", 0x0A03)
        name("_UID", integer: 0)
        resources {
            $0.busNumbers(0, upTo: 0)
            $0.ports(ConfigurationSpace.addressPort, count: 8)
            $0.portWindow(0, upTo: ConfigurationSpace.addressPort - 1)
            $0.portWindow(ConfigurationSpace.addressPort + 8, upTo: 0xFFFF)
            $0.memoryWindow(0xA_0000, upTo: 0xB_FFFF, isCacheable: true)
            $0.memoryWindow(0xC000_0000, upTo: 0xFEBF_FFFF, isCacheable: false)
        }
    }

    private mutating func isaBridge() {
        name("_ADR", integer: 0x0001_0000)
        device("PIC_") {
            $0.hardwareIdentifier("PNP", 0x0000)
            $0.resources {
                $0.ports(InterruptControllerPair.firstPort, count: InterruptControllerPair.portCount)
                $0.ports(InterruptControllerPair.secondPort, count: InterruptControllerPair.portCount)
                $0.ports(InterruptControllerPair.triggerPort, count: InterruptControllerPair.portCount)
                $0.interrupt(2)
            }
        }
        device("TIMR") {
            $0.hardwareIdentifier("PNP", 0x0100)
            $0.resources {
                $0.ports(IntervalTimer.firstPort, count: IntervalTimer.portCount)
                $0.interrupt(0)
            }
        }
        device("RTC_") {
            $0.hardwareIdentifier("PNP", 0x0B00)
            $0.resources {
                $0.ports(RealTimeClock.firstPort, count: RealTimeClock.portCount)
                $0.interrupt(8)
            }
        }
        device("KBD_") {
            $0.hardwareIdentifier("PNP", 0x0303)
            $0.resources {
                $0.ports(KeyboardController.dataPort, count: 1)
                $0.ports(KeyboardController.commandPort, count: 1)
                $0.interrupt(1)
            }
        }
        device("COM1") {
            $0.hardwareIdentifier("PNP", 0x0501)
            $0.name("_UID", integer: 1)
            $0.resources {
                $0.ports(SerialPort.firstPort, count: SerialPort.portCount)
                $0.interrupt(4)
            }
        }
        device("MBRD") {  // ports of the board that no other device may be given: ACPI and fw_cfg
            $0.hardwareIdentifier("PNP", 0x0C02)
            $0.resources {
                $0.ports(FixedHardware.eventPort, count: FixedHardware.portCount)
                $0.ports(FirmwareConfiguration.selectorPort, count: 12)
            }
        }
    }
}
