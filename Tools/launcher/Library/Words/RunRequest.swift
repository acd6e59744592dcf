import Foundation

/// What a run is to do: its words, checked against each other and against the files that they name.
struct RunRequest {
    let words: GivenWords
    let machine: MachineKind
    let monitor: Monitor?
    let memory: Size
    /// The memory for shadow page tables; nil if there are none.
    let shadow: Size?
    /// In seconds.
    let timeout: Double?
    let script: String?
    let symbols: String?
    /// Where the exit records go.
    let traceFile: String?
    let kernel: String
    /// The kernel's words that are not derived from others; the machines add theirs.
    var extra: [String]
    /// Whether the guest is a flat binary, whatever it looks like: "on", "off", or empty.
    var flat: String

    /// The guests are those built into the kernel.
    var isTour: Bool { words[.guest] == "tour" }
    /// Neither exits nor the kernel's messages are printed.
    var isQuiet: Bool { words[.trace] == "off" }

    /// - Parameter kernel: the image to use if none is given.
    init(_ words: GivenWords, kernel: String) throws(Failure) {
        self.words = words
        machine = MachineKind(rawValue: words[.machine]) ?? .auto
        memory = Size(words[.memory])!  // each word has been checked by itself
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
            throw .badUsage("TRACE_FILE and MONITOR cannot be combined: the monitor stops the guest")
        }
        if words[.mmu] == "shadow" {
            shadow = Size(words.given(.shadow) ?? Word.of(.shadow).example)
        } else {
            guard words.given(.shadow) == nil else { throw .badUsage("\(words.said(.shadow)) needs MMU=shadow") }
            shadow = nil
        }
        if words[.mmu] == "direct", monitor != nil {
            throw .badUsage("MMU=direct and MONITOR cannot be combined: the monitor does not know direct paging")
        }
        if words[.boot] != "multiboot", [.kvm, .tcg, .nested].contains(machine) {
            throw .badUsage("\(words.said(.boot)) needs GRUB, which only MACHINE=bochs boots")
        }
    }

    private static func readable(_ words: GivenWords, _ key: WordKey) throws(Failure) -> String? {
        guard let path = words.given(key) else { return nil }
        guard access(path, R_OK) == 0 else { throw .badUsage("\(words.said(key)): this file cannot be read") }
        return absolute(path)
    }

    private static func writable(_ path: String) throws(Failure) -> String {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw .badUsage("TRACE_FILE=\(path): this file cannot be written") }
        close(file)
        return absolute(path)
    }
}

/// The absolute path of a file; its folder exists.
func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
}

/// The part of a path after the last slash.
func baseName(_ path: String) -> String { String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]) }
