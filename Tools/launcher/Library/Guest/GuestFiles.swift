import Foundation

/// The files that a machine starts with: the kernel, the guest and its modules. They are linked into the run's folder, so that
/// every machine can refer to them by base name and every guest sees the same module strings.
struct GuestFiles {
    /// A module: its name in the folder, and the words that follow it in the module string.
    struct Module: Equatable {
        let name: String
        let words: String

        var string: String { words.isEmpty ? name : "\(name) \(words)" }
    }

    let folder: String
    let kernel: String
    private(set) var modules: [Module] = []

    /// - Parameters:
    ///   - folder: created if it does not exist.
    ///   - kernel: the path of the image.
    init(folder: String, kernel: String) throws(Failure) {
        self.folder = folder
        self.kernel = baseName(kernel)
        guard isFile(kernel) else { throw .badUsage("there is no kernel \(kernel): run \"make build\"") }
        guard mkdir(folder, 0o777) == 0 || errno == EEXIST else { throw cannotBeMade(folder) }
        try link(absolute(kernel), self.kernel)
    }

    func path(_ module: Module) -> String { folder + "/" + module.name }

    private func link(_ target: String, _ name: String) throws(Failure) {
        let path = folder + "/" + name
        unlink(path)
        guard symlink(target, path) == 0 else { throw cannotBeMade(path) }
    }

    mutating func add(_ path: String, _ words: String) throws(Failure) {
        guard access(path, R_OK) == 0 else { throw .badUsage("MODULES: there is no file \"\(path)\"") }
        // A module string is a name, a blank and the rest.
        let name = baseName(path).replacing(" ", with: "_")
        let link = folder + "/" + name
        var (mine, other) = (stat(), stat())
        if stat(link, &other) == 0 {
            guard stat(path, &mine) == 0, mine.st_dev == other.st_dev, mine.st_ino == other.st_ino else {
                throw .badUsage("two modules are named \(name): rename one")
            }
        }
        try self.link(absolute(path), name)
        modules.append(Module(name: name, words: words))
    }

    /// Adds the modules of a list, "FILE WORDS;FILE WORDS".
    mutating func addList(_ list: String) throws(Failure) {
        var rest = list[...]
        while true {
            rest = rest.drop { $0 == " " || $0 == ";" }
            guard !rest.isEmpty else { return }
            let path = try GuestFiles.firstFile(rest)
            rest = rest.dropFirst(path.count)
            let words = rest.prefix { $0 != ";" }
            rest = rest.dropFirst(words.count)
            try add(path, String(words.first == " " ? words.dropFirst() : words))
        }
    }

    /// The file that a text begins with, up to a blank or ";", which its path may also contain.
    static func firstFile(_ text: Substring) throws(Failure) -> String {
        var end = text.startIndex
        while true {
            end = text[end...].firstIndex { $0 == " " || $0 == ";" } ?? text.endIndex
            let path = String(text[..<end])
            if isFile(path) { return path }
            guard end < text.endIndex else { break }
            end = text.index(after: end)
        }
        throw .badUsage("MODULES: there is no file \"\(text.prefix { $0 != " " && $0 != ";" })\"")
    }

    /// The memory that the modules from `first` on take, in MiB, rounded up; each begins at a page.
    func mebibytes(from first: Int = 0) -> Int {
        let pages = modules.dropFirst(first).map { (size(path($0)) + 4095) / 4096 }.reduce(0, +)
        return (pages + 255) / 256
    }

    /// Bytes of the guest's image at an offset; empty if it is too short, or there is none.
    func guestBytes(at offset: Int, count: Int) -> [UInt8] {
        guard let first = modules.first else { return [] }
        let file = open(path(first), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: count)
        return pread(file, &bytes, count, off_t(offset)) == count ? bytes : []
    }

    var guestIsELF: Bool { guestBytes(at: 0, count: 4) == [0x7F] + Array("ELF".utf8) }
    /// Whether it has the header of "The Linux/x86 Boot Protocol".
    var guestIsLinux: Bool { guestBytes(at: 514, count: 4) == Array("HdrS".utf8) }
}

/// The size of a file in bytes; 0 if there is none.
func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
}

/// Whether this is a regular file.
func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}

/// The failure to create something in the run's folder.
func cannotBeMade(_ path: String) -> Failure {
    .noMachine("\(path) cannot be created (\(String(cString: strerror(errno)))): nothing was run")
}
