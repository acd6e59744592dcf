import Devices
import Memory
import Virtualization
import X86

// What the debugger asks of a virtual CPU and does to it while the guest is stopped.

extension VirtualCPU {
    /// Makes the next exit look for COM1 input.
    public mutating func expectInput() { attention.insert(.devices) }

    /// Whether an instruction of that many bytes at RIP could be fetched.
    public mutating func canFetch(_ count: UInt64) -> Bool {
        locateInstruction() != nil && locateInstruction(offset: count &- 1) != nil
    }

    /// Where the byte at RIP, or one after it, lies, as the processor would fetch it; nil if it could not.
    public mutating func locateInstruction(offset: UInt64 = 0) -> GuestPhysicalAddress? {
        let mode = processor.mode
        let base = mode.is64Bit ? 0 : processor.segment(.cs).base
        let linear = (base &+ processor.instructionPointer &+ offset) & (mode.is64Bit ? .max : 0xFFFF_FFFF)
        guard case .page(let page) = paging.translate(GuestVirtualAddress(linear), for: access(.fetch), in: memory) else {
            return nil
        }
        return page.address
    }

    /// Injects, as an event, the virtual interrupt that the processor would deliver at the next VM entry.
    public mutating func injectVirtualInterrupt() {
        guard apic.isAssisted, apic.pendingVector != 0, processor.canTakeInterrupt, !processor.isDebugTrapPending else {
            return
        }
        apic.setAssisted(false)
        processor.injectInterrupt(apic.acknowledge())
        apic.setAssisted(true)
        refreshVirtualInterrupts()
    }

    /// Clears TF in the flags that PUSHF has just stored.
    public mutating func clearStoredTrapFlag() {
        let stack = processor.segment(.ss)
        let mask: UInt64 = processor.mode.is64Bit ? .max : stack.attributes.is32Bit ? 0xFFFF_FFFF : 0xFFFF
        // TF is the lowest bit of the image's second byte.
        let offset = (processor.stackPointer &+ 1) & mask
        let linear = processor.mode.is64Bit ? offset : (stack.base &+ offset) & 0xFFFF_FFFF
        guard let place = locate(GuestVirtualAddress(linear)) else { return }
        writePhysical(place, size: 1, readPhysical(place, size: 1) & ~1)
    }

    /// The stopped guest's debug registers outside the VMCS: they are in the processor, since the kernel uses none.
    public var debugRegisters: DebugRegisters {
        var registers = DebugRegisters()
        for number in 0..<4 { registers.addresses[number] = host.readDebugAddress(number) }
        registers.status = host.readDebugStatus()
        return registers
    }

    /// The guest's RAM.
    public var guestMemory: GuestMemory { memory }
}
