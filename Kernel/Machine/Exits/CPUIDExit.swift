import Virtualization
import X86

extension VirtualCPU {
    /// CPUID always exits. EAX to EDX take the answer; their upper halves become zero, as after any write of a 32-bit
    /// register (SDM volume 1, 3.4.1.1 "General-Purpose Registers in 64-Bit Mode").
    @inline(never)
    mutating func answerCPUID() -> Outcome {
        let leaf = UInt32(truncatingIfNeeded: registers.rax)
        let subleaf = UInt32(truncatingIfNeeded: registers.rcx)
        load(answers.quick(leaf, subleaf) ?? answers.answer(leaf, subleaf, host))
        return .step
    }

    /// Answers a leaf whose answer has a place; the quick way.
    @inline(__always)
    mutating func answerQuickCPUID() -> Bool {
        let leaf = UInt32(truncatingIfNeeded: registers.rax)
        guard let result = answers.quick(leaf, UInt32(truncatingIfNeeded: registers.rcx)) else { return false }
        load(result)
        processor.stepPastInstruction()
        return true
    }

    @inline(__always)
    private mutating func load(_ result: CPUIDResult) {
        registers.rax = UInt64(result.eax)
        registers.rbx = UInt64(result.ebx)
        registers.rcx = UInt64(result.ecx)
        registers.rdx = UInt64(result.edx)
    }
}
