/// The line to the debugger: bytes in both directions.
public protocol DebugChannel {
    /// Waits for a byte and takes it; nil once the line is gone.
    mutating func read() -> UInt8?

    mutating func write(_ byte: UInt8)
}
