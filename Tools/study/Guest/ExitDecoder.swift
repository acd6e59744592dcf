import Debug
import Memory
import VMX
import Virtualization

/// The kernel's own code that reads exits and paging from a VMCS, over one that was taken down.
final class ExitDecoder {
    private let constants = UnsafeMutablePointer<VMXConstants>.allocate(capacity: 1)
    private let shadow = UnsafeMutablePointer<ShadowRegisters>.allocate(capacity: 1)

    init(_ capabilities: VMXCapabilities) {
        shadow.initialize(to: ShadowRegisters())
        constants.initialize(to: VMXConstants(reading: capabilities, shadow: shadow))
    }

    deinit {
        constants.deallocate()
        shadow.deallocate()
    }

    private func processor(_ state: StateSnapshot) -> VMXProcessor<SnapshotAccess> {
        VMXProcessor(SnapshotAccess(state), constants)
    }

    /// The exit that a state describes.
    func exit(_ state: StateSnapshot) -> Exit { processor(state).decodeExit() }

    /// How the guest translates.
    /// - Parameter facts: what shadow paging keeps outside the VMCS; nil if nested tables translate.
    func paging(_ state: StateSnapshot, _ facts: ShadowFacts?, _ abilities: some PagingAbilities) -> GuestPaging {
        shadow.pointee = ShadowRegisters()
        if let facts {
            let pointers = facts.pageDirectoryPointers
            shadow.pointee = ShadowRegisters(
                cr3: facts.cr3, loaded: state[.guestCR3],
                pageDirectoryPointers: [pointers.0, pointers.1, pointers.2, pointers.3])
        }
        return processor(state).paging(abilities)
    }
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
