/// What a guest accessed, as `Guests/spaces` prints it with record=1. Numbers are hexadecimal:
///
/// | line | meaning |
/// | --- | --- |
/// | `map PAGE FRAME COUNT STRIDE` | COUNT pages from the linear page PAGE on lie in the guest's memory from the frame FRAME on, and STRIDE frames further in each next address space; 0 if all share them |
/// | `run NAME` | a run begins |
/// | `r PAGE` | a read of a linear page |
/// | `s NUMBER` | CR3 is loaded with the root of an address space |
/// | `x` | an instruction that exits |
///
/// All other lines are ignored.
public struct RecordedRun: Equatable, Sendable {
    public enum Event: Equatable, Sendable {
        case read(page: UInt64)
        case load(space: UInt64)
        case exit
    }

    public struct Mapping: Equatable, Sendable {
        public var page: UInt64
        public var frame: UInt64
        public var count: UInt64
        public var stride: UInt64

        public init(page: UInt64, frame: UInt64, count: UInt64, stride: UInt64) {
            self.page = page
            self.frame = frame
            self.count = count
            self.stride = stride
        }
    }

    public var name: String
    public var mappings: [Mapping]
    public var events: [Event] = []

    public init(name: String, mappings: [Mapping], events: [Event] = []) {
        self.name = name
        self.mappings = mappings
        self.events = events
    }

    /// What is wrong with a text, and in which line.
    public struct Failure: Error, Equatable, CustomStringConvertible {
        public let line: Int
        public let description: String
    }

    /// The runs in a guest's output.
    public static func read(_ text: some StringProtocol) throws(Failure) -> [RecordedRun] {
        var runs: [RecordedRun] = []
        var mappings: [Mapping] = []
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            let words = line.split { $0 == " " || $0 == "\r" }
            guard let first = words.first else { continue }
            if first == "run", words.count == 2 {
                runs.append(RecordedRun(name: String(words[1]), mappings: mappings))
                continue
            }
            guard ["map", "r", "s", "x"].contains(first) else { continue }
            let numbers = words.dropFirst().compactMap { UInt64($0, radix: 16) }
            guard numbers.count == words.count - 1 else {
                throw Failure(line: number, description: "line \(number): \"\(line)\" is not hexadecimal behind \"\(first)\"")
            }
            if first == "map" {
                guard numbers.count == 4 else {
                    throw Failure(line: number, description: "line \(number): \"\(line)\" has too many numbers, or too few")
                }
                mappings.append(Mapping(page: numbers[0], frame: numbers[1], count: numbers[2], stride: numbers[3]))
                continue
            }
            guard !runs.isEmpty else {
                throw Failure(line: number, description: "line \(number): \"\(line)\" comes before any \"run\"")
            }
            switch (first, numbers.count) {
            case ("r", 1):
                guard mappings.contains(where: { numbers[0] >= $0.page && numbers[0] - $0.page < $0.count }) else {
                    throw Failure(line: number, description: "line \(number): no \"map\" has the page \(words[1])")
                }
                runs[runs.count - 1].events.append(.read(page: numbers[0]))
            case ("s", 1): runs[runs.count - 1].events.append(.load(space: numbers[0]))
            case ("x", 0): runs[runs.count - 1].events.append(.exit)
            default: throw Failure(line: number, description: "line \(number): \"\(line)\" has too many numbers, or too few")
            }
        }
        return runs
    }
}
