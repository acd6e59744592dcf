import Text
import Virtualization
import X86

/// A register of the guest's that can be read and changed by its name: in the monitor, and from a debugger.
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

    static var all: ClosedRange<UInt8> { GuestRegister.rax.rawValue...GuestRegister.efer.rawValue }

    /// Of a general register.
    var general: RegisterNumber? { rawValue < 16 ? RegisterNumber(rawValue) : nil }

    /// The segment register that this is the selector of.
    var selector: SegmentRegister? {
        (GuestRegister.es.rawValue...GuestRegister.gs.rawValue).contains(rawValue)
            ? SegmentRegister(rawValue: rawValue - GuestRegister.es.rawValue) : nil
    }

    /// The segment register that this is the base of.
    var base: SegmentRegister? {
        (GuestRegister.esBase.rawValue...GuestRegister.gsBase.rawValue).contains(rawValue)
            ? SegmentRegister(rawValue: rawValue - GuestRegister.esBase.rawValue) : nil
    }

    /// By its number, of a control register.
    var control: UInt8? {
        switch self {
        case .cr0: 0
        case .cr3: 3
        case .cr4: 4
        case .cr8: 8
        default: nil
        }
    }

    var name: StaticString {
        if let general { return general.name }
        if let selector { return selector.name }
        return switch self {
        case .rip: "RIP"
        case .rflags: "RFLAGS"
        case .esBase: "ES_BASE"
        case .csBase: "CS_BASE"
        case .ssBase: "SS_BASE"
        case .dsBase: "DS_BASE"
        case .fsBase: "FS_BASE"
        case .gsBase: "GS_BASE"
        case .kernelGSBase: "K_GS_BASE"
        case .cr0: "CR0"
        case .cr2: "CR2"
        case .cr3: "CR3"
        case .cr4: "CR4"
        case .cr8: "CR8"
        default: "EFER"
        }
    }

    /// The one register whose name a text begins.
    init?(named text: Line) {
        var search = NameSearch(text)
        for number in GuestRegister.all {
            if let register = GuestRegister(rawValue: number) { search.offer(register.name, Int(number)) }
        }
        guard let number = try? search.result("register", "") else { return nil }
        self.init(rawValue: UInt8(number))
    }
}
