#if !hasFeature(Embedded)
// On the host, where there is a heap.

extension Line {
    /// The text as a string.
    public var string: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}

extension String {
    /// Broken into rows, as the kernel prints a line (`LineRows`).
    /// - Parameters:
    ///   - columns: of a row.
    ///   - indentation: of the rows after the first, less than `columns`.
    public func rows(columns: Int, indentation: Int) -> [String] {
        var line = Line()
        for byte in utf8 { line.write(byte: byte) }
        var rows = LineRows(columns: columns, indentation: indentation)
        var result: [String] = []
        while rows.advance(in: line) {
            let text = line.withBytes { String(decoding: $0[rows.start..<rows.end], as: UTF8.self) }
            result.append(String(repeating: " ", count: rows.start > 0 ? indentation : 0) + text)
        }
        return result
    }
}

/// A value in its own words.
public func words(_ value: some TextConvertible) -> String { Line(value).string }
#endif
