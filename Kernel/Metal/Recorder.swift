import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import X86

/// Exit records: the memory to which the world switch writes them, and their way out (Docs/Records.md).
///
struct Recorder {
    private let start: UnsafeMutablePointer<ExitRecord>
    private let count: Int
    /// Full memory is sent, not overwritten.
    private let sendsAtOnce: Bool
    /// The virtual CPU whose exits are being recorded.
    private var cpu: UnsafeMutablePointer<HardwareCPU>?
    /// Its guest's name, until the header has gone out.
    private var guest: Line?
    private var startTime: UInt64 = 0
    /// How often its records filled the memory without being sent.
    private var laps: UInt64 = 0
    private var sent: UInt64 = 0
    private var lost: UInt64 = 0
    private var isClosed = false
    private var way: RecordWay

    /// - Parameter memory: for `RecordSlots.size(count:)` bytes.
    init(memory: HostPhysicalRange, count: UInt64, sendsAtOnce: Bool, _ way: KernelOptions.RecordWay) {
        self.way = RecordWay(way)
        start = UnsafeMutablePointer(bitPattern: UInt(memory.start.rawValue))!
        self.count = Int(count)
        self.sendsAtOnce = sendsAtOnce
    }

    // MARK: A guest

    mutating func begin(_ cpu: UnsafeMutablePointer<HardwareCPU>, guest: Line) {
        laps = 0
        self.guest = Self.firstWord(guest)
        cpu.pointee.records = RecordSlots(start, count: count)
        self.cpu = cpu
        startTime = read_tsc()
    }

    /// The header goes out before the guest's first record, and not before the guest runs: sending takes long.
    private mutating func sendHeader() {
        guard let name = guest else { return }
        guest = nil
        let header = RecordHeader(
            frequency: Processor.current.pointee.timeStamp.frequency, start: startTime,
            processor: Line("\(ProcessorName(HardwareHost()))"),
            machine: Self.machineName, guest: name)
        send { header.encode(to: $0) }
    }

    /// The guest has ended: sends what is still in memory.
    mutating func end() {
        guard let cpu else { return }
        self.cpu = nil
        sendAll(upTo: cpu.pointee.records.next)
    }

    /// The name alone, without the guest's command line.
    private static func firstWord(_ text: Line) -> Line {
        var word = Line()
        for position in 0..<text.count {
            if text[position] == 0x20 { break }
            word.write(byte: text[position])
        }
        return word
    }

    private static var machineName: Line {
        if Console.isOnBochs { return "bochs" }
        guard HardwareHost().has(.hypervisor) else { return "pc" }
        // The first letters of the names "KVMKVMKVM" and "TCGTCGTCGTCG".
        switch execute_cpuid(0x4000_0000, 0).ebx {
        case 0x4B4D_564B: return "kvm"
        case 0x5447_4354: return "tcg"
        default: return "virtual"
        }
    }

    // MARK: An exit

    /// Ends the record of an exit that came to the run loop, and goes on to the next.
    mutating func complete(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
        guard let slot = cpu.pointee.records.next else { return }
        cpu.pointee.completeRecord()
        if slot + 1 == cpu.pointee.records.end { makeRoom(cpu) } else { cpu.pointee.records.next = slot + 1 }
    }

    /// The slot being filled is the last.
    mutating func makeRoom(_ cpu: UnsafeMutablePointer<HardwareCPU>) {
        guard sendsAtOnce else {
            laps += 1
            cpu.pointee.records.next = start
            return
        }
        let before = read_tsc()
        sendAll(upTo: cpu.pointee.records.end)
        // Sending takes long, and the guest's clocks must not show that. A separate record tells the reader.
        let after = read_tsc()
        RecordMark.pause(from: before, to: after).encode(
            to: UnsafeMutableRawBufferPointer(start: start, count: ExitRecord.size))
        cpu.pointee.records.next = start + 1
        cpu.pointee.skipTime(after &- before)
    }

    // MARK: Sending

    /// Sends the records of the memory, the oldest first, up to the slot that is filled next.
    private mutating func sendAll(upTo next: UnsafeMutablePointer<ExitRecord>?) {
        guard let next else { return }
        sendHeader()
        if laps > 0 {
            let overwritten = (laps - 1) * UInt64(count) + UInt64(next - start)
            if overwritten > 0 { send { RecordMark.loss(count: overwritten).encode(to: $0) } }
            lost += overwritten
            send(from: next, to: start + count)
        }
        send(from: start, to: next)
    }

    private mutating func send(from first: UnsafeMutablePointer<ExitRecord>, to end: UnsafeMutablePointer<ExitRecord>) {
        var slot = first
        while slot < end {
            way.send(UnsafeRawBufferPointer(start: slot, count: ExitRecord.size))
            if slot.pointee.kind == .exit { sent += 1 }
            slot += 1
        }
    }

    private mutating func send(_ encode: (UnsafeMutableRawBufferPointer) -> Void) {
        var record: [120 of UInt8] = .init(repeating: 0)
        withUnsafeMutableBytes(of: &record) { bytes in
            encode(bytes)
            way.send(UnsafeRawBufferPointer(bytes))
        }
    }

    /// The kernel ends, in whatever way: sends what is left, and the last record.
    mutating func close(_ status: UInt32) {
        guard !isClosed else { return }
        isClosed = true
        end()
        let end = RecordMark.end(exits: sent, lost: lost, status: status)
        send { end.encode(to: $0) }
        Report.records(way.count)
    }
}

/// Called by the world switch when the last slot is filled except for the registers with which the guest goes on.
@c(martlet_records_full)
func makeRoomForRecords(_ cpu: UnsafeMutableRawPointer) {
    let cpu = cpu.assumingMemoryBound(to: HardwareCPU.self)
    cpu.pointee.completeRecordedRegisters()
    Processor.current.pointee.recorder?.makeRoom(cpu)
}
