#if !hasFeature(Embedded)
// On the host, where there is a heap.

extension Line {
    /// The text as a string.
    public var string: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}

/// What a value says of itself.
public func words(_ value: some TextConvertible) -> String { Line(value).string }
#endif
