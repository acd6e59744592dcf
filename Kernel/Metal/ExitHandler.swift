import Machine
import VMX

/// What the world switch calls on a VM exit that nobody observes.
/// - Returns: 1 to resume the guest at once, 0 for the run loop.
@_optimize(speed)
@c(martlet_handle_exit)
func handleExit(_ cpu: UnsafeMutableRawPointer) -> UInt32 {
    HardwareCPU.handleExit(cpu.assumingMemoryBound(to: HardwareCPU.self)).rawValue
}
