import Memory
import Virtualization
import X86

// Pages in place of devices while the processor executes one instruction.

extension VMXProcessor {
    /// Maps a host page, adding tables from the stand-ins where there are none.
    public func map(
        _ place: GuestPhysicalAddress, at linear: GuestVirtualAddress, to frame: HostPhysicalAddress, _ access: StandIns.Access,
        _ standIns: inout StandIns
    ) -> Bool {
        hasNestedTables
            ? mapNested(place, to: frame, access, &standIns)
            : mapShadow(linear, to: frame, isWritable: access != .reads, &standIns)
    }

    private func mapNested(
        _ place: GuestPhysicalAddress, to frame: HostPhysicalAddress, _ access: StandIns.Access, _ standIns: inout StandIns
    ) -> Bool {
        var table = vmcs[.extendedPageTablePointer].root
        var shift: UInt64 = 39
        while true {
            let slot = table.advanced(by: ByteCount((place.rawValue >> shift & 0x1FF) * 8))
            let value = vmcs.access.readPhysical(at: slot)
            let entry = EPTEntry(rawValue: value)
            if shift > 12, value & ExtendedPagePermissions.all.rawValue != 0 {
                // A large page is RAM.
                if entry.isLargePage { return false }
                table = entry.address
            } else {
                var new = EPTEntry(rawValue: 0)
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

    /// The guest's tables have allowed the access; existing shadow entries restrict it as they do. Nothing else may change the
    /// tables until it is undone.
    private func mapShadow(
        _ linear: GuestVirtualAddress, to frame: HostPhysicalAddress, isWritable: Bool, _ standIns: inout StandIns
    ) -> Bool {
        var table = HostPhysicalAddress(vmcs[.guestCR3] & GuestEntryBits.address)
        let isLong = isLongModeActive
        var shift: UInt64 = !isLong ? 30 : cr4.contains(.fiveLevelPaging) ? 48 : 39
        let address = isLong ? linear.rawValue : linear.rawValue & 0xFFFF_FFFF
        while true {
            let slot = table.advanced(by: ByteCount((address >> shift & 0x1FF) * 8))
            let value = vmcs.access.readPhysical(at: slot)
            if shift > 12, value & GuestEntryBits.present != 0 {
                if shift < 39, value & GuestEntryBits.largePage != 0 { return false }
                table = HostPhysicalAddress(value & GuestEntryBits.address)
            } else {
                var new = GuestEntryBits.present | GuestEntryBits.accessed | GuestEntryBits.user | GuestEntryBits.writable
                if shift > 12 {
                    guard let next = standIns.takeTable() else { return false }
                    // Page-directory-pointer registers hold no rights.
                    new = next.rawValue | (shift == 30 && !isLong ? GuestEntryBits.present : new)
                    table = next
                } else {
                    if !isWritable { new &= ~GuestEntryBits.writable }
                    new |= frame.rawValue | GuestEntryBits.dirty
                }
                guard standIns.note(slot, value) else { return false }
                vmcs.access.writePhysical(new, at: slot)
            }
            if shift == 12 { return true }
            shift -= 9
        }
    }

    /// Puts the tables back as they were.
    public func unmap(_ standIns: inout StandIns) {
        while let change = standIns.takeChange() { vmcs.access.writePhysical(change.value, at: change.slot) }
        standIns.removeAll()
        if hasNestedTables { vmcs.access.invalidateNestedTranslations() } else { flushTranslations() }
    }

    /// Makes the guest exit after the next instruction (SDM volume 3, "Monitor Trap Flag"), or no longer.
    /// - Returns: whether it did before.
    public func trapInstruction(_ wanted: Bool) -> Bool {
        guard constants.pointee.hasMonitorTrapFlag else {
            trapByFlag(wanted)
            return false
        }
        let controls = vmcs[.primaryControls]
        vmcs[.primaryControls] = controls.setting(.monitorTrapFlag, to: wanted)
        return controls.contains(.monitorTrapFlag)
    }

    /// The same by RFLAGS.TF, unless the guest has set it: then it gets the trap. After STI and MOV SS, VM entry with TF requires
    /// a pending trap; after MOV SS that waits for the instruction's end, with the breakpoints that the guest has hit
    /// ("Checks on Guest Non-Register State").
    private func trapByFlag(_ wanted: Bool) {
        guard let shadow = constants.pointee.shadow else { return }
        if wanted {
            let flags = vmcs[.guestRFLAGS]
            shadow.pointee.trapsByFlag = !flags.contains(.trap)
            guard shadow.pointee.trapsByFlag else { return }
            vmcs[.guestRFLAGS] = flags | .trap
            // Exceptions would store it.
            shadow.pointee.stepsExceptions = vmcs[.exceptionBitmap]
            vmcs[.exceptionBitmap] = .max
            shadow.pointee.branchSteps = vmcs[.guestDebugControl] & DebugControl.branchSteps
            vmcs[.guestDebugControl] = vmcs[.guestDebugControl] & ~DebugControl.branchSteps
            endBlocking(.blockingBySTI)
            if vmcs[.guestInterruptibility].contains(.blockingByMovSS) {
                vmcs[.guestPendingDebugExceptions] = vmcs[.guestPendingDebugExceptions] | .singleStep
            }
        } else if shadow.pointee.trapsByFlag {
            shadow.pointee.trapsByFlag = false
            vmcs[.guestRFLAGS] = vmcs[.guestRFLAGS].subtracting(.trap)
            vmcs[.exceptionBitmap] = shadow.pointee.stepsExceptions
            vmcs[.guestPendingDebugExceptions] = vmcs[.guestPendingDebugExceptions].subtracting(.singleStep)
            vmcs[.guestDebugControl] = vmcs[.guestDebugControl] | shadow.pointee.branchSteps
        }
    }

    /// Where nested tables can translate, there is a monitor trap flag.
    @inline(__always)
    public var stepsByTrapFlag: Bool { !hasNestedTables }

    public func distinguishTrap(_ exit: Exit) -> Exit {
        guard let shadow = constants.pointee.shadow, shadow.pointee.trapsByFlag, case .exception(let exception) = exit,
            exception.vector == .debug, exception.isSingleStep
        else { return exit }
        if exception.qualification & DebugStatus.breakpoints != 0 { addBreakpointTraps(exception.qualification) }
        return .monitorTrap
    }

    /// Repeats what a page fault of either kind interrupted: the delivery of an event; or IRET, which has already ended the
    /// blocking of NMIs (SDM volume 3, "Information About NMI Unblocking Due to IRET").
    public func beginAnew() {
        if isDeliveringEvent, let event = interruptedEvent {
            // A page fault saved RF as it would have pushed it ("Saving RIP, RSP, RFLAGS, and SSP"): set, which is a fault's way.
            if vmcs[.exitReason].unflagged == .exceptionOrNMI {
                let isDebug = event.kind == .exception && event.vector == ExceptionVector.debug.number
                let kept = isDebug ? constants.pointee.shadow?.pointee.debugResume ?? .none : .none
                vmcs[.guestRFLAGS] = vmcs[.guestRFLAGS].subtracting(.resume) | kept
            }
            return inject(event)
        }
        let hasUnblocked =
            switch vmcs[.exitReason].unflagged {
            case .exceptionOrNMI: vmcs[.exitInterruptionInformation].unblocksNonMaskableInterrupts
            case .eptViolation: vmcs[.exitQualification] >> 12 & 1 != 0
            default: false
            }
        if hasUnblocked {
            vmcs[.guestInterruptibility] = vmcs[.guestInterruptibility] | .blockingByNMI
        }
    }
}
