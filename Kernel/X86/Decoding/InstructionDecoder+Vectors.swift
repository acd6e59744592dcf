// Moves between memory and vector registers.

extension InstructionDecoder {
    /// An instruction after C4H or C5H (SDM volume 2, "The VEX Prefix"). Outside 64-bit mode these are LES and LDS
    /// unless the next byte is like a ModRM byte of a register.
    mutating func decodeVEX(_ first: UInt8) -> MemoryInstruction? {
        guard allowsVEX, rex == 0, repetition == .none, !hasOperandSizePrefix, !isLocked, var byte = next() else { return nil }
        if !is64Bit, byte < 0xC0 { return nil }
        var map: UInt8 = 1
        var extensions = ~byte >> 5 & 4
        if first == 0xC4 {
            map = byte & 0x1F
            extensions = ~byte >> 5 & 7
            guard let second = next() else { return nil }
            byte = second
            extensions |= byte >> 4 & 8
        }
        // Outside 64-bit mode there are eight registers, and W has no meaning.
        rex = is64Bit ? 0x40 | extensions : 0
        isVEX = true
        let prefix: MandatoryPrefix =
            switch byte & 3 {
            case 0: .none
            case 1: .p66
            case 2: .pF3
            default: .pF2
            }
        let other = ~byte >> 3 & 15
        guard let opcode = next(),
            let form = map == 1 ? VectorForm.twoByte(opcode, prefix) : map == 2 ? VectorForm.threeByte(opcode, prefix) : nil
        else { return nil }
        // Only a load of one half has a third operand; only whole registers are ever wide.
        let isWide = byte & 4 != 0
        let hasOther = !form.isStore && (form.part == .low || form.part == .high)
        guard hasOther || other == 0, !isWide || form.size == .whole else { return nil }
        return decodeVector(form, wide: isWide, other: is64Bit ? other : other & 7)
    }

    mutating func decodeVector(_ form: VectorForm, wide: Bool, other: UInt8) -> MemoryInstruction? {
        guard let number = memoryExtension() else { return nil }
        let register = number | rex << 1 & 8
        let size =
            switch form.size {
            case .bytes4: 4
            case .bytes8: 8
            case .whole: wide ? 32 : 16
            case .general: rex & 8 != 0 ? 8 : 4
            }
        let move = MemoryInstruction.VectorMove(
            form.part, register: register, other: isVEX ? other : register, isVEX: isVEX)
        return finish(form.isStore ? .storeVector(move) : .loadVector(move), size)
    }
}
