import Machine
import Text
import Trace

/// The exits of a file as the console shows them with TRACE=exits, or TRACE=full.
public struct TextReport {
    public var showsCauses: Bool
    /// Of a row.
    public var columns: Int

    public init(showsCauses: Bool = false, columns: Int = LineRows.usualColumns) {
        self.showsCauses = showsCauses
        self.columns = columns
    }

    public func lines(_ file: TraceFile, _ print: (String) -> Void) {
        for guest in file.guests {
            print("guest \(guest.name) on \(guest.machine), \(guest.processor)")
            if guest.lost > 0 {
                print(guest.lost == 1 ? "  the first record was lost" : "  the first \(guest.lost) records were lost")
            }
            for exit in guest.exits {
                TextReport.line(exit).rows(columns: columns, indentation: ExitLine.reasonColumn).forEach(print)
                if showsCauses {
                    "        why: \(exit.cause)".rows(columns: columns, indentation: ExitLine.causeIndentation).forEach(print)
                }
            }
        }
    }

    /// `    1 +24     CPUID                    0008:00101000  CPUID leaf 1  ->  EAX ...`
    public static func line(_ exit: TracedExit) -> String {
        var line = "\(exit.number)".padded(left: 5) + " +\(exit.guestTicks) "
        line = line.padded(to: ExitLine.reasonColumn) + exit.reasonName + " "
        line =
            (line.padded(to: ExitLine.placeColumn) + exit.place + "  ").padded(to: ExitLine.descriptionColumn) + exit.description
        return line + "  ->  " + exit.action
    }
}

extension String {
    /// Filled with blanks on the right; a column is never shortened.
    func padded(to width: Int) -> String {
        let length = utf8.count
        return length < width ? self + String(repeating: " ", count: width - length) : self
    }

    func padded(left width: Int) -> String {
        let length = utf8.count
        return length < width ? String(repeating: " ", count: width - length) + self : self
    }
}
