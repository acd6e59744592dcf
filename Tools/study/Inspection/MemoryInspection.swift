import Memory
import Text

/// The command `memory`: a guest's bytes as numbers and letters, sixteen to a line; `??` where none can be read.
public enum MemoryInspection {
    /// How many bytes are shown by default.
    public static var usualCount: UInt64 { 128 }
    /// The most that are shown at a time.
    public static var mostCount: UInt64 { 4096 }

    public static func write(_ address: UInt64, count: UInt64, in memory: any GuestBytes, to output: inout Answer) {
        let shown = min(count, mostCount)
        memory.expect(Int(shown), from: address)
        var lastReason: GuestByte.Reason?
        var offset: UInt64 = 0
        while offset < shown {
            let length = min(shown - offset, 16)
            writeLine(memory.wrapped(address &+ offset), length, memory, &lastReason, to: &output)
            offset += length
        }
        if count > shown { output.line("memory: \(mostCount) bytes at a time are the most") }
    }

    /// A line; and below it why bytes could not be read, unless that was just said.
    private static func writeLine(
        _ address: UInt64, _ length: UInt64, _ memory: any GuestBytes, _ lastReason: inout GuestByte.Reason?,
        to output: inout Answer
    ) {
        var line = Line()
        line.write(hexDigits: address, digits: memory.addressDigits(address))
        let start = line.count
        var letters = Line()
        var news: (UInt64, GuestByte.Reason)?
        for place in 0..<length {
            line.write(place == 8 ? "  " : " ")
            if place == 0 { line.write(" ") }
            switch memory.byte(at: memory.wrapped(address &+ place)) {
            case .value(let byte):
                line.write(hexDigits: UInt64(byte), digits: 2)
                letters.write(byte: (0x20..<0x7F).contains(byte) ? byte : 0x2E)
            case .unreadable(let reason):
                line.write("??")
                letters.write("?")
                if lastReason?.isLike(reason) != true {
                    news = (memory.wrapped(address &+ place), reason)
                    lastReason = reason
                }
            }
        }
        line.pad(to: start + 52)
        line.write("|")
        line.write(letters)
        line.write("|")
        output.line(line)
        if let (place, reason) = news { output.line("  ?? from \(hex: place) on: \(reason.words)") }
    }
}
