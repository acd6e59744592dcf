import Instructions
import Memory
import Text
import VMX
import X86

/// Turns VMX on and off on this processor (SDM volume 3, "Enabling and Entering VMX Operation").
enum VMXOperation {
    /// Enters VMX operation.
    /// - Parameter region: a frame for the processor's own use while VMX is on.
    static func enter(_ capabilities: VMXCapabilities, host: HardwareHost, region: HostPhysicalAddress) {
        let cr0 = capabilities.cr0.adjust(ControlRegister0(rawValue: read_cr0()))
        let cr4 = capabilities.cr4.adjust(ControlRegister4(rawValue: read_cr4()) | .vmxEnable)
        write_cr0(cr0.rawValue)
        write_cr4(cr4.rawValue | features(host).rawValue)
        writeRevision(capabilities, to: region)
        if execute_vmxon(region.rawValue) != vmx_succeed { Panic.stop("VMXON failed") }
        Processor.current.pointee.vmxRegion = region
        invalidateAll(capabilities)
    }

    /// The kernel uses no extended state, but clears it between guests and loads XCR0 for them. Without MCE, a machine check
    /// would silently shut the processor down.
    private static func features(_ host: HardwareHost) -> ControlRegister4 {
        let features = host.cpuid(1, 0)
        return .fxsave
            .setting(.xsave, to: features.has(.xsave))
            .setting(.machineCheckEnable, to: features.has(.mce))
    }

    static func leave(_ machine: inout HostMachine) {
        guard let region = Processor.current.pointee.vmxRegion else { return }
        execute_vmxoff()
        Processor.current.pointee.vmxRegion = nil
        machine.frames.freeFrame(region)
    }

    /// Drops all translations that earlier users of VMX may have left (SDM volume 3, "Guidelines
    /// for Use of the INVVPID Instruction" and "... INVEPT Instruction").
    static func invalidateAll(_ capabilities: VMXCapabilities) {
        if capabilities.eptAndVPID.inveptAll, execute_invept(2, 0) { Panic.stop("INVEPT failed") }
        if capabilities.eptAndVPID.invvpid, capabilities.eptAndVPID.invvpidAll, execute_invvpid(2, 0, 0) {
            Panic.stop("INVVPID failed")
        }
    }

    /// Makes a frame a fresh VMCS, and the current one.
    static func makeCurrent(_ capabilities: VMXCapabilities, vmcs: HostPhysicalAddress) {
        writeRevision(capabilities, to: vmcs)
        if execute_vmclear(vmcs.rawValue) != vmx_succeed { Panic.stop("VMCLEAR failed") }
        if execute_vmptrld(vmcs.rawValue) != vmx_succeed { Panic.stop("VMPTRLD failed") }
    }

    static func clear(vmcs: HostPhysicalAddress) {
        if execute_vmclear(vmcs.rawValue) != vmx_succeed { Panic.stop("VMCLEAR failed") }
    }

    private static func writeRevision(_ capabilities: VMXCapabilities, to region: HostPhysicalAddress) {
        IdentityMemory().writeUInt32(capabilities.basic.revisionIdentifier, at: region)
    }
}
