import Machine
import Virtualization

/// The last exit, for `why`: what it was, what was done, and the guest before and after that.
struct StudiedExit {
    let exit: Exit
    let outcome: Outcome
    let before: StateSnapshot
    let after: StateSnapshot
}
