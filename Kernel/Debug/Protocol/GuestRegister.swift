import Virtualization
import X86

/// A guest register that can be read and changed by itself.
public enum GuestRegister: UInt8, Equatable, Sendable {
    // In the order of their encodings.
    case rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    /// The offset in the code segment, as the processor holds it.
    case rip
    case rflags
    // Selectors, in the order of their encodings.
    case es, cs, ss, ds, fs, gs
    case esBase, csBase, ssBase, dsBase, fsBase, gsBase
    /// IA32_KERNEL_GS_BASE.
    case kernelGSBase
    // As the guest reads them.
    case cr0, cr2, cr3, cr4, cr8
    /// IA32_EFER.
    case efer

    public static var all: ClosedRange<UInt8> { GuestRegister.rax.rawValue...GuestRegister.efer.rawValue }
    public static var count: Int { Int(GuestRegister.efer.rawValue) + 1 }

    /// Its number, if it is a general register.
    public var general: RegisterNumber? { rawValue < 16 ? RegisterNumber(rawValue) : nil }

    /// The segment register that this is the selector of.
    public var selector: SegmentRegister? {
        (GuestRegister.es.rawValue...GuestRegister.gs.rawValue).contains(rawValue)
            ? SegmentRegister(rawValue: rawValue - GuestRegister.es.rawValue) : nil
    }

    /// The segment register that this is the base of.
    public var base: SegmentRegister? {
        (GuestRegister.esBase.rawValue...GuestRegister.gsBase.rawValue).contains(rawValue)
            ? SegmentRegister(rawValue: rawValue - GuestRegister.esBase.rawValue) : nil
    }

    /// Its number, if it is a control register.
    public var control: UInt8? {
        switch self {
        case .cr0: 0
        case .cr3: 3
        case .cr4: 4
        case .cr8: 8
        default: nil
        }
    }
}
