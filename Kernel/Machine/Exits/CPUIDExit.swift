import Virtualization
import X86

extension VirtualCPU {
    /// CPUID always exits. EAX to EDX take the answer; their upper halves become zero, as after any write of a 32-bit
    /// register (SDM volume 1, 3.4.1.1 "General-Purpose Registers in 64-Bit Mode").
    @inline(__always)
    mutating func answerCPUID() -> Outcome {
        let leaf = UInt32(truncatingIfNeeded: registers.rax)
        guard let result = answers.constant(leaf) else { return answerVariableCPUID(leaf) }
        load(result)
        return .step
    }

    @inline(never)
    private mutating func answerVariableCPUID(_ leaf: UInt32) -> Outcome {
        load(
            answers.answer(
                leaf, UInt32(truncatingIfNeeded: registers.rcx), host, osxsave: processor.cr4.contains(.xsave)))
        return .step
    }

    @inline(__always)
    private mutating func load(_ result: CPUIDResult) {
        registers.rax = UInt64(result.eax)
        registers.rbx = UInt64(result.ebx)
        registers.rcx = UInt64(result.ecx)
        registers.rdx = UInt64(result.edx)
    }
}
