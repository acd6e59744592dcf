import Memory
import Virtualization
import X86

// Shadow tables in the place of nested ones, and the guest's own alone (APM volume 2, "Guest Paging without Nested Paging" in
// "Nested Paging").
//
// A guest that is made for either is intercepted where it changes its paging from the beginning on.

extension SVMProcessor {
    @inline(__always)
    public var hasNestedTables: Bool { true }

    public var usesShadowTables: Bool { context.pointee.tables.isShadowed }

    /// Without nested tables the guest needs paging, or it would address the machine's memory. What may not be written may be a
    /// table, so the guest has to obey that, too.
    public var canUseShadowTables: Bool { vmcb[.cr0].contains(.paging | .writeProtect) }

    @_optimize(speed)
    public func useShadowTables(_ root: HostPhysicalAddress, for guest: UInt64) {
        guard context.pointee.hasOtherTables else { return }
        if !context.pointee.tables.isShadowed {
            context.pointee.tables.isShadowed = true
            context.pointee.tables.observedPageFaults = vmcb.isIntercepted(.exceptionPF)
            setNestedPaging(false)
            vmcb.setIntercept(.exceptionPF, to: true)
            followControlRegister4()
        }
        // The tag of an address space counts; how its root is cached does not, unless the guest can see it.
        let hasTwin = guest & ~0xFFF == root.rawValue
        vmcb.setIntercept(.cr3Read, to: !hasTwin)
        context.pointee.tables.cr3 = guest
        vmcb[.cr3] = hasTwin ? guest : root.rawValue | (cr4.contains(.processContextIdentifiers) ? guest & 0xFFF : 0)
    }

    /// SVM has no list of values that CR3 may be loaded with: each load exits.
    public func allowLoads(of values: [4 of UInt64], count: Int) {}

    public func useNestedTables() {
        guard context.pointee.tables.isShadowed else { return }
        vmcb[.cr3] = context.pointee.tables.cr3
        context.pointee.tables.isShadowed = false
        setNestedPaging(true)
        vmcb.setIntercept(.cr3Read, to: false)
        vmcb.setIntercept(.exceptionPF, to: context.pointee.tables.observedPageFaults)
        followControlRegister4()
    }

    private func setNestedPaging(_ isOn: Bool) {
        vmcb[.nestedControl] = vmcb[.nestedControl].setting(.nestedPaging, to: isOn)
        vmcb.setIntercept(.cr3Write, to: !isOn)
        vmcb.setIntercept(.invlpg, to: !isOn)
        vmcb.setIntercept(.invpcid, to: !isOn)
    }

    public var translatesDirectly: Bool { context.pointee.tables.isDirect }

    public func translateDirectly(_ ram: HostPhysicalAddress) {
        guard context.pointee.hasOtherTables else { return }
        context.pointee.tables.isDirect = true
        context.pointee.tables.ramStart = ram.rawValue
        vmcb[.nestedControl] = vmcb[.nestedControl].subtracting(.nestedPaging)
        vmcb.setIntercept(.cr3Write, to: true)
    }
}
