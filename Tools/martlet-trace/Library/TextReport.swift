import Trace

/// The exits of a file as the console shows them with TRACE=exits, or TRACE=full.
public struct TextReport {
    public var showsCauses: Bool

    public init(showsCauses: Bool = false) { self.showsCauses = showsCauses }

    public func lines(_ file: TraceFile, _ print: (String) -> Void) {
        for guest in file.guests {
            print("guest \(guest.name) on \(guest.machine), \(guest.processor)")
            if guest.lost > 0 {
                print(guest.lost == 1 ? "  the first record was lost" : "  the first \(guest.lost) records were lost")
            }
            for exit in guest.exits {
                print(TextReport.line(exit))
                if showsCauses { print("        why: \(exit.cause)") }
            }
        }
    }

    /// `    1 +24        cpu0 CPUID                       0008:0000000000101000  CPUID leaf 1  ->  EAX ...`
    public static func line(_ exit: TracedExit) -> String {
        var line = "\(exit.number)".padded(left: 5) + " +\(exit.guestTicks) "
        line = line.padded(to: 15) + "cpu0 " + exit.reasonName
        line = line.padded(to: 46) + exit.place
        line = line.padded(to: exit.mode.is64Bit ? 69 : 61) + exit.description
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
