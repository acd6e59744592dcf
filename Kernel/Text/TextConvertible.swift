/// A value that can say itself in words.
public protocol TextConvertible {
    /// Writes the value's words behind what the line holds.
    func write(to line: inout Line)
}
