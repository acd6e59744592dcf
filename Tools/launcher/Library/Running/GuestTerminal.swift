import Foundation

/// The terminal while every key goes to the guest.
final class GuestTerminal {
    private var settings = termios()

    /// Whether standard input is a terminal and we are in its foreground: a background process that touches it is stopped.
    static var isOurs: Bool { isatty(STDIN_FILENO) != 0 && tcgetpgrp(STDIN_FILENO) == getpgrp() }

    /// - Parameter keepsSignals: Ctrl-C ends the run instead of going to the guest.
    init(keepsSignals: Bool) {
        tcgetattr(STDIN_FILENO, &settings)
        var raw = settings
        cfmakeraw(&raw)
        // Martlet's own lines still begin on the left.
        raw.c_oflag |= tcflag_t(OPOST | ONLCR)
        if keepsSignals {
            raw.c_lflag |= tcflag_t(ISIG)
            let none = UInt8(truncatingIfNeeded: fpathconf(STDIN_FILENO, Int32(_PC_VDISABLE)))
            withUnsafeMutableBytes(of: &raw.c_cc) { keys in
                keys[Int(VQUIT)] = none
                keys[Int(VSUSP)] = none
            }
        }
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
    }

    func giveBack() { tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) }

    /// The rows of the output terminal, if a text screen can be drawn there.
    static var rowsForScreen: Int? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) != 0, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 80, size.ws_row >= 2
        else { return nil }
        return Int(size.ws_row)
    }
}
