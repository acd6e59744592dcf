import Memory
import VMX
import X86

extension EntryChecks {
    /// Under PAE paging the processor loads four page-directory pointers: from the VMCS with EPT, from memory without.
    func checkGuestPageDirectoryPointers() {
        guard snapshot[.guestCR0].contains(.paging), snapshot[.guestCR4].contains(.physicalAddressExtension), !entersIA32e
        else { return }
        if secondary.contains(.enableEPT) {
            checkEntry(snapshot[.guestPDPTE0], .guestPDPTE0)
            checkEntry(snapshot[.guestPDPTE1], .guestPDPTE1)
            checkEntry(snapshot[.guestPDPTE2], .guestPDPTE2)
            checkEntry(snapshot[.guestPDPTE3], .guestPDPTE3)
        } else if let entries = circumstances.pageDirectoryPointers {
            for index in 0..<4 { checkEntry(entries[index], .guestCR3) }
        }
    }

    private func checkEntry(_ entry: UInt64, _ field: VMCSField<UInt64, Writable>) {
        let isPresent = entry & GuestEntryBits.present != 0
        require(!isPresent || entry & GuestEntryBits.reservedInPointer == 0 && isPhysical(entry), .pageDirectoryPointer, field)
    }
}
