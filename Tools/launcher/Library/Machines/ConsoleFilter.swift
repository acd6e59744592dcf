/// Which part of a machine's output is the console's.
enum ConsoleFilter {
    /// All of it.
    case none
    /// Everything after Bochs's banner, which stands between two bars.
    case bochs
    /// The same, without its debugger's output.
    case bochsWithDebugger

    /// A filter that takes the output as it arrives.
    var stream: ConsoleStream { ConsoleStream(self) }
}

/// Takes a machine's output piece by piece, and returns the console's part.
struct ConsoleStream {
    private let filter: ConsoleFilter
    private var bars: Int
    /// Whether the debugger has reached its prompt.
    private var isPrompted = false
    /// An incomplete line, where output is examined by lines.
    private var line: [UInt8] = []

    fileprivate init(_ filter: ConsoleFilter) {
        self.filter = filter
        bars = filter == .none ? 2 : 0
    }

    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        if bars == 2, filter != .bochsWithDebugger { return bytes }
        line += bytes
        var console: [UInt8] = []
        while let end = line.firstIndex(of: 10) {
            console += taken(Array(line[...end]))
            line.removeSubrange(...end)
            if bars == 2, filter != .bochsWithDebugger {
                console += line
                line = []
            }
        }
        return console
    }

    /// What is left at the end.
    mutating func end() -> [UInt8] {
        defer { line = [] }
        return line.isEmpty || bars < 2 ? [] : taken(line)
    }

    private mutating func taken(_ line: [UInt8]) -> [UInt8] {
        guard bars == 2 else {
            if line.starts(with: Array("====".utf8)) { bars += 1 }
            return []
        }
        // "(0) [0x0000fffffff0] f000:fff0 ..." is its first stop, "(0).[12] [0x...] ..." a later one.
        guard isPrompted else {
            isPrompted = line.starts(with: Array("(0) [0x".utf8))
            return []
        }
        guard let place = debugger(in: line) else { return line }
        return place == 0 ? [] : Array(line[..<place]) + [10]
    }

    private func debugger(in line: [UInt8]) -> Int? {
        let start = Array("(0).[".utf8)
        return line.indices.first { place in
            guard line[place...].starts(with: start) else { return false }
            if place == 0 { return true }
            let rest = line[(place + start.count)...].drop { (48...57).contains($0) }
            return rest.starts(with: Array("] [0x".utf8))
        }
    }
}
