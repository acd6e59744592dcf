import X86

/// The registers as GDB numbers and sends them: an architecture of GDB's, told to it in a target description.
///
/// GDB asks for the description when it connects and then keeps to it: one and the same layout for "g" and one decoder for
/// its disassembly, whatever mode the guest goes to. So the server describes the mode that the guest is in when it is asked:
///
/// - real mode, virtual-8086 mode and 16-bit segments as "i8086": 32-bit registers, 16-bit code;
/// - 32-bit code, in compatibility mode too, as "i386";
/// - 64-bit code as "i386:x86-64".
///
/// When the guest stops in a mode of another description, the server says so on GDB's console, once for each change, and
/// that `unset tdesc filename` makes GDB ask again; it needs no new connection. `set architecture` cannot do that: GDB
/// then holds a description that does not fit, and refuses it. Until it asks, registers are sent in the layout that it knows:
/// zero-extended to 64 bits or, where 32 are all there is room for, cut off.
///
/// What GDB takes for the program counter is used as an address of memory, in breakpoints, disassembly and steps. It is
/// therefore linear, with the base of CS in it, where other stubs send the offset alone and leave real mode to guesses.
/// `$eip - $cs_base` is the offset. All other registers are as the processor holds them: the stack is at
/// `$ss_base + $esp`.
///
/// GDB takes a plain number for flags of 32 bits, but not for those of 64: `set $cr0 = 0x80010033ll` is a number of that size.
enum RegisterLayout: UInt8, Equatable, Sendable {
    case code16, code32, code64

    init(_ mode: ProcessorMode) {
        switch mode {
        case .real, .virtual8086, .protected16, .compatibility16: self = .code16
        case .protected32, .compatibility32: self = .code32
        case .long64: self = .code64
        }
    }

    /// GDB's name.
    var architecture: StaticString {
        switch self {
        case .code16: "i8086"
        case .code32: "i386"
        case .code64: "i386:x86-64"
        }
    }

    /// For the notice that the guest has left the mode which GDB knows.
    var words: StaticString {
        switch self {
        case .code16: "16-bit"
        case .code32: "32-bit"
        case .code64: "64-bit"
        }
    }

    var isWide: Bool { self == .code64 }

    /// The bytes of a natural register.
    var wordSize: Int { isWide ? 8 : 4 }

    /// How many registers there are.
    var count: Int { isWide ? 24 + 16 + 13 : 16 + 16 + 13 }

    /// A register by its number, below `count`; nil from there on.
    func register(_ number: UInt64) -> DescribedRegister? {
        guard number < UInt64(count) else { return nil }
        let number = Int(number)
        let core = isWide ? 24 : 16
        if number < core { return isWide ? core64(number) : core32(number) }
        if number < core + 16 { return coprocessor(number - core) }
        return system(number - core - 16)
    }

    private func word(_ name: StaticString, _ register: GuestRegister) -> DescribedRegister {
        .init(name, size: wordSize, register)
    }

    private func core64(_ number: Int) -> DescribedRegister {
        switch number {
        case 0: word("rax", .rax)
        case 1: word("rbx", .rbx)
        case 2: word("rcx", .rcx)
        case 3: word("rdx", .rdx)
        case 4: word("rsi", .rsi)
        case 5: word("rdi", .rdi)
        case 6: .init("rbp", size: 8, .rbp, type: "data_ptr")
        case 7: .init("rsp", size: 8, .rsp, type: "data_ptr")
        case 8: word("r8", .r8)
        case 9: word("r9", .r9)
        case 10: word("r10", .r10)
        case 11: word("r11", .r11)
        case 12: word("r12", .r12)
        case 13: word("r13", .r13)
        case 14: word("r14", .r14)
        case 15: word("r15", .r15)
        case 16: .init("rip", size: 8, .rip, type: "code_ptr")
        default: flagsAndSelectors(number - 17)
        }
    }

