import Machine
import Virtualization

/// The last exit that stopped the guest, for `why`: what it was and what was done; the states before and after are kept.
struct StudiedExit {
    let exit: Exit
    /// Nil if a breakpoint stopped the guest before anything was done.
    let outcome: Outcome?
}

/// The states of the guest that the monitor keeps, by their places.
public enum KeptState: Int, Sendable {
    case now
    /// At the stop before this one.
    case lastStop
    /// At the last exit that stopped the guest, and when it had been handled.
    case before, after

    public static var count: Int { 4 }
}

extension MonitorHost {
    func view(_ state: KeptState) -> StateView { StateView(states + state.rawValue) }
}
