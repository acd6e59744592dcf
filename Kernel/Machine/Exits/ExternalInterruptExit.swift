import Devices
import Virtualization

extension VirtualCPU {
    /// A host interrupt, acknowledged on the exit. COM1's brings input, which a spinning guest would not ask for; the timer's
    /// may stand in for the preemption timer, and is set again.
    @inline(__always)
    mutating func finishHostInterrupt(_ vector: UInt8?) -> Outcome {
        if let vector { host.finishInterrupt(vector) }
        if !processor.hasTimer { advanceDevices(to: clock.now) }
        attention.insert(.devices)
        return resumeDelivery()
    }

    /// If the exit came during an event's delivery, the event is delivered again; else it would be lost.
    mutating func resumeDelivery() -> Outcome {
        if let event = processor.interruptedEvent { return .inject(event) }
        return .resume
    }
}
