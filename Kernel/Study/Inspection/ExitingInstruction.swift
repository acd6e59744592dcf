import Text
import Virtualization
import X86

/// An instruction that can exit, or that decides when interrupts may come, told by its fixed bytes. The decoder does not
/// know these: of an exit the processor itself tells what the instruction was.
struct ExitingInstruction {
    let words: Line
    /// In bytes.
    let length: Int

    private init(_ words: Line, _ length: Int) {
        self.words = words
        self.length = length
    }

    init?(_ bytes: InstructionBytes, in mode: ProcessorMode) {
        var place = 0
        var size = mode.defaultAddressSize == 2 ? 2 : 4
        var isRepeated = false
        while place < bytes.count, bytes[place] == 0x66 || bytes[place] == 0xF3 {
            if bytes[place] == 0x66 { size = mode.defaultAddressSize == 2 ? 4 : 2 } else { isRepeated = true }
            place += 1
        }
        guard place < bytes.count else { return nil }
        let opcode = bytes[place]
        if opcode == 0x90, isRepeated {
            self.init("PAUSE", place + 1)
        } else if let string = ExitingInstruction.string(opcode, size) {
            self.init(isRepeated ? "REP \(string)" : Line(string), place + 1)
        } else if let words = ExitingInstruction.port(opcode, size, place + 1 < bytes.count ? bytes[place + 1] : nil) {
            self.init(words, opcode < 0xE8 ? place + 2 : place + 1)
        } else if place == 0, let name = ExitingInstruction.oneByte(opcode) {
            self.init(Line(name), 1)
        } else {
            guard place == 0, opcode == 0x0F, bytes.count > 1 else { return nil }
            self.init(twoByte: bytes, in: mode)
        }
    }

    private static func oneByte(_ opcode: UInt8) -> StaticString? {
        switch opcode {
        case 0x90: "NOP"
        case 0xCC: "INT3"
        case 0xCF: "IRET"
        case 0xF1: "INT1"
        case 0xF4: "HLT"
        case 0xFA: "CLI"
        case 0xFB: "STI"
        default: nil
        }
    }

    private static func string(_ opcode: UInt8, _ size: Int) -> StaticString? {
        switch opcode {
        case 0x6C: "INSB"
        case 0x6D: size == 2 ? "INSW" : "INSD"
        case 0x6E: "OUTSB"
        case 0x6F: size == 2 ? "OUTSW" : "OUTSD"
        default: nil
        }
    }

    /// IN and OUT, by DX or a byte that follows.
    private static func port(_ opcode: UInt8, _ size: Int, _ constant: UInt8?) -> Line? {
        guard opcode & 0xF4 == 0xE4 else { return nil }
        let accumulator = RegisterName(RegisterNumber(0), size: opcode & 1 == 0 ? 1 : size)
        let isOutput = opcode & 2 != 0
        if opcode & 8 != 0 { return isOutput ? "OUT DX, \(accumulator)" : "IN \(accumulator), DX" }
        guard let constant else { return nil }
        return isOutput ? "OUT \(hex: constant), \(accumulator)" : "IN \(accumulator), \(hex: constant)"
    }

    private init?(twoByte bytes: InstructionBytes, in mode: ProcessorMode) {
        let name: StaticString
        switch bytes[1] {
        case 0x01:
            guard bytes.count > 2, let member = ExitingInstruction.group7(bytes[2]) else { return nil }
            self.init(Line(member), 3)
            return
        case 0x20...0x23:
            guard bytes.count > 2 else { return nil }
            self.init(ExitingInstruction.move(bytes[1], bytes[2], mode), 3)
            return
        case 0x06: name = "CLTS"
        case 0x08: name = "INVD"
        case 0x09: name = "WBINVD"
        case 0x30: name = "WRMSR"
        case 0x31: name = "RDTSC"
        case 0x32: name = "RDMSR"
        case 0x33: name = "RDPMC"
        case 0xA2: name = "CPUID"
        case 0xAA: name = "RSM"
        default: return nil
        }
        self.init(Line(name), 2)
    }

    /// Behind 0FH and 01H.
    private static func group7(_ byte: UInt8) -> StaticString? {
        switch byte {
        case 0xC1: "VMCALL"
        case 0xC2: "VMLAUNCH"
        case 0xC3: "VMRESUME"
        case 0xC4: "VMXOFF"
        case 0xC8: "MONITOR"
        case 0xC9: "MWAIT"
        case 0xD1: "XSETBV"
        case 0xD4: "VMFUNC"
        case 0xF9: "RDTSCP"
        default: nil
        }
    }

    /// MOV to and from control and debug registers; bits 7:6 of the last byte are not looked at by processors.
    private static func move(_ opcode: UInt8, _ operands: UInt8, _ mode: ProcessorMode) -> Line {
        let special = opcode & 1 == 0 ? "CR" : "DR" as StaticString
        let number = operands >> 3 & 7
        let general = RegisterName(RegisterNumber(operands & 7), size: mode.is64Bit ? 8 : 4)
        return opcode & 2 == 0 ? "MOV \(general), \(special)\(number)" : "MOV \(special)\(number), \(general)"
    }
}
