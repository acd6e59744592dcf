/// The number of a general register as instructions encode it: 0 RAX, 1 RCX, 2 RDX, 3 RBX, 4 RSP, 5 RBP, 6 RSI, 7 RDI,
/// 8 to 15 R8 to R15.
public struct RegisterNumber: Equatable, Sendable {
    public let value: UInt8
    /// Takes the low four bits.
    public init(_ value: UInt8) { self.value = value & 15 }

    public static var rsp: Self { .init(4) }

    /// The 64-bit register's name.
    public var name: StaticString {
        switch value {
        case 0: "RAX"
        case 1: "RCX"
        case 2: "RDX"
        case 3: "RBX"
        case 4: "RSP"
        case 5: "RBP"
        case 6: "RSI"
        case 7: "RDI"
        case 8: "R8"
        case 9: "R9"
        case 10: "R10"
        case 11: "R11"
        case 12: "R12"
        case 13: "R13"
        case 14: "R14"
        default: "R15"
        }
    }
}

/// The guest's general registers between a VM exit and the next VM entry, in the order of their encodings.
///
/// The world switch pushes them here: the order and the size (120 bytes) are its contract. RSP is not among them: it is
/// part of the guest state that the processor itself saves.
public struct GeneralRegisters: Equatable, Sendable {
    public var rax: UInt64 = 0
    public var rcx: UInt64 = 0
    public var rdx: UInt64 = 0
    public var rbx: UInt64 = 0
    public var rbp: UInt64 = 0
    public var rsi: UInt64 = 0
    public var rdi: UInt64 = 0
    public var r8: UInt64 = 0
    public var r9: UInt64 = 0
    public var r10: UInt64 = 0
    public var r11: UInt64 = 0
    public var r12: UInt64 = 0
    public var r13: UInt64 = 0
    public var r14: UInt64 = 0
    public var r15: UInt64 = 0

    public init() {}

    /// A register by its number. RSP is not here: it reads as 0, and writes go nowhere.
    public subscript(number: RegisterNumber) -> UInt64 {
        get {
            switch number.value {
            case 0: rax
            case 1: rcx
            case 2: rdx
            case 3: rbx
            case 4: 0
            case 5: rbp
            case 6: rsi
            case 7: rdi
            case 8: r8
            case 9: r9
            case 10: r10
            case 11: r11
            case 12: r12
            case 13: r13
            case 14: r14
            default: r15
            }
        }
        set {
            switch number.value {
            case 0: rax = newValue
            case 1: rcx = newValue
            case 2: rdx = newValue
            case 3: rbx = newValue
            case 4: break
            case 5: rbp = newValue
            case 6: rsi = newValue
            case 7: rdi = newValue
            case 8: r8 = newValue
            case 9: r9 = newValue
            case 10: r10 = newValue
            case 11: r11 = newValue
            case 12: r12 = newValue
            case 13: r13 = newValue
            case 14: r14 = newValue
            default: r15 = newValue
            }
        }
    }
}
