/// A machine that is ready to be started in the run's folder.
struct PreparedMachine {
    /// The program and its arguments.
    var command: [String]
    /// What its environment has besides this one's; nil takes a variable away.
    var environment: [String: String?] = [:]
    /// Where it is started, within the run's folder.
    var folder = ""
    /// Whether its standard input is the guest's COM1; otherwise nothing comes in there.
    var readsInput = false
    /// What of its output is not the console's.
    var filter = ConsoleFilter.none
    /// A named pipe for the console's output, if that is not its standard output.
    var console: String?
    /// How exit records leave it.
    var records = RecordWay.report
    /// How many seconds it may take to end in order.
    var patience = 10.0
    /// What takes a while before the console says anything; nil if nothing does.
    var beginning: String?
    /// Whether that is said where no line can rewrite itself, too: it takes seconds anywhere.
    var saysBeginning = false
    /// Why it ended without a verdict, in its own words; nothing when it was switched off.
    var lastWords: (_ folder: String) -> String
}

/// How exit records leave a machine.
enum RecordWay: String {
    /// As lines of the report, for want of a better way.
    case report
    /// Bochs's parallel port, whose output is a file.
    case parallel
    /// A port of QEMU's debug console.
    case port
}
