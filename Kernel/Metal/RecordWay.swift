import Instructions
import Machine

/// How exit records leave the machine.
///
/// A serial port carries some 11 KB a second of the machine's time, far too little for a guest that exits often: where the
/// machine has a channel without a fixed speed, it is used, and the records go unchanged to a file on the host.
struct RecordWay {
    private let way: KernelOptions.RecordWay
    /// How many records went out.
    private(set) var count: UInt64 = 0

    /// LPT1 (IEEE 1284), whose control port is two above its data port.
    private static var parallelPort: UInt16 { 0x378 }
    /// INIT and SELECT IN; a byte counts when the strobe rises.
    private static var selected: UInt8 { 0x0C }
    private static var strobe: UInt8 { 0x01 }
    private static var debugPort: UInt16 { 0x402 }

    init(_ way: KernelOptions.RecordWay) { self.way = way }

    mutating func send(_ record: UnsafeRawBufferPointer) {
        count += 1
        switch way {
        case .report: Report.record(record)
        case .parallel: Self.print(record)
        case .port: write_port_bytes(Self.debugPort, record.baseAddress!, UInt64(record.count))
        }
    }

    private static func print(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            outb(parallelPort, byte)
            outb(parallelPort + 2, selected | strobe)
            outb(parallelPort + 2, selected)
        }
    }
}