    private func core32(_ number: Int) -> DescribedRegister {
        switch number {
        case 0: word("eax", .rax)
        case 1: word("ecx", .rcx)
        case 2: word("edx", .rdx)
        case 3: word("ebx", .rbx)
        case 4: .init("esp", size: 4, .rsp, type: "data_ptr")
        case 5: .init("ebp", size: 4, .rbp, type: "data_ptr")
        case 6: word("esi", .rsi)
        case 7: word("edi", .rdi)
        case 8: .init("eip", size: 4, .rip, type: "code_ptr")
        default: flagsAndSelectors(number - 9)
        }
    }

    private func flagsAndSelectors(_ number: Int) -> DescribedRegister {
        switch number {
        case 0: .init("eflags", size: 4, .rflags, type: "eflags")
        case 1: .init("cs", size: 4, .cs)
        case 2: .init("ss", size: 4, .ss)
        case 3: .init("ds", size: 4, .ds)
        case 4: .init("es", size: 4, .es)
        case 5: .init("fs", size: 4, .fs)
        default: .init("gs", size: 4, .gs)
        }
    }

    /// GDB refuses a description without the x87's registers. They stay in the processor: GDB is told that they are not
    /// available.
    private func coprocessor(_ number: Int) -> DescribedRegister {
        switch number {
        case 0: .init("st0", size: 10, nil, type: "i387_ext")
        case 1: .init("st1", size: 10, nil, type: "i387_ext")
        case 2: .init("st2", size: 10, nil, type: "i387_ext")
        case 3: .init("st3", size: 10, nil, type: "i387_ext")
        case 4: .init("st4", size: 10, nil, type: "i387_ext")
        case 5: .init("st5", size: 10, nil, type: "i387_ext")
        case 6: .init("st6", size: 10, nil, type: "i387_ext")
        case 7: .init("st7", size: 10, nil, type: "i387_ext")
        case 8: .init("fctrl", size: 4, nil)
        case 9: .init("fstat", size: 4, nil)
        case 10: .init("ftag", size: 4, nil)
        case 11: .init("fiseg", size: 4, nil)
        case 12: .init("fioff", size: 4, nil)
        case 13: .init("foseg", size: 4, nil)
        case 14: .init("fooff", size: 4, nil)
        default: .init("fop", size: 4, nil)
        }
    }

    /// What GDB has no part in, but shows and sets by these names, which are QEMU's too where it has them.
    private func system(_ number: Int) -> DescribedRegister {
        switch number {
        case 0: word("fs_base", .fsBase)
        case 1: word("gs_base", .gsBase)
        case 2: word("k_gs_base", .kernelGSBase)
        case 3: word("cs_base", .csBase)
        case 4: word("ss_base", .ssBase)
        case 5: word("ds_base", .dsBase)
        case 6: word("es_base", .esBase)
        case 7: .init("cr0", size: wordSize, .cr0, type: "cr0")
        case 8: word("cr2", .cr2)
        case 9: word("cr3", .cr3)
        case 10: .init("cr4", size: wordSize, .cr4, type: "cr4")
        case 11: word("cr8", .cr8)
        default: .init("efer", size: 8, .efer, type: "efer")
        }
    }

    /// The feature of GDB's that begins with this register.
    func feature(startingAt number: Int) -> DescribedFeature? {
        let system = count - 13
        if number == 0 { return .core }
        // GDB knows the bases of FS and GS in 64-bit code alone.
        if isWide, number == system { return .segments }
        return number == (isWide ? system + 2 : system) ? .system : nil
    }
}

/// A group of registers: what GDB calls a feature.
enum DescribedFeature: Equatable, Sendable {
    case core, segments, system

    var name: StaticString {
        switch self {
        case .core: "org.gnu.gdb.i386.core"
        case .segments: "org.gnu.gdb.i386.segments"
        case .system: "org.martlet.system"
        }
    }
}

/// A register of a layout.
struct DescribedRegister: Sendable {
    let name: StaticString
    /// In bytes.
    let size: Int
    /// What the target knows it as; nil for those that it does not tell.
    let register: GuestRegister?
    /// GDB's type, or the one of the flags that the description defines; nil for an integer of its size.
    let type: StaticString?

    init(_ name: StaticString, size: Int, _ register: GuestRegister?, type: StaticString? = nil) {
        self.name = name
        self.size = size
        self.register = register
        self.type = type
    }
}
