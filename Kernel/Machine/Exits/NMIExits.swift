import Devices
import Virtualization

extension VirtualCPU {
    /// An NMI of the host's.
    @inline(__always)
    mutating func finishHostNonMaskableInterrupt() -> Outcome {
        host.finishNonMaskableInterrupt()
        return resumeDelivery()
    }

    /// The guest can take a non-maskable interrupt now.
    @inline(__always)
    mutating func openNonMaskableInterruptWindow() -> Outcome {
        if let event = firstEventToInject() { return .inject(event) }
        return .resume
    }
}
