import Memory
import Text
import VMX
import X86

/// The command `disassemble`: instructions of the guest's, as far as Martlet knows them, which is those on memory that its
/// decoder knows and those that can exit. Of any other the first byte is shown as such ("DB 0x50"), and the next is tried.
public enum Disassembly {
    /// How many instructions are shown if nobody says.
    public static var usualCount: UInt64 { 8 }
    /// The most that are shown at a time.
    public static var mostCount: UInt64 { 256 }

    /// - Parameters:
    ///   - address: where to begin, a linear address; nil for the instruction that the guest executes next.
    ///   - view: the guest's memory by linear addresses.
    @inline(never)
    public static func write<Memory>(
        from address: UInt64?, count: UInt64, _ state: StateView, in view: GuestView<Memory>, to output: inout some TextOutput
    ) {
        let mode = state.mode
        let next = state.codeAddress
        var place = view.wrapped(address ?? next)
        for _ in 0..<min(count, mostCount) {
            var bytes = InstructionBytes()
            var reason: GuestByte.Reason?
            for offset in 0..<UInt64(InstructionBytes.capacity) {
                guard case .value(let byte) = view.byte(at: view.wrapped(place &+ offset)) else {
                    if offset == 0, case .unreadable(let why) = view.byte(at: place) { reason = why }
                    break
                }
                bytes.append(byte)
            }
            if let reason { return output.line("   \(hex: place): ?? \(reason)") }
            let length = writeInstruction(bytes, at: place, mode, isNext: place == next, view.addressDigits(place), to: &output)
            place = view.wrapped(place &+ UInt64(length))
        }
        if count > mostCount { output.line("disassemble: \(mostCount) instructions at a time are the most") }
    }

    /// - Returns: the instruction's length.
    @inline(never)
    private static func writeInstruction(
        _ bytes: InstructionBytes, at address: UInt64, _ mode: ProcessorMode, isNext: Bool, _ digits: Int,
        to output: inout some TextOutput
    ) -> Int {
        var line = Line(isNext ? "=> " : "   ")
        line.write(hexDigits: address, digits: digits)
        line.write(" ")
        let start = line.count
        let length: Int
        var words: Line
        if let instruction = InstructionDecoder.decode(bytes, in: mode) {
            length = instruction.length
            words = "\(MemoryInstructionText(instruction, at: address, in: mode))"
        } else if let instruction = ExitingInstruction(bytes, in: mode) {
            length = instruction.length
            words = instruction.words
        } else {
            length = 1
            words = "DB \(hex: bytes[0], digits: 2)"
        }
        for place in 0..<length {
            line.write(" ")
            line.write(hexDigits: UInt64(bytes[place]), digits: 2)
        }
        line.pad(to: start + 26)
        line.write(" ")
        line.write(words)
        output.line(line)
        return length
    }
}
