extension Board {
    /// Sets the devices up as a PC's firmware leaves them for what it boots: the 8259 pair at vectors 08H and 70H with only the
    /// timer's line open, the timer at 18.2 Hz, COM1 with eight-bit characters and without interrupts. The loader sets up what
    /// the BIOS keeps in memory.
    public mutating func setUpAsFirmware(at time: MachineTime) {
        writeByte(IntervalTimer.controlPort, 0x34, at: time)  // channel 0, both bytes, rate generator
        writeByte(IntervalTimer.firstPort, 0, at: time)
        writeByte(IntervalTimer.firstPort, 0, at: time)
        // ICW1 forgets the edge that the timer's output has just made.
        initialize(InterruptControllerPair.firstPort, vectors: 0x08, cascade: 1 << 2, masked: ~(1 << Line.timer | 1 << 2), time)
        initialize(InterruptControllerPair.secondPort, vectors: 0x70, cascade: 2, masked: 0xFF, time)
        writeByte(SerialPort.firstPort + 3, 3, at: time)
        writeByte(SerialPort.firstPort + 4, 3, at: time)
    }

    /// ICW1 to ICW4 of an 8259, and its mask.
    private mutating func initialize(_ port: UInt16, vectors: UInt8, cascade: UInt8, masked: UInt8, _ time: MachineTime) {
        writeByte(port, 0x11, at: time)
        writeByte(port + 1, vectors, at: time)
        writeByte(port + 1, cascade, at: time)
        writeByte(port + 1, 1, at: time)
        writeByte(port + 1, masked, at: time)
    }
}
