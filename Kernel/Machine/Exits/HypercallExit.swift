import Devices
import Virtualization

/// What VMCALL does, by the function in RAX; the result comes back in RAX.
///
/// | RAX | function |
/// | --- | --- |
/// | 0 | signature: "Martlet" in ASCII |
/// | 1 | arm the timer: interrupt vector in RBX (32 to 255, 0 disarms), time-stamp ticks from now in RCX; returns 0 |
/// | 2 | the number of VM exits so far |
/// | 3 | the note that the guest left with function 4, perhaps before it was started anew; 0 at first |
/// | 4 | leaves RBX as a note, which outlasts the guest's next starts; returns 0 |
///
/// An unknown function, a bad argument, or functions 1 and 4 outside ring 0 return all ones.
public enum Hypercall {
    public static var signature: UInt64 { 0x0074_656C_7472_614D }
    static var refused: UInt64 { .max }
}

extension VirtualCPU {
    /// Answers function 0; the quick way.
    @inline(__always)
    mutating func answerSignature() -> Bool {
        guard registers.rax == 0 else { return false }
        registers.rax = Hypercall.signature
        processor.stepPastInstruction()
        return true
    }

    @inline(never)
    mutating func answerHypercall() -> Outcome {
        registers.rax =
            switch registers.rax {
            case 0: Hypercall.signature
            case 1: armTimer()
            case 2: exitCount
            case 3: note
            case 4: leaveNote()
            default: Hypercall.refused
            }
        return .step
    }

    private mutating func leaveNote() -> UInt64 {
        guard processor.privilegeLevel == 0 else { return Hypercall.refused }
        note = registers.rbx
        board.pointee.reportProgress(at: clock.now)
        return 0
    }

    private mutating func armTimer() -> UInt64 {
        guard processor.privilegeLevel == 0 else { return Hypercall.refused }
        let vector = registers.rbx
        guard vector == 0 || (32...255).contains(vector) else { return Hypercall.refused }
        if vector == 0 {
            timer.disarm()
        } else {
            let (deadline, isFar) = host.timeStamp().addingReportingOverflow(registers.rcx)
            timer.arm(vector: UInt8(vector), deadline: isFar ? .max : deadline)
            // Due at once, and the guest cannot take it: the preemption timer would exit only to find that out.
            if registers.rcx == 0, !isWindowOpen, !processor.canTakeInterrupt { openWindow() }
        }
        if isWindowOpen, !hasInterrupt { closeWindow() }
        setSlice(at: clock.now)
        return 0
    }
}
