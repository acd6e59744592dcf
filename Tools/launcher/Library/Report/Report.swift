/// What the kernel sent on the report channel. A line is one of
///
///     error TEXT          an error message; on the console already unless TRACE=off
///     at 0xADDRESS        where a panic happened
///     frame 0xADDRESS     a return address of its backtrace, innermost first
///     record BASE64       an exit record, if there is no better way to send it
///     records N           how many records there are, once all are sent
///     status N WORDS      the verdict, last
struct Report {
    private let lines: [Substring]

    init(_ text: String) {
        lines = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\r" })).split(separator: "\n")
    }

    /// The rest of each line that begins with a word.
    private func lines(_ word: String) -> [Substring] {
        lines.filter { $0.hasPrefix(word + " ") }.map { $0.dropFirst(word.count + 1) }
    }

    var errors: [String] { lines("error").map(String.init) }

    /// The verdict's number; nil if the kernel gave none.
    var status: Int32? {
        lines("status").compactMap { line in
            let number = line.prefix { $0 != " " }
            return (1...3).contains(number.count) ? Int32(number) : nil
        }.last
    }

    /// Where a panic happened, and what it was called from, as addresses inside the calls.
    var backtrace: [UInt64] {
        lines.compactMap { line in
            if line.hasPrefix("at 0x") { return address(line.dropFirst(5)) }
            // A return address is after the call: one less is inside it.
            if line.hasPrefix("frame 0x") { return address(line.dropFirst(8)).map { $0 &- 1 } }
            return nil
        }
    }

    private func address(_ digits: Substring) -> UInt64? { UInt64(digits, radix: 16) }

    /// The exit records that came as lines.
    var records: [Substring] { lines("record") }
    /// How many records the kernel has sent; nil if it did not get to report it.
    var recordCount: Int? { lines("records").last.flatMap { Int($0) } }
}
