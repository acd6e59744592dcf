import StudyTools
import Trace

/// Two runs compared: by reason, and where they part.
public struct TraceDiff {
    let left: TraceFile
    let right: TraceFile

    public init(_ left: TraceFile, _ right: TraceFile) {
        self.left = left
        self.right = right
    }

    /// The first exit in which two runs differ in what happened; times apart, which only a deterministic machine repeats.
    public struct Parting: Equatable {
        public var guest: Int
        public var number: Int
        /// The names of the fields that differ; empty where one run has an exit more.
        public var fields: [String]
    }

    public var parting: Parting? {
        for (guest, pair) in zip(left.guests, right.guests).enumerated() {
            for (number, exits) in zip(pair.0.exits, pair.1.exits).enumerated() {
                let fields = TraceDiff.differences(exits.0, exits.1)
                if !fields.isEmpty { return Parting(guest: guest, number: number, fields: fields) }
            }
            if pair.0.exits.count != pair.1.exits.count {
                return Parting(guest: guest, number: min(pair.0.exits.count, pair.1.exits.count), fields: [])
            }
        }
        if left.guests.count != right.guests.count {
            return Parting(guest: min(left.guests.count, right.guests.count), number: 0, fields: [])
        }
        return nil
    }

    /// The first exit, as guest and position, whose times differ, counted from the guest's start.
    public var firstTimeDifference: (guest: Int, number: Int)? {
        for (guest, pair) in zip(left.guests, right.guests).enumerated() {
            for (number, exits) in zip(pair.0.exits, pair.1.exits).enumerated()
            where exits.0.guestTicks != exits.1.guestTicks || exits.0.record.ticks != exits.1.record.ticks {
                return (guest, number)
            }
        }
        return nil
    }

    /// The fields in which two exits differ, those that the reason leaves undefined apart.
    static func differences(_ left: TracedExit, _ right: TracedExit) -> [String] {
        let a = left.record
        var b = right.record
        (b.arrival, b.departure) = (a.arrival, a.departure)
        if a == b { return [] }
        var fields: [String] = []
        func compare<Value: Equatable>(_ name: String, _ first: Value, _ second: Value) {
            if first != second { fields.append(name) }
        }
        compare("reason", a.reason, b.reason)
        compare("CS", a.codeSelector, b.codeSelector)
        compare("RIP", a.instructionPointer, b.instructionPointer)
        compare("mode", left.mode, right.mode)
        compare("qualification", a.qualification, b.qualification)
        if a.reason == b.reason, !left.operandName.isEmpty { compare("operand", a.operand, b.operand) }
        if left.reason.hasInterruptionInformation { compare("interruption information", a.interruption, b.interruption) }
        compare("RAX", a.rax, b.rax)
        compare("RCX", a.rcx, b.rcx)
        compare("RDX", a.rdx, b.rdx)
        compare("action", left.action, right.action)
        compare("event", a.event, b.event)
        compare("RIP afterwards", a.nextInstructionPointer, b.nextInstructionPointer)
        compare("RAX afterwards", a.nextRAX, b.nextRAX)
        compare("EBX afterwards", a.nextEBX, b.nextEBX)
        compare("ECX afterwards", a.nextECX, b.nextECX)
        compare("EDX afterwards", a.nextEDX, b.nextEDX)
        return fields
    }

    /// The comparison in words.
    public func lines(_ leftName: String, _ rightName: String) -> [String] {
        var lines = [
            "A: \(leftName), \(count: left.exitCount, "exit")", "B: \(rightName), \(count: right.exitCount, "exit")", "",
        ]
        lines += table
        lines.append("")
        return lines + conclusion
    }

    /// Where the runs part, with the exits there, or that they do not.
    var conclusion: [String] {
        guard let parting else {
            var lines = ["The same exits in both, in the same order."]
            if let (guest, number) = firstTimeDifference {
                let exit = left.guests[guest].exits[number]
                lines.append("Their times differ, from exit \(exit.number) of guest \(left.guests[guest].name) on.")
            } else {
                lines.append("Their times are the same too, to the tick.")
            }
            return lines
        }
        return describe(parting)
    }

    private var table: [String] {
        let a = Summary(left.guests)
        let b = Summary(right.guests)
        var lines = [
            "VM-EXIT".padded(left: 30) + "A".padded(left: 10) + "B".padded(left: 10) + "B - A".padded(left: 10)
                + "Avg time A".padded(left: 16) + "Avg time B".padded(left: 16)
        ]
        var names = a.rows.map(\.name)
        names += b.rows.map(\.name).filter { !names.contains($0) }
        for name in names {
            let first = a.rows.first { $0.name == name }
            let second = b.rows.first { $0.name == name }
            let difference = (second?.count ?? 0) - (first?.count ?? 0)
            lines.append(
                name.padded(left: 30) + "\(first?.count ?? 0)".padded(left: 10) + "\(second?.count ?? 0)".padded(left: 10)
                    + (difference > 0 ? "+\(difference)" : "\(difference)").padded(left: 10)
                    + (first.map { fixed(a.microseconds($0.average)) + "us" } ?? "-").padded(left: 16)
                    + (second.map { fixed(b.microseconds($0.average)) + "us" } ?? "-").padded(left: 16))
        }
        return lines
    }

    private func describe(_ parting: Parting) -> [String] {
        func guest(_ file: TraceFile) -> TraceFile.Guest? { parting.guest < file.guests.count ? file.guests[parting.guest] : nil }
        guard let a = guest(left), let b = guest(right) else {
            let longer = left.guests.count > right.guests.count ? "A" : "B"
            return ["The runs diverge after guest \(parting.guest): only \(longer) goes on with another guest."]
        }
        func exit(_ guest: TraceFile.Guest, _ number: Int) -> TracedExit? {
            number < guest.exits.count ? guest.exits[number] : nil
        }
        var lines: [String] = []
        if let first = exit(a, parting.number), exit(b, parting.number) != nil {
            lines.append(
                "The runs diverge at exit \(first.number) of guest \(a.name), in \(parting.fields.joined(separator: ", ")):")
        } else {
            let longer = a.exits.count > b.exits.count ? "A" : "B"
            lines.append("The runs diverge after exit \(parting.number) of guest \(a.name): only \(longer) goes on.")
        }
        if parting.number > 0 { lines.append("  = " + TextReport.line(a.exits[parting.number - 1])) }
        if let first = exit(a, parting.number) { lines.append("  A " + TextReport.line(first)) }
        if let second = exit(b, parting.number) { lines.append("  B " + TextReport.line(second)) }
        return lines
    }
}
