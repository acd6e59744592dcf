import Memory
import Virtualization
import X86

// What a debugger asks of a virtual CPU while the guest is stopped.

extension VirtualCPU {
    /// Where a linear address leads, whatever the guest's rights there; nil for nowhere. Nothing is marked as accessed.
    @_optimize(speed)
    public mutating func locate(_ address: GuestVirtualAddress) -> GuestPhysicalAddress? {
        guard case .page(let page) = translateForReader(address) else { return nil }
        return page.address
    }

    /// The same, or why it leads nowhere.
    @inline(never)
    public mutating func translateForReader(_ address: GuestVirtualAddress) -> GuestTranslation {
        // A supervisor access that SMAP does not stop reads everything mapped.
        var observer = NoWalkObserver()
        let access = GuestAccess.explicit(.read, privilegeLevel: 0, alignmentCheck: true)
        return processor.paging(features).foretell(address, for: access, in: memory, observer: &observer)
    }

    /// The linear address of the instruction at RIP.
    public var linearCodeAddress: UInt64 {
        let is64Bit = processor.mode.is64Bit
        return ((is64Bit ? 0 : processor.segment(.cs).base) &+ processor.instructionPointer) & (is64Bit ? .max : 0xFFFF_FFFF)
    }

    /// The state of the shadow tables, for the address space that the guest has loaded if they translate; nil without them.
    public var shadowStanding: ShadowStanding? {
        mutating get { (processor.usesShadowTables ? shadowTables : machine.pointee.shadow)?.pointee.standing }
    }
}
