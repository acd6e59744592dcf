import Text
import Trace
import Virtualization
import X86

/// An exit in one line of the trace: its number, how long the guest ran, why and where it stopped, and what was done.
public struct ExitLine: TextConvertible {
    let seen: ObservedExit
    let number: UInt64
    let outcome: Outcome?
    let after: GeneralRegisters

    /// The column of the exit's reason, unless the number and the ticks before it reach past it.
    public static var reasonColumn: Int { 14 }
    /// The column of the guest's place.
    public static var placeColumn: Int { 39 }
    /// The column of what the exit was.
    public static var descriptionColumn: Int { 54 }
    /// By how much the rows after the first are indented in the cause that follows the line.
    public static var causeIndentation: Int { 13 }

    /// - Parameters:
    ///   - number: of the exit.
    ///   - outcome: nil if it was not handled: it is a debugger's own, and has no number.
    ///   - after: the guest's registers now.
    public init(_ seen: ObservedExit, number: UInt64, _ outcome: Outcome?, _ after: GeneralRegisters) {
        self.seen = seen
        self.number = number
        self.outcome = outcome
        self.after = after
    }

    public func write(to output: inout Line) {
        if outcome != nil { output.write(decimal: number, width: 5) } else { output.write("    -") }
        output.write(" +")
        output.write(decimal: seen.guestTicks)
        output.write(" ")
        output.pad(to: Self.reasonColumn)
        output.write(seen.name)
        output.write(" ")
        output.pad(to: Self.placeColumn)
        output.write(seen.place)
        output.write("  ")
        output.pad(to: Self.descriptionColumn)
        output.write(ExitDescription(seen.exit, seen.registers, in: seen.place.mode))
        output.write("  ->  ")
        if let outcome { output.write(ExitAction(seen.exit, outcome, after)) } else { output.write("not yet done") }
    }
}
