import Trace
import Virtualization

// What the world switch does not write of a record: it begins the record of each exit and ends it when the exit handler
// resumes the guest. The rest is here: details of the exits that are rare enough to be asked for them, and the end of the
// record when the run loop has to do with the exit.

extension VirtualCPU {
    /// Handles an exit as `finishAnyExit` does, and takes down what only its handler knows.
    public mutating func finishRecordedExit() -> Bool {
        let exit = processor.decodeExit()
        noteCause(exit)
        let outcome = handle(exit)
        note(outcome)
        return applyAndAttend(outcome)
    }

    /// The operand that explains the exit, where the processor does not report it.
    public mutating func noteCause(_ exit: Exit) {
        guard let record = records.next else { return }
        switch exit {
        case .controlRegister(.write(_, let source)): record.pointee.operand = registers.value(of: source)
        case .debugRegister(let access): record.pointee.operand = registers.value(of: access.general)
        case .exception(let exception): record.pointee.operand = UInt64(exception.errorCode ?? 0)
        default: break
        }
    }

    /// What Martlet did about the exit.
    @inline(__always)
    public mutating func note(_ outcome: Outcome) {
        records.next?.pointee.note(outcome)
    }

    /// The same where a quick way of the exit's did not take anything down.
    public mutating func noteUnlessNoted(_ outcome: Outcome) {
        if records.next?.pointee.outcome == 0 { note(outcome) }
    }

    /// An interrupt was requested of the processor, which delivers it itself. Of several in one exit the last is kept.
    @inline(__always)
    mutating func noteRequest(of vector: UInt8) {
        records.next?.pointee.requestedVector = vector
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

    /// Lets no time pass for the guest while the host was busy with what is none of its business.
    public mutating func skipTime(_ ticks: UInt64) {
        startTime &+= ticks
        processor.timeStampOffset = processor.timeStampOffset &- ticks
        timer.postpone(by: ticks)
    }
}
