import Text

/// What is wrong with a command, in words. Nothing was done.
public struct Complaint: Error {
    public let words: Line
    public init(_ words: Line) { self.words = words }
}
