/// What VMRUN checks the VMCB against besides what the processor offers.
public struct ConsistencyCircumstances: Sendable {
    /// U_CET bit 0, which VMRUN does not load: user code has shadow stacks.
    public var hasUserShadowStacks = false
    /// The page-directory pointers that the guest's CR3 points to, read by VMRUN for a guest with PAE paging and without
    /// nested paging; nil if they are not known, and not checked then.
    public var pageDirectoryPointers: [4 of UInt64]?

    /// Nothing of memory.
    public init() {}
}
