import Memory
import Virtualization
import X86

// Pages in the place of devices while the processor executes one instruction.

extension VMXProcessor {
    /// Maps a page of the host's, on the way through tables of the stand-ins where there are none.
    public func map(
        _ place: GuestPhysicalAddress, to frame: HostPhysicalAddress, _ access: StandIns.Access, _ standIns: inout StandIns
    ) -> Bool {
        var table = vmcs[.extendedPageTablePointer].root
        var shift: UInt64 = 39
        while true {
            let slot = table.advanced(by: ByteCount((place.rawValue >> shift & 0x1FF) * 8))
            let value = vmcs.access.readPhysical(at: slot)
            let entry = ExtendedPageTableEntry(rawValue: value)
            if shift > 12, value & ExtendedPagePermissions.all.rawValue != 0 {
                // A large page is RAM.
                if entry.isLargePage { return false }
                table = entry.address
            } else {
                var new = ExtendedPageTableEntry(rawValue: 0)
                if shift > 12 {
                    guard let next = standIns.takeTable() else { return false }
                    new.rawValue = next.rawValue | ExtendedPagePermissions.all.rawValue & 7
                    table = next
                } else {
                    new.rawValue = frame.rawValue | access.rawValue
                    new.setMemoryType(.writeBack)
                }
                guard standIns.note(slot, value) else { return false }
                vmcs.access.writePhysical(new.rawValue, at: slot)
            }
            if shift == 12 { return true }
            shift -= 9
        }
    }

    /// Puts the tables back as they were.
    public func unmap(_ standIns: inout StandIns) {
        while let change = standIns.takeChange() { vmcs.access.writePhysical(change.value, at: change.slot) }
        standIns.removeAll()
        vmcs.access.invalidateNestedTranslations()
    }

    /// Has the guest exit behind the next instruction (SDM volume 3, 26.5.2 "Monitor Trap Flag"), or no longer.
    /// - Returns: whether it did before.
    public func trapInstruction(_ wanted: Bool) -> Bool {
        let controls = vmcs[.primaryControls]
        vmcs[.primaryControls] = controls.setting(.monitorTrapFlag, to: wanted)
        return controls.contains(.monitorTrapFlag)
    }

    /// What a page fault of either kind interrupted is done anew: the delivery of an event; or IRET, which has ended the blocking of
    /// NMIs already (SDM volume 3, 28.2.3 "Information About NMI Unblocking Due to IRET").
    public func beginAnew() {
        if let event = interruptedEvent {
            // A page fault saved RF as it would have pushed it (29.3.3 "Saving RIP, RSP, RFLAGS, and SSP"): set, which is a fault's way.
            if vmcs[.exitReason].rawValue == 0 {
                let isDebug = event.kind == .exception && event.vector == ExceptionVector.debug.number
                let kept = isDebug ? constants.pointee.shadow?.pointee.debugResume ?? .none : .none
                vmcs[.guestRFLAGS] = vmcs[.guestRFLAGS].subtracting(.resume) | kept
            }
            return inject(event)
        }
        let hasUnblocked =
            switch vmcs[.exitReason].rawValue {
            case 0: vmcs[.exitInterruptionInformation].unblocksNonMaskableInterrupts
            case 48: vmcs[.exitQualification] >> 12 & 1 != 0
            default: false
            }
        if hasUnblocked {
            vmcs[.guestInterruptibility] = vmcs[.guestInterruptibility] | .blockingByNMI
        }
    }
}
