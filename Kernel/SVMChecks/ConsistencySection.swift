/// The places in the manual where the rules stand (APM volume 2). They are known by title, which stays when sections are renumbered.
public enum ConsistencySection: Equatable, Hashable, Sendable {
    case consistency, loadingGuestState, eventInjection, nmiVirtualization, avicControl, avicPointers, nestedPaging

    /// The section's title in the manual.
    public var title: StaticString {
        switch self {
        case .consistency: "Canonicalization and Consistency Checks"
        case .loadingGuestState: "Loading Guest State"
        case .eventInjection: "Event Injection"
        case .nmiVirtualization: "NMI Virtualization"
        case .avicControl: "VMCB Virtual Interrupt Control Word"
        case .avicPointers: "Physical Address Pointer Restrictions"
        case .nestedPaging: "Nested Paging and VMRUN/#VMEXIT"
        }
    }
}
