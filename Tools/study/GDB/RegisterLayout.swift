import Debug
import VMX
import X86

/// The registers as GDB numbers and sends them: one of GDB's architectures, stated in a target description.
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
/// The fields of the VMCS are behind all these, each a register (`print $guest_cr3`) and all together another, a structure:
/// `info registers vmcs`, `print/x $vmcs`. GDB's part for x86 knows no groups of registers but its own, so that a structure has
/// to be what elsewhere a group would.
///
/// GDB takes a plain number for flags of 32 bits, but not for those of 64: `set $cr0 = 0x80010033ll` is a number of that size.
struct RegisterLayout {
    enum Code: Equatable, Sendable {
        case code16, code32, code64

        init(_ mode: ProcessorMode) {
            switch mode {
            case .real, .virtual8086, .protected16, .compatibility16: self = .code16
            case .protected32, .compatibility32: self = .code32
            case .long64: self = .code64
            }
        }

        /// GDB's name.
        var architecture: String {
            switch self {
            case .code16: "i8086"
            case .code32: "i386"
            case .code64: "i386:x86-64"
            }
        }

        /// For the notice that the guest has left the mode which GDB knows.
        var words: String {
            switch self {
            case .code16: "16-bit"
            case .code32: "32-bit"
            case .code64: "64-bit"
            }
        }
    }

    let code: Code
    /// By their groups, which GDB calls features, in the order of their numbers.
    let features: [DescribedFeature]

    init(_ code: Code, fields: [VMCSFieldDescription]) {
        self.code = code
        let set = RegisterSet(isWide: code == .code64)
        // GDB knows the bases of FS and GS only in 64-bit code.
        let system = set.isWide ? 2 : 0
        features = [
            .init("org.gnu.gdb.i386.core", set.core + set.coprocessor),
            .init("org.gnu.gdb.i386.segments", Array(set.system[..<system])),
            .init("org.martlet.system", Array(set.system[system...])),
            .init(
                DescribedFeature.fields,
                fields.map { DescribedRegister($0) } + (fields.isEmpty ? [] : [DescribedRegister(all: fields)])),
        ].filter { !$0.registers.isEmpty }
    }

    /// The registers that "g" sends: all but the fields of the VMCS.
    var common: [DescribedRegister] {
        features.filter { $0.name != DescribedFeature.fields }.flatMap(\.registers)
    }

    /// A register by its number; nil for one that there is not.
    func register(_ number: UInt64) -> DescribedRegister? {
        let registers = features.flatMap(\.registers)
        return number < UInt64(registers.count) ? registers[Int(number)] : nil
    }
}

/// The registers of a processor, in GDB's order.
private struct RegisterSet {
    let isWide: Bool

    /// The bytes of a natural register.
    private var wordSize: Int { isWide ? 8 : 4 }

    private func word(_ name: String, _ register: GuestRegister) -> DescribedRegister {
        .init(name, size: wordSize, .register(register))
    }

    private func untold(_ name: String, size: Int, type: String? = nil) -> DescribedRegister {
        .init(name, size: size, .untold, type: type)
    }

    private func pointer(_ name: String, _ register: GuestRegister, _ type: String) -> DescribedRegister {
        .init(name, size: wordSize, .register(register), type: type)
    }

    var core: [DescribedRegister] {
        let general: [DescribedRegister] =
            if isWide {
                [
                    word("rax", .rax), word("rbx", .rbx), word("rcx", .rcx), word("rdx", .rdx), word("rsi", .rsi),
                    word("rdi", .rdi),
                    pointer("rbp", .rbp, "data_ptr"), pointer("rsp", .rsp, "data_ptr"), word("r8", .r8), word("r9", .r9),
                    word("r10", .r10),
                    word("r11", .r11), word("r12", .r12), word("r13", .r13), word("r14", .r14), word("r15", .r15),
                    pointer("rip", .rip, "code_ptr"),
                ]
            } else {
                [
                    word("eax", .rax), word("ecx", .rcx), word("edx", .rdx), word("ebx", .rbx), pointer("esp", .rsp, "data_ptr"),
                    pointer("ebp", .rbp, "data_ptr"), word("esi", .rsi), word("edi", .rdi), pointer("eip", .rip, "code_ptr"),
                ]
            }
        let selectors: [(String, GuestRegister)] = [("cs", .cs), ("ss", .ss), ("ds", .ds), ("es", .es), ("fs", .fs), ("gs", .gs)]
        return general + [DescribedRegister("eflags", size: 4, .register(.rflags), type: "eflags")]
            + selectors.map { DescribedRegister($0.0, size: 4, .register($0.1)) }
    }

    /// GDB refuses a description without the x87's registers. They stay in the processor: GDB is told that they are not
    /// available.
    var coprocessor: [DescribedRegister] {
        (0..<8).map { untold("st\($0)", size: 10, type: "i387_ext") }
            + ["fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"].map { untold($0, size: 4) }
    }

    /// What GDB has no part in, but shows and sets by these names, which are QEMU's too where it has them.
    var system: [DescribedRegister] {
        [
            word("fs_base", .fsBase), word("gs_base", .gsBase), word("k_gs_base", .kernelGSBase), word("cs_base", .csBase),
            word("ss_base", .ssBase), word("ds_base", .dsBase), word("es_base", .esBase), pointer("cr0", .cr0, "cr0"),
            word("cr2", .cr2),
            word("cr3", .cr3), pointer("cr4", .cr4, "cr4"), word("cr8", .cr8),
            DescribedRegister("efer", size: 8, .register(.efer), type: "efer"),
        ]
    }
}

/// A group of registers: what GDB calls a feature.
struct DescribedFeature {
    /// The fields of the VMCS.
    static var fields: String { "org.martlet.vmcs" }

    let name: String
    let registers: [DescribedRegister]

    init(_ name: String, _ registers: [DescribedRegister]) {
        self.name = name
        self.registers = registers
    }
}

/// A register of a layout.
struct DescribedRegister {
    /// What the target knows it as.
    enum Source: Equatable {
        case register(GuestRegister)
        case field(VMCSFieldEncoding)
        /// All these, 8 bytes each.
        case fields([VMCSFieldEncoding])
        /// It does not tell it.
        case untold
    }

    let name: String
    /// In bytes.
    let size: Int
    let source: Source
    /// GDB's type, or the one of the flags that the description defines.
    let type: String

    init(_ name: String, size: Int, _ source: Source, type: String? = nil) {
        self.name = name
        self.size = size
        self.source = source
        self.type = type ?? "int\(8 * size)"
    }

    /// A field of the VMCS: "guest CR3" is guest_cr3.
    init(_ field: VMCSFieldDescription) {
        self.init(
            DescribedRegister.name(field), size: field.encoding.bitCount / 8, .field(field.encoding),
            type: "uint\(field.encoding.bitCount)")
    }

    /// All of them in one.
    init(all fields: [VMCSFieldDescription]) {
        self.init("vmcs", size: 8 * fields.count, .fields(fields.map(\.encoding)), type: "vmcs")
    }

    static func name(_ field: VMCSFieldDescription) -> String {
        "\(field.name)".lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "_")
    }
}
