/// A register that a debugger can ask for, always by its 64-bit name.
public enum DebugRegister: Equatable, Sendable {
    case rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15
    /// The offset in the code segment, as the processor holds it.
    case rip
    case rflags
    /// Selectors.
    case cs, ss, ds, es, fs, gs
    case csBase, ssBase, dsBase, esBase, fsBase, gsBase
    /// IA32_KERNEL_GS_BASE.
    case kernelGSBase
    /// As the guest reads them.
    case cr0, cr2, cr3, cr4, cr8
    /// IA32_EFER.
    case efer
}
