import Devices
import Memory
import Virtualization
import X86

/// What VMCALL does, by the function in RAX; the result comes back in RAX. In 32- and 16-bit code the arguments are EAX, EBX,
/// and ECX.
///
/// | RAX | function |
/// | --- | --- |
/// | 0 | signature: "Martlet" in ASCII |
/// | 1 | arm the timer: interrupt vector in RBX (32 to 255, 0 disarms), time-stamp ticks from now in RCX; returns 0 |
/// | 2 | the number of VM exits so far |
/// | 3 | the note that the guest left with function 4, perhaps before it was started anew; 0 at first |
/// | 4 | leaves RBX as a note, which outlasts the guest's next starts; returns 0 |
/// | 5 | foretells an access to the linear address in RBX, without making it; ECX says which access |
/// | 6 to 13 | direct paging, in Docs/Memory.md |
///
/// Docs/Guest.md shows the same table, and says how function 5 is asked and answers.
///
/// An unknown function, a bad argument, or functions 1, 4 and 5 outside ring 0 return all ones.
public enum Hypercall {
    public static var signature: UInt64 { 0x0074_656C_7472_614D }
    static var refused: UInt64 { .max }
}

extension VirtualCPU {
    /// Function 0.
    @inline(__always)
    mutating func answerSignature() -> Outcome {
        registers.rax = Hypercall.signature
        return .step
    }

    /// All the others.
    @inline(__always)
    mutating func performHypercall() -> Outcome {
        dropUpperHalves()
        registers.rax =
            switch registers.rax {
            case 0: Hypercall.signature
            case 1: armTimer()
            case 2: exitCount
            case 3: machine.pointee.note
            case 4: leaveNote()
            case 5: foretellAccess()
            case 6...13: answerDirectPaging()
            default: Hypercall.refused
            }
        return .step
    }

    /// Outside 64-bit mode the upper halves of registers are not the caller's: what 64-bit code left there is then undefined
    /// (SDM volume 1, "General-Purpose Registers in 64-Bit Mode").
    @inline(__always)
    private mutating func dropUpperHalves() {
        guard (registers.rax | registers.rbx | registers.rcx) >> 32 != 0, !processor.executes64BitCode else { return }
        registers.rax &= 0xFFFF_FFFF
        registers.rbx &= 0xFFFF_FFFF
        registers.rcx &= 0xFFFF_FFFF
    }

    /// A separate function, since it is so rare.
    @inline(never)
    private mutating func isInEmulatedRealMode() -> Bool { processor.emulatesRealMode }

    private mutating func leaveNote() -> UInt64 {
        guard processor.privilegeLevel == 0 else { return Hypercall.refused }
        machine.pointee.note = registers.rbx
        board.pointee.reportProgress(at: clock.now)
        followBoard()
        return 0
    }

    /// The access that function 5 is asked about; nil if it is refused.
    var accessAskedFor: GuestAccess? {
        mutating get {
            let kind = UInt32(truncatingIfNeeded: registers.rcx)
            guard processor.privilegeLevel == 0, kind < 7, kind & 3 != 3 else { return nil }
            return .explicit(
                kind & 3 == 0 ? .read : kind & 3 == 1 ? .write : .fetch,
                privilegeLevel: kind & 4 != 0 ? 3 : 0, alignmentCheck: processor.flags.contains(.alignmentCheck))
        }
    }

    private mutating func foretellAccess() -> UInt64 {
        guard let access = accessAskedFor, !processor.translatesDirectly else { return Hypercall.refused }
        var observer = NoWalkObserver()
        let result: UInt64
        switch paging.foretell(GuestVirtualAddress(registers.rbx), for: access, in: memory, observer: &observer) {
        case .page(let page):
            registers.rbx = page.address.rawValue
            result = 0
        case .fault(let code):
            registers.rbx = UInt64(code.rawValue)
            result = UInt64(ExceptionVector.pageFault.number)
        case .notCanonical:
            registers.rbx = 0
            result = UInt64(ExceptionVector.generalProtection.number)
        case .tableOutsideRAM(let place):
            registers.rbx = place.rawValue
            result = Hypercall.refused
        }
        registers.rdx = registers.rbx >> 32
        return result
    }

    @_optimize(speed)
    private mutating func armTimer() -> UInt64 {
        guard processor.processorsPrivilegeLevel == 0 || isInEmulatedRealMode() else { return Hypercall.refused }
        let vector = registers.rbx
        guard vector == 0 || (32...255).contains(vector) else { return Hypercall.refused }
        if vector == 0 {
            timer.disarm()
        } else {
            let (deadline, isFar) = host.timeStamp().addingReportingOverflow(registers.rcx)
            timer.arm(vector: UInt8(vector), deadline: isFar ? .max : deadline)
            // Due at once, but the guest cannot take it: the preemption timer would exit only to find that out.
            if registers.rcx == 0, !isWindowOpen, !processor.canTakeInterrupt { openWindow() }
        }
        if isWindowOpen, !hasInterrupt { closeWindow() }
        setSlice(at: clock.now)
        return 0
    }
}
