import X86

extension EntryChecks {
    func checkGuestDescriptorTables(_ report: Report) {
        let section = EntryCheckSection.guestDescriptorTables
        require(isCanonical(snapshot[.guestGDTRBase]), .guestGDTRBase, section, "must be canonical", report)
        require(isCanonical(snapshot[.guestIDTRBase]), .guestIDTRBase, section, "must be canonical", report)
        require(snapshot[.guestGDTRLimit] >> 16 == 0, .guestGDTRLimit, section, "bits 31:16 must be 0", report)
        require(snapshot[.guestIDTRLimit] >> 16 == 0, .guestIDTRLimit, section, "bits 31:16 must be 0", report)
    }
}
