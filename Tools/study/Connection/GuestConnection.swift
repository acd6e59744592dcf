import Debug
import Foundation
import Text

/// The conversation with the kernel's agent: requests with their answers, and events in between (Docs/Agent.md).
public final class GuestConnection {
    private let line: any AgentLine
    private var decoder = FrameDecoder()
    private var sequence: UInt8 = 0
    private var events: [GuestEvent] = []
    /// Nobody answers any more.
    public private(set) var isLost = false

    /// After how many seconds a request that changes nothing is sent once more. The agent answers at once, but the machine may be
    /// an emulated one on a busy host.
    private let patience: Double
    private static var tries: Int { 3 }

    public init(_ line: any AgentLine, patience: Double = 20) {
        self.line = line
        self.patience = patience
    }

    // MARK: Requests

    /// Asks, and waits for the answer.
    /// - Returns: what follows the answer's first byte.
    @discardableResult
    public func ask(_ request: Request) throws(Complaint) -> [UInt8] {
        let answer = try tryToAsk(request)
        switch answer {
        case .success(let bytes): return bytes
        case .failure(let failure): throw Complaint(failure)
        }
    }

    /// The same, with the agent's own word for what it did not do.
    public func tryToAsk(_ request: Request) throws(Complaint) -> Result<[UInt8], AgentFailure> {
        sequence &+= 1
        var message = Message()
        request.encode(sequence: sequence, to: &message)
        guard !message.isCut else { throw Complaint("that is too much for one message") }
        var bytes: [UInt8] = []
        message.send { bytes.append($0) }
        for _ in 0..<(request.kind.isRepeatable ? Self.tries : 1) {
            guard !isLost else { break }
            line.send(bytes)
            let end = Date() + patience
            while !isLost, let left = Optional(end.timeIntervalSinceNow), left > 0 {
                if let answer = takeFrame(timeout: left, answering: request) { return answer }
            }
        }
        throw Complaint(isLost ? "the machine is gone" : "the machine does not respond")
    }

    /// Sends a request without waiting for its answer: for a machine that may not listen yet.
    public func announce(_ request: Request) {
        sequence &+= 1
        var message = Message()
        request.encode(sequence: sequence, to: &message)
        var bytes: [UInt8] = []
        message.send { bytes.append($0) }
        line.send(bytes)
    }

    // MARK: Events

    /// The next event, for which it waits so many seconds at most.
    public func event(timeout: Double) -> GuestEvent? {
        let end = Date() + timeout
        repeat {
            if !events.isEmpty { return events.removeFirst() }
            guard !isLost else { return nil }
            _ = takeFrame(timeout: max(0, end.timeIntervalSinceNow), answering: nil)
        } while end.timeIntervalSinceNow > 0 || !events.isEmpty
        return nil
    }

    /// Whether an answer of a kind to what was announced has come since the last look.
    public private(set) var announced: UInt8?

    // MARK: Frames

    private var pending: [UInt8] = []

    /// Takes bytes up to the end of a frame.
    /// - Returns: the answer to the request, if it is that.
    private func takeFrame(timeout: Double, answering request: Request?) -> Result<[UInt8], AgentFailure>? {
        if pending.isEmpty {
            guard let bytes = line.receive(timeout: timeout) else {
                isLost = true
                return nil
            }
            pending = bytes
        }
        while !pending.isEmpty {
            guard decoder.take(pending.removeFirst()) else { continue }
            let kind = decoder.kind
            let payload = decoder.withPayload { Array($0) }
            if let event = GuestEvent(kind: kind, payload) {
                events.append(event)
                // Whoever waits for events looks at it first.
                if request == nil { return nil }
            } else if let request, kind == request.kind.answer, decoder.sequence == sequence {
                return Self.answer(payload)
            } else if request == nil {
                announced = kind
            }
        }
        return nil
    }

    private static func answer(_ payload: [UInt8]) -> Result<[UInt8], AgentFailure> {
        guard let status = payload.first else { return .failure(AgentFailure(.malformed)) }
        if status == 0 { return .success(Array(payload.dropFirst())) }
        let failure = payload.withUnsafeBytes { bytes in
            var reader = MessageReader(UnsafeRawBufferPointer(rebasing: bytes[1...]))
            return AgentFailure(status: status, &reader)
        }
        return .failure(failure ?? AgentFailure(.malformed))
    }
}

extension Request.Kind {
    /// What it asks for can be asked for twice.
    fileprivate var isRepeatable: Bool {
        switch self {
        case .hello, .capabilities, .statistics, .stops, .state, .registers, .lastExit, .lastStop, .read, .readWords, .translate:
            true
        default: false
        }
    }
}
