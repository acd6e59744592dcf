import Memory
import Text
import VMX
import X86

/// The command `disassemble`, and the instruction that each stop shows.
public enum Disassembly {
    /// How many instructions are shown if nobody says.
    public static var usualCount: UInt64 { 8 }
    /// The most that are shown at a time.
    public static var mostCount: UInt64 { 256 }
    /// The most bytes of an instruction.
    private static var mostBytes: Int { 15 }

    /// - Parameters:
    ///   - address: where to begin, a linear address; nil for the instruction that the guest executes next.
    ///   - view: the guest's memory by linear addresses.
    public static func write<Memory>(
        from address: UInt64?, count: UInt64, _ state: StateSnapshot, in view: GuestView<Memory>, by disassembler: Disassembler,
        _ symbols: Symbols, to output: inout Answer
    ) throws(Complaint) {
        let next = view.wrapped(state.codeAddress)
        var place = view.wrapped(address ?? next)
        var left = Int(min(count, mostCount))
        while left > 0 {
            let (bytes, reason) = bytes(min(left * 5, 1024) + mostBytes, at: place, in: view)
            var shown = 0
            for instruction in try disassembler.instructions(bytes, at: place, in: state.mode) {
                // What is cut off may go on otherwise.
                guard left > 0, bytes.count - shown >= mostBytes || reason != nil else { break }
                if let name = symbols.name(at: instruction.address) { output.line("\(name):") }
                output.line(line(instruction, isNext: instruction.address == next, view.addressDigits(instruction.address), symbols))
                shown += instruction.bytes.count
                left -= 1
            }
            place = view.wrapped(place &+ UInt64(shown))
            if let reason, left > 0 { return output.line("   \(hex: place): ?? \(reason)") }
            guard shown > 0 else { return }
        }
        if count > mostCount { output.line("disassemble: \(mostCount) instructions at a time are the most") }
    }

    /// The bytes from an address on, up to one that cannot be read, and why not.
    private static func bytes<Memory>(_ count: Int, at address: UInt64, in view: GuestView<Memory>) -> ([UInt8], GuestByte.Reason?) {
        var bytes: [UInt8] = []
        for offset in 0..<UInt64(count) {
            switch view.byte(at: view.wrapped(address &+ offset)) {
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
