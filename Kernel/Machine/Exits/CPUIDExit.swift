import Virtualization
import X86

extension VirtualCPU {
    /// CPUID always exits. EAX to EDX take the answer; their upper halves become zero, as after any write of a 32-bit
    /// register (SDM volume 1, "General-Purpose Registers in 64-Bit Mode").
    @inline(__always)
    mutating func answerCPUID() -> Outcome {
        let result = answers.answer(UInt32(truncatingIfNeeded: registers.rax), UInt32(truncatingIfNeeded: registers.rcx))
        registers.rax = UInt64(result.eax)
        registers.rbx = UInt64(result.ebx)
        registers.rcx = UInt64(result.ecx)
        registers.rdx = UInt64(result.edx)
        return .step
    }
}
