/// Where the next exit is recorded, for the world switch: two words.
public struct RecordSlots {
    /// The slot of the next record, or of the exit being handled; nil while nothing is recorded.
    public var next: UnsafeMutablePointer<ExitRecord>?
    /// The end of the buffer, eight bytes before the end of its memory: the world switch writes that far past a record.
    public var end: UnsafeMutablePointer<ExitRecord>?

    public init() {}

    /// - Parameter count: of the records that fit.
    public init(_ start: UnsafeMutablePointer<ExitRecord>, count: Int) {
        next = start
        end = start + count
    }

    @inline(__always)
    public var isOn: Bool { next != nil }

    /// The bytes of memory for that many records.
    public static func size(count: Int) -> Int { count * ExitRecord.size + 8 }
}
