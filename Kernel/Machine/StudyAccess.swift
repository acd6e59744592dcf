import Devices
import Memory
import Virtualization
import X86

// What the monitor asks of a virtual CPU and does to it while the guest stands still.

extension VirtualCPU {
    /// Nothing is to be done about the last exit, which was none of the guest's own.
    public mutating func passOver() { pending = .resume }

    /// Has the next exit look for input of COM1's.
    public mutating func expectInput() { board.pointee.needsAttention = true }

    /// Where the byte at RIP lies, as the processor would fetch it; nil if it could not.
    public mutating func locateInstruction() -> GuestPhysicalAddress? {
        let mode = processor.mode
        let base = mode.is64Bit ? 0 : processor.segment(.cs).base
        let linear = (base &+ processor.instructionPointer) & (mode.is64Bit ? .max : 0xFFFF_FFFF)
        guard case .page(let page) = paging.translate(GuestVirtualAddress(linear), for: access(.fetch), in: memory) else {
            return nil
        }
        return page.address
    }

    /// The guest's RAM.
    public var guestMemory: GuestMemory { memory }
}
