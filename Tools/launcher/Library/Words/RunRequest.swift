import Foundation

/// What a run is asked for: the words, checked against each other and against the files that they name.
struct RunRequest {
    let words: GivenWords
    let machine: MachineKind
    let monitor: Monitor?
    let memory: Size
    /// For the shadow page tables; nil if there are none.
    let shadow: Size?
    /// In seconds.
    let timeout: Double?
    let script: String?
    let symbols: String?
    /// Where the exit records go.
    let traceFile: String?
    let kernel: String
    /// The kernel's words that are not made of others; the machines add theirs.
    var extra: [String]
    /// A flat binary, whatever it looks like: "on", "off", or nothing.
    var flat: String

    /// The guest is one of those in the kernel.
    var isTour: Bool { words[.guest] == "tour" }
    /// Exits are not printed, and neither is what the kernel says.
    var isQuiet: Bool { words[.trace] == "off" }

    /// - Parameter kernel: the image where none is given.
    init(_ words: GivenWords, kernel: String) throws(Failure) {
        self.words = words
        machine = MachineKind(rawValue: words[.machine]) ?? .auto
        memory = Size(words[.memory])!  // each word is checked by itself already
        timeout = Double(words[.timeout].first == "." ? "0" + words[.timeout] : words[.timeout])
        monitor =
            switch words[.monitor] {
            case "study": .study
            case "gdb": .debugger
            default: nil
            }
        self.kernel = words.given(.kernel) ?? kernel
        extra = words.given(.extra).map { [$0] } ?? []
        flat = words[.flat]
        traceFile = try words.given(.traceFile).map(RunRequest.writable)
        if words.given(.port) != nil, monitor != .debugger { throw .badUsage("\(words.said(.port)) needs MONITOR=gdb") }
        if words.given(.script) != nil, monitor != .study { throw .badUsage("\(words.said(.script)) needs MONITOR=study") }
        script = try RunRequest.readable(words, .script)
        if words.given(.symbols) != nil, monitor == nil {
            throw .badUsage("\(words.said(.symbols)) needs MONITOR=study or MONITOR=gdb")
        }
        symbols = try RunRequest.readable(words, .symbols)
        if traceFile != nil, monitor != nil {
            throw .badUsage("TRACE_FILE and MONITOR are for different runs: the monitor stops the guest")
        }
        if words[.mmu] == "shadow" {
            shadow = Size(words.given(.shadow) ?? Word.of(.shadow).example)
        } else {
            guard words.given(.shadow) == nil else { throw .badUsage("\(words.said(.shadow)) needs MMU=shadow") }
            shadow = nil
        }
        if words[.mmu] == "direct", monitor != nil {
            throw .badUsage("MMU=direct and MONITOR are for different runs: the monitor does not know direct paging")
        }
        if words[.boot] != "multiboot", [.kvm, .tcg, .nested].contains(machine) {
            throw .badUsage("\(words.said(.boot)) needs GRUB, which only MACHINE=bochs starts from")
        }
    }

    private static func readable(_ words: GivenWords, _ key: WordKey) throws(Failure) -> String? {
        guard let path = words.given(key) else { return nil }
        guard access(path, R_OK) == 0 else { throw .badUsage("\(words.said(key)): there is no such file to read") }
        return absolute(path)
    }

    private static func writable(_ path: String) throws(Failure) -> String {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw .badUsage("TRACE_FILE=\(path): that file cannot be written") }
        close(file)
        return absolute(path)
    }
}

/// The path of a file from anywhere; its folder is there.
func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
}

/// What is behind the last slash of a path.
func baseName(_ path: String) -> String { String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]) }
