import Foundation

/// A child process; it never outlives the launcher.
final class ChildProcess {
    let identifier: pid_t
    /// Its exit status, as in a shell; nil while it runs.
    private(set) var status: Int32?

    /// A child's three standard files.
    struct Streams {
        var input: Int32 = STDIN_FILENO
        var output: Int32 = STDOUT_FILENO
        var errors: Int32 = STDERR_FILENO
    }

    /// The signal it gets if the launcher itself is killed, where the system supports that.
    enum Tether: String {
        case kill = "KILL"
        case terminate = "TERM"
    }

    /// - Parameters:
    ///   - command: the program, found as a shell does, and its arguments.
    ///   - environment: changes to the environment; nil removes a variable.
    ///   - isAside: the terminal's keys send it no signals.
    /// - Throws: that it cannot be started.
    init(
        _ command: [String], environment: [String: String?] = [:], folder: String? = nil, streams: Streams = Streams(),
        tether: Tether? = .kill, isAside: Bool = false
    ) throws(Failure) {
        var command = command
        if let folder { command = ["sh", "-c", "cd \"$0\" && exec \"$@\"", folder] + command }
        if let tether, ChildProcess.canTether { command = ["setpriv", "--pdeathsig", tether.rawValue] + command }
        var actions = ChildProcess.noActions
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Without this, a file that keeps its number would be closed if it was opened with O_CLOEXEC.
        for (file, place) in [(streams.input, STDIN_FILENO), (streams.output, STDOUT_FILENO), (streams.errors, STDERR_FILENO)] {
            posix_spawn_file_actions_adddup2(&actions, file, place)
        }
        var attributes = ChildProcess.noAttributes
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The child does not inherit the signals that the launcher handles or ignores.
        var all = sigset_t()
        sigemptyset(&all)
        for number in SignalWatch.numbers + [SIGPIPE, SIGCHLD, SIGTTOU] { sigaddset(&all, number) }
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF) | (isAside ? ChildProcess.newSession : 0))
        var variables = ProcessInfo.processInfo.environment
        for (name, value) in environment { variables[name] = value }
        let words = command.map { strdup($0) } + [nil]
        let settings = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { (words + settings).forEach { free($0) } }
        var identifier: pid_t = 0
        let error = posix_spawnp(&identifier, command[0], &actions, &attributes, words, settings)
        guard error == 0 else {
            throw .noMachine("\(command[0]) cannot be started: \(String(cString: strerror(error)))")
        }
        self.identifier = identifier
    }

    private static let canTether = isInPath("setpriv")

    #if canImport(Glibc)
    private static let newSession: Int16 = 0x80
    private static var noActions: posix_spawn_file_actions_t { posix_spawn_file_actions_t() }
    private static var noAttributes: posix_spawnattr_t { posix_spawnattr_t() }
    #else
    private static let newSession = Int16(POSIX_SPAWN_SETSID)
    private static var noActions: posix_spawn_file_actions_t? { nil }
    private static var noAttributes: posix_spawnattr_t? { nil }
    #endif

    /// Checks whether it has ended.
    var hasEnded: Bool {
        guard status == nil else { return true }
        var word: Int32 = 0
        let found = waitpid(identifier, &word, WNOHANG)
        // Something else has collected its status.
        if found < 0, errno == ECHILD { status = -1 }
        guard found == identifier else { return status != nil }
        let signal = word & 0x7F
        status = signal == 0 ? word >> 8 & 0xFF : 128 + signal
        return true
    }

    /// Asks it to end, then kills it: Bochs ignores the request.
    func end() {
        var tries = 0
        while !hasEnded {
            kill(identifier, tries < 5 ? SIGTERM : SIGKILL)
            usleep(tries == 0 ? 10_000 : 100_000)
            tries += 1
        }
    }
}
