import Debug
import Machine
import Text

extension StopReport {
    /// Why and where the guest is stopped.
    public var words: String {
        switch cause {
        case .start: "stopped before the first VM entry, at \(place)"
        case .stop(let number): "stopped by breakpoint \(number), at \(place)"
        case .exits: "stopped by step, at \(place)"
        case .instructions: "stopped by next, at \(place)"
        case .reason: "stopped by until, at \(place)"
        case .request: "stopped by a key, at \(place)"
        case .trap: "stopped by a software breakpoint, at \(place)"
        case .displaced(let number):
            "stopped by the guest's own use of the debug registers: breakpoints on addresses from \(number) on are deleted, at \(place)"
        case .end: "stopped by the guest's end, at \(place)"
        }
    }
}

extension EndReport {
    /// How the guest ended, and what can be done then.
    public var words: String {
        let how = ending.map { "\($0)" } ?? "it could not be entered"
        return
            "the guest has ended: \(how). \"reset\" restarts it, \"continue\" goes on to what comes next, \"quit\" ends the machine"
    }
}
