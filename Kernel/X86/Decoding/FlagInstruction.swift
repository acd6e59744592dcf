/// What an instruction stepped over by RFLAGS.TF does with the flags, as far as TF would show.
public enum FlagInstruction: Equatable, Sendable {
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
    /// MOV SS and POP SS hold the trap back until after the next instruction.
    case stackSegment

    public init(_ bytes: InstructionBytes, in mode: ProcessorMode) {
        var place = 0
        while place < bytes.count, FlagInstruction.isPrefix(bytes[place], in: mode) { place += 1 }
        let opcode: UInt8? = place < bytes.count ? bytes[place] : nil
        let next: UInt8? = place + 1 < bytes.count ? bytes[place + 1] : nil
        self =
            switch (opcode, next) {
            case (0x9C, _): .store
            case (0x9D, _), (0xCF, _): .load
            case (0xCD, let vector?): .interrupt(vector, length: UInt8(place + 2))
            case (0x0F, 0x05) where mode.is64Bit: .systemCall
            case (0x0F, 0x07) where mode.is64Bit: .systemReturn
            case (0x17, _) where !mode.is64Bit: .stackSegment
            case (0x8E, let modRM?) where modRM >> 3 & 7 == 2: .stackSegment
            default: .other
            }
    }

    private static func isPrefix(_ byte: UInt8, in mode: ProcessorMode) -> Bool {
        switch byte {
        case 0x26, 0x2E, 0x36, 0x3E, 0x64...0x67, 0xF0, 0xF2, 0xF3: true
        case 0x40...0x4F: mode.is64Bit
        default: false
        }
    }
}
