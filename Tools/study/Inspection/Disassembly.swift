import Memory
import Text
import VMX
import X86

/// The command `disassemble`, and the instruction that each stop shows.
public enum Disassembly {
    /// How many instructions are shown by default.
    public static var usualCount: UInt64 { 8 }
    /// The most that are shown at a time.
    public static var mostCount: UInt64 { 256 }
    /// The most bytes of an instruction.
    private static var mostBytes: Int { 15 }

    /// - Parameters:
    ///   - address: where to begin, a linear address; nil for the instruction that the guest executes next.
    ///   - next: the linear address of that instruction.
    ///   - memory: the guest's, by linear addresses.
    public static func write(
        from address: UInt64?, count: UInt64, next: UInt64, in mode: ProcessorMode, _ memory: any GuestBytes,
        by disassembler: Disassembler, _ symbols: Symbols, to output: inout Answer
    ) throws(Complaint) {
        var place = memory.wrapped(address ?? next)
        var left = Int(min(count, mostCount))
        // The first line says where in a function it is, the others where one begins.
        var name = symbols.words(place)
        while left > 0 {
            let (bytes, reason) = bytes(min(left * 5, 1024) + mostBytes, at: place, in: memory)
            var shown = 0
            for instruction in try disassembler.instructions(bytes, at: place, in: mode) {
                // What is cut off may go on otherwise.
                guard left > 0, bytes.count - shown >= mostBytes || reason != nil else { break }
                if let name = name ?? symbols.name(at: instruction.address) { output.line("\(name):") }
                name = nil
                output.line(
                    line(instruction, isNext: instruction.address == next, memory.addressDigits(instruction.address), symbols))
                shown += instruction.bytes.count
                left -= 1
            }
            place = memory.wrapped(place &+ UInt64(shown))
            if let reason, left > 0 { return output.line("   \(hex: place): ?? \(reason.words)") }
            guard shown > 0 else { return }
        }
        if count > mostCount { output.line("disassemble: \(mostCount) instructions at a time are the most") }
    }

    /// The bytes from an address on, up to one that cannot be read, and why not.
    private static func bytes(_ count: Int, at address: UInt64, in memory: any GuestBytes) -> ([UInt8], GuestByte.Reason?) {
        var bytes: [UInt8] = []
        memory.expect(count, from: address)
        for offset in 0..<UInt64(count) {
            switch memory.byte(at: memory.wrapped(address &+ offset)) {
            case .value(let byte): bytes.append(byte)
            case .unreadable(let reason): return (bytes, reason)
            }
        }
        return (bytes, nil)
    }

    private static func line(_ instruction: Disassembler.Instruction, isNext: Bool, _ digits: Int, _ symbols: Symbols) -> Line {
        var line = Line(isNext ? "=> " : "   ")
        line.write(hexDigits: instruction.address, digits: digits)
        line.write(" ")
        let start = line.count
        for byte in instruction.bytes {
            line.write(" ")
            line.write(hexDigits: UInt64(byte), digits: 2)
        }
        line.pad(to: start + 26)
        line.write(" ")
        line.write(text: symbols.annotated(instruction.text))
        return line
    }
}

extension Line {
    /// Writes a text of the host's.
    mutating func write(text: String) { for byte in text.utf8 { write(byte: byte) } }

    mutating func appendInterpolation(_ text: String) { write(text: text) }
}
