import Devices
import Virtualization

extension VirtualCPU {
    /// A host NMI.
    @inline(__always)
    mutating func finishHostNonMaskableInterrupt() -> Outcome {
        host.finishNonMaskableInterrupt()
        return resumeDelivery()
    }

    /// The guest can now take a non-maskable interrupt.
    @inline(__always)
    mutating func openNonMaskableInterruptWindow() -> Outcome {
        if let event = firstEventToInject() { return .inject(event) }
        return .resume
    }
}
