/// A line of bytes to the kernel's agent: a socket, a serial port, or in tests the agent itself.
public protocol AgentLine: AnyObject {
    /// Waits for bytes, at most so many seconds.
    /// - Returns: what arrived, empty on timeout; nil once the line is gone.
    func receive(timeout: Double) -> [UInt8]?

    func send(_ bytes: [UInt8])
}
