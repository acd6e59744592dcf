import Devices
import Virtualization

extension VirtualCPU {
    /// An interrupt of the host's, acknowledged on the exit. COM1's brings input, which a guest that spins would not come to
    /// ask for; the timer's may serve for the preemption timer, and is set anew.
    @inline(__always)
    mutating func finishHostInterrupt(_ vector: UInt8?) -> Outcome {
        if let vector { host.finishInterrupt(vector) }
        if !processor.hasTimer { advanceDevices(to: clock.now) }
        attention.insert(.devices)
        return resumeDelivery()
    }

    /// If the exit came in the middle of an event's delivery, the event is delivered anew; else it would be lost.
    mutating func resumeDelivery() -> Outcome {
        if let event = processor.interruptedEvent { return .inject(event) }
        return .resume
    }
}
