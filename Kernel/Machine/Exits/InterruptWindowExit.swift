import Devices
import Virtualization

extension VirtualCPU {
    /// The guest can now take an interrupt, and one was waiting.
    @inline(__always)
    mutating func openInterruptWindow() -> Outcome {
        isWindowOpen = true
        guard let event = eventToInject() else { return .resume }
        setSlice(at: clock.now)
        return .inject(event)
    }
}
