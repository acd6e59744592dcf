import Memory

/// The memory that the VMCS of a mutation case points to.
public struct MutationPages: Sendable {
    /// A page of zeroes that is never written: the guest's page tables and the extended page tables. Nothing is mapped
    /// through it, so the guest cannot execute even one instruction: whatever it tries exits.
    public var blank: HostPhysicalAddress
    /// A page that the processor may write: logs, a virtual-APIC page, bitmaps that let nothing through by chance.
    public var scratch: HostPhysicalAddress
    /// The APIC-access page, whose address differs in more than one bit from those of the other pages: Bochs does not tolerate
    /// anything there that the processor itself reads or writes.
    public var apicAccess: HostPhysicalAddress
    /// A page of entries for MSR-load and MSR-store areas, all of one harmless register.
    public var registerArea: HostPhysicalAddress
    /// A cleared shadow VMCS.
    public var shadowVMCS: HostPhysicalAddress

    /// How many entries the area has.
    public static var registerAreaCount: UInt32 { 256 }

    public init(
        blank: HostPhysicalAddress, scratch: HostPhysicalAddress, apicAccess: HostPhysicalAddress,
        registerArea: HostPhysicalAddress, shadowVMCS: HostPhysicalAddress
    ) {
        self.blank = blank
        self.scratch = scratch
        self.apicAccess = apicAccess
        self.registerArea = registerArea
        self.shadowVMCS = shadowVMCS
    }
}
