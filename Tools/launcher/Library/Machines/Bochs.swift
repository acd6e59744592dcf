import Foundation

/// One version of Bochs as a machine.
struct Bochs {
    /// In MiB; it does not start with more.
    static let mostMebibytes = 2048
    static let usualProcessor = "corei7_skylake_x"

    enum Version: String {
        case usual = "3.0"
        case older = "2.7"
    }

    /// What a serial port of Bochs is connected to.
    enum SerialPort {
        /// A file that takes the output; there is no input.
        case file(String)
        /// A named pipe that provides the input.
        case pipe(String)
        /// A TCP port of this host where something is listening.
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

    /// - Throws: that it is not installed.
    init(_ version: Version, _ checkout: Checkout, _ processes: Processes) throws(Failure) {
        self.version = version
        program = checkout.bochs
        guard try processes.output([program, version.rawValue, "--find"]).succeeded else {
            let how = version == .usual ? "make setup" : "Tools/setup test"
            throw .noMachine("Bochs \(version.rawValue) is not set up: run \"\(how)\"")
        }
    }

    /// The requested model, or the default.
    func processor(_ part: String?, _ processes: Processes) throws(Failure) -> String {
        guard let part else { return Bochs.usualProcessor }
        let lines = try processes.output([program, version.rawValue, "--help", "cpu"], hasErrors: true).text.split(
            separator: "\n")
        let models = lines.drop { !$0.hasPrefix("Supported CPU models") }.map(String.init).filter { line in
            !line.isEmpty && line.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_" }
        }
        return try processorModel(part, of: models)
    }

    /// - Parameter ports: the serial ports by number.
    func configuration(processor: String, mebibytes: Int, image: String, speed: String, ports: [Int: SerialPort]) -> [String] {
        // These models stop the emulator over CET, and when a guest with LA57 exits to a host without it, and mishandle
        // protection keys; 2.7 cannot exclude any of these.
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
        // Otherwise it dies while setting up sound.
        if version == .older { lines.append("sound: driver=dummy") }
        return lines + ports.sorted { $0.key < $1.key }.map { $1.line($0) }
    }

    /// Bochs with a configuration, to be started in the run's folder.
    func machine(_ folder: String, _ configuration: [String]) throws(Failure) -> PreparedMachine {
        try write(configuration.joined(separator: "\n") + "\n", to: folder + "/bochsrc")
        var command = [program, version.rawValue, "-q", "-f", "bochsrc"]
        if version == .older {
            // Its debugger is built in, and it starts at the debugger's prompt.
            try write("c\n", to: folder + "/debugger.rc")
            command += ["-rc", "debugger.rc"]
        }
        // Without a terminal on its input, "term" neither draws nor asks; but its library would go by COLUMNS and LINES.
        return PreparedMachine(
            command: command, environment: ["TERM": "dumb", "COLUMNS": nil, "LINES": nil],
            filter: version == .older ? .bochsWithDebugger : .bochs, lastWords: Bochs.lastWords)
    }

    /// Why it ended; empty if it was switched off.
    static func lastWords(_ folder: String) -> String {
        let logs = ["bochs.log", "machine.err"].map { contents(folder + "/" + $0) }.joined(separator: "\n")
        let marks = logs.split(whereSeparator: \.isNewline).filter { !$0.contains("Shutdown port") }
            .compactMap { line in line.range(of: ">>PANIC<< ", options: .backwards).map { line[$0.upperBound...] } }
        guard let last = marks.last else { return "" }
        let isTripleFault = last.contains("3rd") && last.contains("exception with no resolution")
        return "Bochs: \(last)" + (isTripleFault ? " (a triple fault)" : "")
    }
}
