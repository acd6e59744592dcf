/// How the processor currently interprets code and addresses (SDM volume 3, "Modes of Operation").
public enum ProcessorMode: Equatable, Sendable {
    case real, virtual8086, protected16, protected32, compatibility16, compatibility32, long64

    /// The mode that control bits, flags and the code segment's size bits select.
    @inline(__always)
    public init(cr0: ControlRegister0, longModeActive: Bool, flags: RFlags, codeIsLong: Bool, codeIs32Bit: Bool) {
        if !cr0.contains(.protectionEnable) {
            self = .real
        } else if longModeActive {
            self = codeIsLong ? .long64 : codeIs32Bit ? .compatibility32 : .compatibility16
        } else if flags.contains(.virtual8086) {
            self = .virtual8086
        } else {
            self = codeIs32Bit ? .protected32 : .protected16
        }
    }

    /// Instruction pointers, addresses and flat segments are 64 bits wide.
    @inline(__always)
    public var is64Bit: Bool { self == .long64 }

    /// The operand and address size in bytes without a prefix: 2, 4, or 8 for addresses in 64-bit mode.
    @inline(__always)
    public var defaultAddressSize: Int {
        switch self {
        case .real, .virtual8086, .protected16, .compatibility16: 2
        case .protected32, .compatibility32: 4
        case .long64: 8
        }
    }
}
