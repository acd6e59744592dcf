import Text

extension Line {
    /// A number of things by their name, "1 page" and "2 pages"; what more than one are called may be said.
    public mutating func appendInterpolation(count: some BinaryInteger, _ one: StaticString, _ several: StaticString? = nil) {
        write(decimal: UInt64(count))
        write(byte: 0x20)
        write(count == 1 ? one : several ?? one)
        if count != 1, several == nil { write("s") }
    }
}

extension DefaultStringInterpolation {
    /// A number of things by their name, "1 page" and "2 pages"; what more than one are called may be said.
    public mutating func appendInterpolation(count: some BinaryInteger, _ one: StaticString, _ several: StaticString? = nil) {
        var line = Line()
        line.appendInterpolation(count: count, one, several)
        appendLiteral(line.string)
    }
}
