/// What a vector register holds, or its lowest 16 bytes: in words from the lowest on.
public struct VectorValue: Equatable, Sendable {
    public var word0: UInt64
    public var word1: UInt64
    public var word2: UInt64
    public var word3: UInt64

    public init(_ word0: UInt64 = 0, _ word1: UInt64 = 0, _ word2: UInt64 = 0, _ word3: UInt64 = 0) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// A word by its place, 0 to 3.
    public subscript(place: Int) -> UInt64 {
        get {
            switch place {
            case 0: word0
            case 1: word1
            case 2: word2
            default: word3
            }
        }
        set {
            switch place {
            case 0: word0 = newValue
            case 1: word1 = newValue
            case 2: word2 = newValue
            default: word3 = newValue
            }
        }
    }
}

/// How much of a vector register a write changes.
public enum VectorWrite: Equatable, Sendable {
    /// The lowest 16 bytes, as instructions without VEX do.
    case lowest16
    /// All of it: the lowest 16 bytes are given, the others become 0.
    case all16
    /// All of it: the lowest 32 bytes are given, the others become 0.
    case all32
}
