/// A set of interrupt vectors, 64 per word.
public struct VectorSet: Equatable, Sendable {
    public private(set) var word0: UInt64 = 0
    public private(set) var word1: UInt64 = 0
    public private(set) var word2: UInt64 = 0
    public private(set) var word3: UInt64 = 0

    public init() {}

    public mutating func insert(_ vector: UInt8) {
        let bit: UInt64 = 1 &<< UInt64(vector & 63)
        switch vector >> 6 {
        case 0: word0 |= bit
        case 1: word1 |= bit
        case 2: word2 |= bit
        default: word3 |= bit
        }
    }

    public func contains(_ vector: UInt8) -> Bool {
        let word =
            switch vector >> 6 {
            case 0: word0
            case 1: word1
            case 2: word2
            default: word3
            }
        return word &>> UInt64(vector & 63) & 1 != 0
    }
}
