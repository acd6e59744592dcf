import Trace
import Virtualization

// The parts of a record that the world switch does not write: it begins each exit's record and ends it when the exit handler
// resumes the guest. The rest is here: details of exits that are rare enough to ask for them, and the end of the record
// when the exit goes to the run loop.

extension VirtualCPU {
    /// The operand that explains the exit, where the processor does not report it.
    @inline(__always)
    mutating func noteOperand(_ value: UInt64) {
        records.next?.pointee.operand = value
    }

    /// What Martlet did about the exit. It is not recorded where an instruction was emulated: RIP has moved.
    @inline(__always)
    mutating func note(_ outcome: Outcome) {
        if let record = records.next, record.pointee.outcome == 0 { record.pointee.note(outcome) }
    }

    /// The same where nothing was done: an event that comes as well is not what Martlet did about the exit.
    @inline(never)
    mutating func noteResumption(_ outcome: Outcome) {
        if outcome == .resume { note(outcome) }
    }

    /// The guest has ended, whatever was done about the exit.
    mutating func end(_ ending: Ending) {
        pending = .end(ending)
        note(pending)
    }

    /// Ends the record of an exit that left for the run loop. The record stays in its slot: the caller goes on to the next.
    public mutating func completeRecord() {
        guard let record = records.next else { return }
        record.pointee.departure = host.timeStamp()
        record.pointee.event = processor.entryEvent
        record.pointee.nextInstructionPointer = processor.instructionPointer
        completeRecordedRegisters()
    }

    /// The registers with which the guest goes on.
    public mutating func completeRecordedRegisters() {
        guard let record = records.next else { return }
        record.pointee.nextRAX = registers.rax
        record.pointee.nextEBX = UInt32(truncatingIfNeeded: registers.rbx)
        record.pointee.nextECX = UInt32(truncatingIfNeeded: registers.rcx)
        record.pointee.nextEDX = UInt32(truncatingIfNeeded: registers.rdx)
    }

    /// Hides from the guest the time that the host spent on other things.
    public mutating func skipTime(_ ticks: UInt64) {
        startTime &+= ticks
        processor.timeStampOffset = processor.timeStampOffset &- ticks
        timer.postpone(by: ticks)
        dueMoment &+= ticks
        nextLook &+= ticks
    }
}
