import Memory
import Virtualization

// What a debugger asks of a virtual CPU while the guest stands still.

extension VirtualCPU {
    /// Where a linear address leads, whatever the guest may do there; nil for nowhere. Nothing is marked as accessed.
    public mutating func locate(_ address: GuestVirtualAddress) -> GuestPhysicalAddress? {
        // An access of the supervisor's that SMAP does not hinder reads all that is mapped.
        var observer = NoWalkObserver()
        let access = GuestAccess.explicit(.read, privilegeLevel: 0, alignmentCheck: true)
        guard case .page(let page) = processor.paging(features).foretell(address, for: access, in: memory, observer: &observer)
        else { return nil }
        return page.address
    }
}
