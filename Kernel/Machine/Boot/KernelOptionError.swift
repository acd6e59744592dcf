import Text

/// A word of the kernel's command line that Martlet cannot take.
public enum KernelOptionError: Error, TextConvertible {
    /// A key that does not exist.
    case unknownKey(OptionText)
    /// A value that the key does not take, and what it takes.
    case badValue(OptionText, accepted: StaticString)
    /// Words that are mutually exclusive.
    case conflict(StaticString)
    /// An unknown feature to hide, and the nearest name that exists.
    case unknownFeature(OptionText, nearest: OptionText)

    public func write(to output: inout Line) {
        switch self {
        case .unknownKey(let word):
            output.write("unknown key on the command line: \"")
            output.write(word)
            output.write("\"; there are ")
            KernelOptions.writeKeys(to: &output)
        case .conflict(let words): output.write(words)
        case .unknownFeature(let name, let nearest):
            output.write("there is no feature \"")
            output.write(name)
            output.write("\" to hide; the nearest name is ")
            output.write(nearest)
        case .badValue(let word, let accepted):
            output.write("bad value on the command line: \"")
            output.write(word)
            output.write("\"; it takes ")
            output.write(accepted)
        }
    }
}

/// A piece of the command line; valid as long as that is.
public struct OptionText: TextConvertible, @unchecked Sendable {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    public func write(to output: inout Line) { output.write(Line(bytes)) }
}
