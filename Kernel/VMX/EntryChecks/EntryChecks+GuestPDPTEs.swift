import X86

extension EntryChecks {
    /// Under PAE paging the processor loads four page-directory pointers: from the VMCS with EPT, from memory without.
    func checkGuestPageDirectoryPointers(_ report: Report) {
        guard snapshot[.guestCR0].contains(.paging), snapshot[.guestCR4].contains(.physicalAddressExtension), !entersIA32e
        else { return }
        if secondary.contains(.enableEPT) {
            check(snapshot[.guestPDPTE0], .guestPDPTE0, report)
            check(snapshot[.guestPDPTE1], .guestPDPTE1, report)
            check(snapshot[.guestPDPTE2], .guestPDPTE2, report)
            check(snapshot[.guestPDPTE3], .guestPDPTE3, report)
        } else if let entries = circumstances.pageDirectoryPointers {
            for index in 0..<4 { check(entries[index], .guestCR3, report) }
        }
    }

    private func check(_ entry: UInt64, _ field: VMCSField<UInt64, Writable>, _ report: Report) {
        let isPresent = entry & 1 != 0
        require(
            !isPresent || entry & 0x1E6 == 0 && isPhysical(entry), field, .guestPageDirectoryPointers,
            "a present entry's bits 2:1, 8:5 and those beyond the physical-address width must be 0", report)
    }
}
