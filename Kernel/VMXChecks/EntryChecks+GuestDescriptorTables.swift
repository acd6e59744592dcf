import VMX
import X86

extension EntryChecks {
    func checkGuestDescriptorTables() {
        require(isCanonical(snapshot[.guestGDTRBase]), .tableBaseCanonical, .guestGDTRBase)
        require(isCanonical(snapshot[.guestIDTRBase]), .tableBaseCanonical, .guestIDTRBase)
        require(snapshot[.guestGDTRLimit] >> 16 == 0, .tableLimitHighBits, .guestGDTRLimit)
        require(snapshot[.guestIDTRLimit] >> 16 == 0, .tableLimitHighBits, .guestIDTRLimit)
    }
}
