import Memory
import X86

// The guest's own tables in place of nested ones.

extension VMXProcessor {
    public var translatesDirectly: Bool { constants.pointee.shadow?.pointee.isDirect ?? false }

    public func translateDirectly(_ ram: HostPhysicalAddress) {
        guard let registers = constants.pointee.shadow else { return }
        registers.pointee.isDirect = true
        registers.pointee.ramStart = ram.rawValue
        vmcs[.secondaryControls] = vmcs[.secondaryControls].subtracting(.enableEPT | .unrestrictedGuest)
        vmcs[.primaryControls] = vmcs[.primaryControls] | .cr3LoadExiting
    }
}
