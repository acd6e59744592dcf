import Memory
import X86

/// MSRs that VM entries and VM exits load from lists, on processors whose VMX has no controls to switch them: IA32_EFER and
/// IA32_PAT. The guest's writes to them exit, so nothing need be stored (SDM volume 3, "VM-Exit Controls for MSRs" and
/// "VM-Entry Controls for MSRs").
public struct LoadedMSRs: Equatable, Sendable {
    /// The list for VM entries; 64 bytes after it, the one for VM exits.
    private let page: HostPhysicalAddress
    let hasExtendedFeatures: Bool
    let hasPageAttributes: Bool

    public init(_ page: HostPhysicalAddress, _ controls: VMXControls) {
        self.page = page
        hasExtendedFeatures = !controls.switchesExtendedFeatures
        hasPageAttributes = !controls.switchesPAT
    }

    private var exitList: HostPhysicalAddress { page.advanced(by: ByteCount(64)) }
    private var extendedFeatures: HostPhysicalAddress { page }
    private var pageAttributes: HostPhysicalAddress { page.advanced(by: ByteCount(hasExtendedFeatures ? 16 : 0)) }

    func write<Access: VMCSAccess>(_ host: HostState, to vmcs: VMCS<Access>) {
        var count: UInt64 = 0
        func add(_ register: ModelSpecificRegister, _ value: UInt64) {
            let offset = ByteCount(16 * count)
            write(register, 0, at: page.advanced(by: offset), vmcs.access)
            write(register, value, at: exitList.advanced(by: offset), vmcs.access)
            count += 1
        }
        if hasExtendedFeatures { add(.extendedFeatureEnable, host.extendedFeatures.rawValue) }
        if hasPageAttributes { add(.pat, host.pat) }
        if hasPageAttributes { setPageAttributes(PageAttributeTable.atReset.rawValue, vmcs.access) }
        vmcs[.entryMSRLoadAddress] = page
        vmcs[.entryMSRLoadCount] = UInt32(truncatingIfNeeded: count)
        vmcs[.exitMSRLoadAddress] = exitList
        vmcs[.exitMSRLoadCount] = UInt32(truncatingIfNeeded: count)
    }

    private func write(
        _ register: ModelSpecificRegister, _ value: UInt64, at entry: HostPhysicalAddress, _ access: some VMCSAccess
    ) {
        access.writePhysical(UInt64(register.number), at: entry)
        access.writePhysical(value, at: entry.advanced(by: ByteCount(8)))
    }

    func setExtendedFeatures(_ value: ExtendedFeatureEnable, _ access: some VMCSAccess) {
        access.writePhysical(value.rawValue, at: extendedFeatures.advanced(by: ByteCount(8)))
    }

    func setPageAttributes(_ value: UInt64, _ access: some VMCSAccess) {
        access.writePhysical(value, at: pageAttributes.advanced(by: ByteCount(8)))
    }

    func pageAttributes(_ access: some VMCSAccess) -> UInt64 {
        access.readPhysical(at: pageAttributes.advanced(by: ByteCount(8)))
    }
}

extension VMXProcessor {
    public var pageAttributeTable: UInt64 {
        get { constants.pointee.loadedMSRs?.pageAttributes(vmcs.access) ?? 0 }
        nonmutating set { constants.pointee.loadedMSRs?.setPageAttributes(newValue, vmcs.access) }
    }
}
