import Foundation
import Trace
import VMX

/// One page with everything in it, which needs no network: a timeline, exits by reason over time, the table, and each exit
/// with its record and explanation.
public struct HTMLExport {
    private let file: TraceFile

    public init(_ file: TraceFile) { self.file = file }

    public var page: String {
        let template = String(decoding: PackageResources.page_html, as: UTF8.self)
        return template.replacingOccurrences(of: "@DATA@", with: data)
    }

    /// What the page shows, as JSON. Texts are in one table, since most come again and again; text 0 is empty.
    private var data: String {
        var texts = TextTable()
        var reasons: [UInt32: Int] = [:]
        var kinds: [TracedExit] = []
        var guests: [String] = []
        for guest in file.guests {
            var exits: [String] = []
            var numbers: [String] = []
            var events: [String] = []
            for exit in guest.exits {
                let reason = reasons[exit.record.reason] ?? kinds.count
                if reason == kinds.count {
                    reasons[exit.record.reason] = reason
                    kinds.append(exit)
                }
                numbers.append("\(reason)")
                events.append("\(texts.index(of: exit.deliveries.joined(separator: ", ")))")
                exits.append(
                    "[\(exit.number),\(exit.guestTicks),\(texts.index(of: exit.place)),\(texts.index(of: exit.description)),\(texts.index(of: exit.action)),\(texts.index(of: exit.modeName))]")
            }
            guests.append(
                "{\"name\":\(quoted(guest.name)),\"machine\":\(quoted(guest.machine)),\"processor\":\(quoted(guest.processor)),\"frequency\":\(guest.frequency),\"start\":\"\(guest.start)\",\"reasons\":\(list(numbers)),\"events\":\(list(events)),\"exits\":\(list(exits)),\"summary\":\(summary(guest)),\"records\":\"\(base64(guest.exits))\"}")
        }
        return "{\"guests\":\(list(guests)),\"reasons\":\(list(kinds.map { quoted($0.reasonName) })),\"causes\":\(list(kinds.map { quoted($0.cause) })),\"operands\":\(list(kinds.map { quoted(HTMLExport.operandName($0.reason)) })),\"warnings\":\(list(file.warnings.map(quoted))),\"texts\":\(list(texts.all.map(quoted)))}"
    }

    private func list(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }

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

    /// What the operand field of a record holds; empty where nothing.
    static func operandName(_ reason: ExitReason) -> String {
        switch reason.basic {
        case 0: "error code"
        case 28, 29: "the source register"
        case 48, 49: "guest-physical address"
        default: ""
        }
    }
}

/// Each text once, by number.
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
