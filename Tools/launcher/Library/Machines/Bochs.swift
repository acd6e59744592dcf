import Foundation

/// Bochs as a machine, of one version.
struct Bochs {
    /// MiB; with more it does not start.
    static let mostMebibytes = 2048
    static let usualProcessor = "corei7_skylake_x"

    enum Version: String {
        case usual = "3.0"
        case older = "2.7"
    }

    /// A serial port of its: what is behind it.
    enum SerialPort {
        /// What is written goes to a file, and nothing comes in.
        case file(String)
        /// A named pipe where bytes come from.
        case pipe(String)
        /// A TCP port of this host where somebody waits.
        case connection(Int)

        fileprivate func line(_ number: Int) -> String {
            switch self {
            case .file(let name): "com\(number): enabled=1, mode=file, dev=\(name)"
            case .pipe(let name): "com\(number): enabled=1, mode=term, dev=\(name)"
            case .connection(let port): "com\(number): enabled=1, mode=socket-client, dev=127.0.0.1:\(port)"
            }
        }
    }

    let version: Version
    private let program: String

    /// - Throws: that it is not there.
    init(_ version: Version, _ checkout: Checkout, _ processes: Processes) throws(Failure) {
        self.version = version
        program = checkout.bochs
        guard try processes.output([program, version.rawValue, "--help"]).succeeded else {
            let how = version == .usual ? "make setup" : "Tools/setup test"
            throw .noMachine("Bochs \(version.rawValue) is not set up: type \"\(how)\"")
        }
    }

    /// The model that is asked for, or the usual one.
    func processor(_ part: String?, _ processes: Processes) throws(Failure) -> String {
        guard let part else { return Bochs.usualProcessor }
        let lines = try processes.output([program, version.rawValue, "--help", "cpu"], hasErrors: true).text.split(
            separator: "\n")
        let models = lines.drop { !$0.hasPrefix("Supported CPU models") }.map(String.init).filter { line in
            !line.isEmpty && line.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_" }
        }
        return try processorModel(part, of: models)
    }

    /// - Parameter ports: the serial ports by their numbers.
    func configuration(processor: String, mebibytes: Int, image: String, speed: String, ports: [Int: SerialPort]) -> [String] {
        // These stop the emulator over CET, and at VM exits of a guest with LA57 to a host without, and mishandle protection
        // keys; 2.7 cannot exclude any.
        let isTooNew =
            ["tigerlake", "sapphire_rapids", "arrow_lake"].contains(processor) || processor.contains("icelake")
        let excluded = version == .usual && isTooNew ? ", exclude_features=\"cet la57 pku pks\"" : ""
        var lines = [
            "romimage: file=$BXSHARE/BIOS-bochs-latest",
            "vgaromimage: file=$BXSHARE/VGABIOS-lgpl-latest",
            "megs: \(mebibytes)",
            "cpu: model=\(processor), count=1, ips=\(speed), reset_on_triple_fault=0\(excluded)",
            "clock: sync=none",
            "ata0-master: type=cdrom, path=\(image), status=inserted",
            "ata1: enabled=0",
            "boot: cdrom",
            "display_library: term",
            "port_e9_hack: enabled=1",
            "log: bochs.log",
            "panic: action=fatal",
        ]
        // It dies in its sound set-up otherwise.
        if version == .older { lines.append("sound: driver=dummy") }
        return lines + ports.sorted { $0.key < $1.key }.map { $1.line($0) }
    }

    /// Bochs on a configuration, to be started in the run's folder.
    func machine(_ folder: String, _ configuration: [String]) throws(Failure) -> PreparedMachine {
        try write(configuration.joined(separator: "\n") + "\n", to: folder + "/bochsrc")
        var command = [program, version.rawValue, "-q", "-f", "bochsrc"]
        if version == .older {
            // Its debugger is built in, and it starts at the debugger's prompt.
            try write("c\n", to: folder + "/debugger.rc")
            command += ["-rc", "debugger.rc"]
        }
        // Without a terminal on its input, "term" neither draws nor asks; but its library would believe COLUMNS and LINES.
        return PreparedMachine(
            command: command, environment: ["TERM": "dumb", "COLUMNS": nil, "LINES": nil],
            filter: version == .older ? .bochsWithDebugger : .bochs, lastWords: Bochs.lastWords)
    }

    /// Why it ended; nothing when it was switched off.
    static func lastWords(_ folder: String) -> String {
        let logs = ["bochs.log", "machine.err"].map { contents(folder + "/" + $0) }.joined(separator: "\n")
        let marks = logs.split(whereSeparator: \.isNewline).filter { !$0.contains("Shutdown port") }
            .compactMap { line in line.range(of: ">>PANIC<< ", options: .backwards).map { line[$0.upperBound...] } }
        guard let last = marks.last else { return "" }
        let isTripleFault = last.contains("3rd") && last.contains("exception with no resolution")
        return "Bochs: \(last)" + (isTripleFault ? " (a triple fault)" : "")
    }
}
