import Debug

/// What the agent says unasked.
public enum GuestEvent: Equatable, Sendable {
    /// It listens.
    case ready
    case stopped(StopReport)
    /// A line of the exits' trace.
    case trace(String)
    case ended(EndReport)
    /// A guest begins.
    case starting(String)

    init?(kind: UInt8, _ payload: [UInt8]) {
        guard let kind = AgentEvent(rawValue: kind) else { return nil }
        let event: GuestEvent? = payload.withUnsafeBytes { bytes in
            var reader = MessageReader(bytes)
            switch kind {
            case .ready: return .ready
            case .stopped: return StopReport(&reader).map { .stopped($0) }
            case .trace: return .trace(Self.text(bytes))
            case .ended: return EndReport(&reader).map { .ended($0) }
            case .starting: return .starting(Self.text(bytes))
            }
        }
        guard let event else { return nil }
        self = event
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.map { (0x20..<0x7F).contains($0) ? $0 : 0x3F }, as: UTF8.self)
    }
}
