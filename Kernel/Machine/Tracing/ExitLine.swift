import Text
import Trace
import Virtualization
import X86

/// An exit in one line of the trace: its number, how long the guest ran, why and where it stopped, and what was done.
public struct ExitLine: TextConvertible {
    let seen: ObservedExit
    let cpu: Int
    let number: UInt64
    let outcome: Outcome?
    let after: GeneralRegisters

    /// - Parameters:
    ///   - cpu: the number of the virtual CPU.
    ///   - number: of the exit.
    ///   - outcome: nil if nothing was done about it: it is a debugger's own, and has no number.
    ///   - after: the guest's registers now.
    public init(_ seen: ObservedExit, cpu: Int, number: UInt64, _ outcome: Outcome?, _ after: GeneralRegisters) {
        self.seen = seen
        self.cpu = cpu
        self.number = number
        self.outcome = outcome
        self.after = after
    }

    public func write(to output: inout Line) {
        if outcome != nil { output.write(decimal: number, width: 5) } else { output.write("    -") }
        output.write(" +")
        output.write(decimal: seen.guestTicks)
        output.write(" ")
        output.pad(to: 15)
        output.write("cpu")
        output.write(decimal: UInt64(cpu))
        output.write(" ")
        output.write(seen.name)
        output.pad(to: 46)
        output.write(seen.place)
        output.pad(to: seen.place.mode.is64Bit ? 69 : 61)
        output.write(ExitDescription(seen.exit, seen.registers, in: seen.place.mode))
        output.write("  ->  ")
        if let outcome { output.write(ExitAction(seen.exit, outcome, after)) } else { output.write("not yet done") }
    }
}
