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
/// The world switch pushes them here: the order and the size (120 bytes) are its contract. RSP is not among them: the
/// processor itself saves it as part of the guest state.
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

    /// A register by its number. RSP is not here and reads as 0.
    public subscript(number: RegisterNumber) -> UInt64 {
        var copy = self
        return copy.value(of: number)
    }

    /// Where a register lies in the block; RSP does not.
    private static func offset(_ number: RegisterNumber) -> Int? {
        number == .rsp ? nil : 8 * Int(number.value < 4 ? number.value : number.value - 1)
    }

    /// A register by its number, read in place: the subscript may copy the block. RSP reads as 0.
    @inline(__always)
    public mutating func value(of number: RegisterNumber) -> UInt64 {
        guard let offset = GeneralRegisters.offset(number) else { return 0 }
        return withUnsafeMutableBytes(of: &self) { $0.load(fromByteOffset: offset, as: UInt64.self) }
    }

    /// Writes a register by its number, in place. A write of RSP goes nowhere.
    @inline(__always)
    public mutating func set(_ number: RegisterNumber, to value: UInt64) {
        guard let offset = GeneralRegisters.offset(number) else { return }
        withUnsafeMutableBytes(of: &self) { $0.storeBytes(of: value, toByteOffset: offset, as: UInt64.self) }
    }
}
