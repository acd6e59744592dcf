import Memory
import Virtualization
import X86

// Pages in the place of devices while the processor executes one instruction.

extension SVMProcessor {
    /// Maps a page of the host's in the nested tables, on the way through tables of the stand-ins where there are none. (The host's
    /// EFER.NXE is set: its own pages are writable or executable.)
    public func map(
        _ place: GuestPhysicalAddress, at linear: GuestVirtualAddress, to frame: HostPhysicalAddress, _ access: StandIns.Access,
        _ standIns: inout StandIns
    ) -> Bool {
        var table = vmcb[.nestedCR3]
        var shift: UInt64 = 39
        while true {
            let slot = table.advanced(by: ByteCount((place.rawValue >> shift & 0x1FF) * 8))
            let entry = NPTEntry(rawValue: self.access.readPhysical(at: slot))
            if shift > 12, entry.isPresent {
                // A large page is RAM.
                if entry.isLargePage { return false }
                table = entry.address
            } else {
                var new = NPTEntry(rawValue: frame.rawValue)
                if shift > 12 {
                    guard let next = standIns.takeTable() else { return false }
                    new.rawValue = next.rawValue
                    table = next
                }
                new.isPresent = true
                new.isUser = true
                new.isWritable = shift > 12 || access != .reads
                new.isExecuteDisabled = shift == 12 && access != .all
                guard standIns.note(slot, entry.rawValue) else { return false }
                self.access.writePhysical(new.rawValue, at: slot)
            }
            if shift == 12 { return true }
            shift -= 9
        }
    }

    /// Puts the tables back as they were.
    public func unmap(_ standIns: inout StandIns) {
        while let change = standIns.takeChange() { access.writePhysical(change.value, at: change.slot) }
        standIns.removeAll()
        flushTranslations()
    }

    /// What a page fault of either kind interrupted is done anew: the delivery of an event. (An IRET that is still to be executed
    /// exits again by itself.)
    public func beginAnew() {
        if let event = interruptedEvent { inject(event) }
    }

    /// The processor drops the guest's cached translations with the next VMRUN (APM volume 2, "TLB Flush").
    public func flushTranslations() { vmcb[.tlbControl] = context.pointee.flush }
}
