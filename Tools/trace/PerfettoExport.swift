import Trace

/// A trace in the JSON format that ui.perfetto.dev opens: guest and Martlet as slices, interrupts as instants.
///
/// Format: the "Trace Event Format" that Chrome's about:tracing introduced; times in microseconds.
public struct PerfettoExport {
    private let file: TraceFile

    public init(_ file: TraceFile) { self.file = file }

    private enum Track: Int { case guest = 1, martlet, interrupts }

    public var json: String {
        var events: [String] = []
        // All guests of a file share one clock.
        let origin = file.guests.first?.start ?? 0
        for (index, guest) in file.guests.enumerated() {
            let process = index + 1
            events.append(named("process_name", process, nil, "\(guest.name) on \(guest.machine)"))
            events.append(named("thread_name", process, .guest, "guest"))
            events.append(named("thread_name", process, .martlet, "Martlet"))
            events.append(named("thread_name", process, .interrupts, "interrupts"))
            func time(_ stamp: UInt64) -> String { fixed(guest.microseconds(stamp &- origin), places: 4) }
            func duration(_ ticks: UInt64) -> String { fixed(guest.microseconds(ticks), places: 4) }
            func slice(_ track: Track, _ name: String, from: UInt64, ticks: UInt64, _ details: [(String, String)] = []) {
                events.append(
                    "{\"ph\":\"X\",\"pid\":\(process),\"tid\":\(track.rawValue),\"ts\":\(time(from)),\"dur\":\(duration(ticks)),\"name\":\(quoted(name))\(arguments(details))}"
                )
            }
            func instant(_ name: String, at stamp: UInt64) {
                events.append(
                    "{\"ph\":\"i\",\"s\":\"t\",\"pid\":\(process),\"tid\":\(Track.interrupts.rawValue),\"ts\":\(time(stamp)),\"name\":\(quoted(name))}"
                )
            }
            for exit in guest.exits {
                slice(.guest, "guest", from: exit.lastEntry, ticks: exit.guestTicks)
                slice(
                    .martlet, exit.reasonName, from: exit.record.arrival, ticks: exit.record.ticks,
                    [
                        ("number", "\(exit.number)"), ("at", exit.place), ("what", exit.description), ("action", exit.action),
                        ("qualification", hexadecimal(exit.record.qualification)),
                    ])
                for event in exit.deliveries { instant(event, at: exit.record.departure) }
            }
            for pause in guest.pauses { slice(.martlet, "pause", from: pause.from, ticks: pause.to &- pause.from) }
        }
        return "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n" + events.joined(separator: ",\n") + "\n]}\n"
    }

    private func named(_ kind: String, _ process: Int, _ track: Track?, _ name: String) -> String {
        "{\"ph\":\"M\",\"pid\":\(process)\(track.map { ",\"tid\":\($0.rawValue)" } ?? ""),\"name\":\"\(kind)\",\"args\":{\"name\":\(quoted(name))}}"
    }

    private func arguments(_ details: [(String, String)]) -> String {
        if details.isEmpty { return "" }
        return ",\"args\":{" + details.map { "\(quoted($0)):\(quoted($1))" }.joined(separator: ",") + "}"
    }
}

/// A text as JSON writes it. "<" is escaped besides, so that no text ends an HTML script.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "<": result += "\\u003c"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
