import X86

/// What the instruction that is stepped over by RFLAGS.TF does with the flags, as far as TF would show.
enum FlagInstruction: Equatable {
    case other
    /// PUSHF stores them.
    case store
    /// POPF and IRET load them.
    case load
    /// INT n: its vector and length.
    case interrupt(UInt8, length: UInt8)
    /// SYSCALL keeps them in R11 and clears those that IA32_FMASK names.
    case systemCall
    /// SYSRET loads them from R11.
    case systemReturn

    init(_ bytes: InstructionBytes, in mode: ProcessorMode) {
        var place = 0
        var isFirst = true
        while true {
            while place < bytes.count, FlagInstruction.isPrefix(bytes[place], in: mode) { place += 1 }
            guard place < bytes.count else { break }
            let next = place + 1 < bytes.count ? bytes[place + 1] : 0
            switch (bytes[place], next) {
            // The trap after POP SS and MOV SS comes only after the instruction behind them.
            case (0x17, _) where !mode.is64Bit: place += 1
            case (0x8E, 0xD0...0xD7): place += 2
            case (0x9C, _):
                self = .store
                return
            case (0x9D, _), (0xCF, _):
                self = .load
                return
            case (0xCD, _) where isFirst:
                self = .interrupt(next, length: UInt8(place + 2))
                return
            case (0x0F, 0x05) where mode.is64Bit:
                self = .systemCall
                return
            case (0x0F, 0x07) where mode.is64Bit:
                self = .systemReturn
                return
            default:
                self = .other
                return
            }
            isFirst = false
        }
        self = .other
    }

    private static func isPrefix(_ byte: UInt8, in mode: ProcessorMode) -> Bool {
        switch byte {
        case 0x26, 0x2E, 0x36, 0x3E, 0x64...0x67, 0xF0, 0xF2, 0xF3: true
        case 0x40...0x4F: mode.is64Bit
        default: false
        }
    }
}
