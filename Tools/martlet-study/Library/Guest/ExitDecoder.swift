import Debug
import Memory
import VMX
import Virtualization

/// The kernel's own code that reads exits and paging from a VMCS, over one that was taken down.
final class ExitDecoder {
    private let constants = UnsafeMutablePointer<VMXConstants>.allocate(capacity: 1)

    init(_ capabilities: VMXCapabilities) { constants.initialize(to: VMXConstants(reading: capabilities)) }

    deinit { constants.deallocate() }

    private func processor(_ state: StateSnapshot) -> VMXProcessor<SnapshotAccess> { VMXProcessor(SnapshotAccess(state), constants) }

    /// The exit that a state tells of.
    func exit(_ state: StateSnapshot) -> Exit { processor(state).decodeExit() }

    func paging(_ state: StateSnapshot, _ abilities: some PagingAbilities) -> GuestPaging { processor(state).paging(abilities) }
}

/// A VMCS that was taken down. Nothing can be changed in it.
private struct SnapshotAccess: VMCSAccess {
    let state: StateSnapshot

    init(_ state: StateSnapshot) { self.state = state }

    func read(_ field: VMCSFieldEncoding) -> UInt64 { state.fields[field] }
    func write(_ field: VMCSFieldEncoding, _ value: UInt64) {}
    func readPhysical(at address: HostPhysicalAddress) -> UInt64 { 0 }
    func writePhysical(_ value: UInt64, at address: HostPhysicalAddress) {}
    func invalidateNestedTranslations() {}
}
