import Foundation
import StudyTools

/// The monitor of a run, or the GDB server: another instance of this program, connected to the machine's second serial port. It
/// waits for the machine on a port of this host.
struct MonitorProcess {
    let child: ChildProcess
    let port: Int
    /// The file from which it reads the guest's output; nil if it does not read it.
    let console: String?

    init(_ request: RunRequest, _ files: GuestFiles, folder: String, program: String, _ signals: SignalWatch) throws(Failure) {
        var arguments: [String]
        if request.monitor == .study {
            arguments = ["study", "--listen", "port", "--console", "console.guest"]
            if let script = request.script { arguments += ["--script", script] }
            try makePipe(folder + "/console.guest")
            console = folder + "/console.guest"
        } else {
            arguments = ["gdb"] + (request.words.given(.port).map { ["--port", $0] } ?? []) + ["--listen", "port"]
            console = nil
        }
        if let symbols = request.symbols ?? (files.guestIsELF ? files.path(files.modules[0]) : nil) {
            arguments += ["--symbols", symbols]
        }
        child = try ChildProcess([program] + arguments, folder: folder, tether: .terminate)
        let path = folder + "/port"
        while true {
            if let port = Int(contents(path).filter { $0 != "\n" }) {
                self.port = port
                return
            }
            guard !child.hasEnded else { throw .noMachine("the monitor ended before the machine started") }
            if let number = signals.take().first {
                child.end()
                throw Failure(signal: number)
            }
            usleep(10_000)
        }
    }
}
