/// A value that can write itself in words.
public protocol TextConvertible {
    /// Appends the value's words to the line.
    func write(to line: inout Line)
}
