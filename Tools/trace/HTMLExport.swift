import Foundation
import Trace
import VMX

/// One page with everything in it, which needs no network: a timeline, exits by reason over time, the table, and each exit
/// with its record and explanation; of one run, or of two side by side.
public struct HTMLExport {
    private let runs: [(name: String, file: TraceFile)]

    public init(_ file: TraceFile, name: String = "") { runs = [(name, file)] }

    /// Two runs, compared.
    public init(_ left: TraceFile, _ right: TraceFile, names: (String, String)) {
        runs = [(names.0, left), (names.1, right)]
    }

    public var page: String {
        let template = String(decoding: PackageResources.page_html, as: UTF8.self)
        return template.replacingOccurrences(of: "@DATA@", with: data)
    }

    /// What the page shows, as JSON.
    private var data: String {
        var tables = Tables()
        let reasons = Summary(runs.flatMap(\.file.guests)).rows.map(\.name)
        let numbers = Dictionary(uniqueKeysWithValues: reasons.enumerated().map { ($1, $0) })
        let runs = runs.map { run in
            object([
                ("name", quoted(run.name)), ("warnings", list(run.file.warnings.map(quoted))),
                ("guests", list(run.file.guests.map { self.guest($0, numbers, &tables) })),
            ])
        }
        let comparison = comparison(&tables)
        return object([
            ("runs", list(runs)), ("comparison", comparison), ("reasons", list(reasons.map(quoted))),
            ("palette", object([("light", colors(ReasonColors.light)), ("dark", colors(ReasonColors.dark))])),
            ("textures", colors(ReasonColors.textures)), ("decodings", list(tables.decodings)),
            ("texts", list(tables.texts.all.map(quoted))),
        ])
    }

    private func colors(_ names: [String]) -> String { list(names.map(quoted)) }

    private func guest(_ guest: TraceFile.Guest, _ reasons: [String: Int], _ tables: inout Tables) -> String {
        var exits: [String] = []
        for exit in guest.exits {
            let texts = [
                exit.place, exit.description, exit.action, exit.modeName, exit.deliveries.joined(separator: ", "),
            ].map { tables.texts.index(of: $0) }
            let numbers = [Int(exit.number), reasons[exit.reasonName]!] + texts + [tables.decoding(of: exit)]
            exits.append("[\(exit.guestTicks)," + numbers.map { "\($0)" }.joined(separator: ",") + "]")
        }
        return object([
            ("name", quoted(guest.name)), ("machine", quoted(guest.machine)), ("processor", quoted(guest.processor)),
            ("frequency", "\(guest.frequency)"), ("start", "\"\(guest.start)\""), ("exits", list(exits)),
            ("summary", summary(guest)), ("records", "\"\(base64(guest.exits))\""),
        ])
    }

    /// The rows of each guest that both runs have, and in words where they part; null for one run.
    private func comparison(_ tables: inout Tables) -> String {
        guard runs.count == 2 else { return "null" }
        let diff = TraceDiff(runs[0].file, runs[1].file)
        let guests = zip(diff.left.guests, diff.right.guests).map { left, right in
            list(
                TraceAlignment(left.exits, right.exits).rows.map {
                    "[\($0.left ?? -1),\($0.right ?? -1),\(tables.texts.index(of: $0.fields.joined(separator: ", ")))]"
                })
        }
        return object([
            ("words", quoted(diff.conclusion[0])), ("guest", "\(diff.parting?.guest ?? -1)"), ("rows", list(guests)),
        ])
    }

    private func list(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }

    private func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    private func base64(_ exits: [TracedExit]) -> String {
        var bytes = [UInt8](repeating: 0, count: exits.count * ExitRecord.size)
        bytes.withUnsafeMutableBytes { buffer in
            for (index, exit) in exits.enumerated() {
                exit.record.encode(to: UnsafeMutableRawBufferPointer(rebasing: buffer[(index * ExitRecord.size)...]))
            }
        }
        return Data(bytes).base64EncodedString()
    }

    private func summary(_ guest: TraceFile.Guest) -> String {
        let summary = Summary([guest])
        return list(
            summary.rows.map { row in
                let shares = summary.shares(row)
                func time(_ ticks: Double) -> String { quoted(fixed(summary.microseconds(ticks)) + "us") }
                return list([
                    quoted(row.name), quoted("\(row.count)"), quoted("\(fixed(shares.samples))%"),
                    quoted("\(fixed(shares.time))%"), time(Double(row.least)), time(Double(row.most)), time(row.average),
                    quoted("( +- \(fixed(row.deviation))% )"),
                ])
            })
    }
}

/// What comes again and again, once.
private struct Tables {
    var texts = TextTable()
    /// Each a list of the numbers of its texts, as JSON.
    private(set) var decodings: [String] = []
    private var numbers: [ExitDecoding.Key: Int] = [:]

    mutating func decoding(of exit: TracedExit) -> Int {
        let key = ExitDecoding.Key(exit)
        if let number = numbers[key] { return number }
        let indexes = ExitDecoding(exit).texts.map { "\(texts.index(of: $0))" }
        decodings.append("[" + indexes.joined(separator: ",") + "]")
        numbers[key] = decodings.count - 1
        return decodings.count - 1
    }
}

/// Each text once, by number; text 0 is empty.
struct TextTable {
    private(set) var all = [""]
    private var numbers: [String: Int] = ["": 0]

    mutating func index(of text: String) -> Int {
        if let number = numbers[text] { return number }
        numbers[text] = all.count
        all.append(text)
        return all.count - 1
    }
}
