/// A machine that is ready to be started in the run's folder.
struct PreparedMachine {
    /// The program and its arguments.
    var command: [String]
    /// Changes to the environment; nil removes a variable.
    var environment: [String: String?] = [:]
    /// Where it is started, within the run's folder.
    var folder = ""
    /// Whether its standard input is the guest's COM1; otherwise it has no input there.
    var readsInput = false
    /// Removes the part of its output that is not the console's.
    var filter = ConsoleFilter.none
    /// A named pipe for the console's output, if that is not its standard output.
    var console: String?
    /// How exit records leave it.
    var records = RecordWay.report
    /// How many seconds it may take to end cleanly.
    var patience = 10.0
    /// What takes a while before anything appears on the console; nil if nothing does.
    var beginning: String?
    /// Whether to print that even where lines cannot be rewritten: it takes seconds on any host.
    var saysBeginning = false
    /// Why it ended without a verdict, in its own words; empty if it was switched off.
    var lastWords: (_ folder: String) -> String
}

/// How exit records leave a machine.
enum RecordWay: String {
    /// As lines of the report, if there is no better way.
    case report
    /// Bochs's parallel port, whose output is a file.
    case parallel
    /// A port of QEMU's debug console.
    case port
}
