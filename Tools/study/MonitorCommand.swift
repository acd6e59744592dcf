import Foundation

/// `martlet study LINE` and `martlet gdb LINE`: the monitor, or GDB's server, at a machine's second serial port.
public enum MonitorCommand {
    static func usage(servesDebugger: Bool) -> String {
        (servesDebugger
            ? """
            martlet gdb [KEY=value]...        run a guest on a machine made for it, and serve GDB (martlet help)
            martlet gdb [OPTION]... LINE      serve GDB for the guest of a Martlet whose agent is at the other end of a line

              --port N          the server's port, or the next free one

            """
            : """
            martlet study [KEY=value]...      run a guest on a machine made for it, stopped, with a prompt (martlet help)
            martlet study [OPTION]... LINE    study the guest of a Martlet whose agent is at the other end of a line

              --script FILE     take commands from this file
              --console FILE    show this file's contents as the guest's output

            """)
                + """
                  LINE              a serial port (/dev/ttyS0: 115200 8n1), HOST:PORT, or the path of a socket
                  --listen FILE     instead of a line: wait for the machine on a free port of this host, and write its number to FILE
                  --symbols FILE    names of addresses: an ELF file, or Linux's System.map

                status: 0 the machine has ended; 2 bad usage; 18 the line cannot be opened; 22 a command in the script
                failed; 130 ended from the keyboard
                """
    }

    private struct Options {
        var line: String?
        var listen: String?
        var debugger: UInt16?
        var script: String?
        var symbols: String?
        var console: String?
    }

    /// - Parameters:
    ///   - arguments: without the program's name and the command's.
    ///   - servesDebugger: GDB instead of a person.
    /// - Returns: the exit status.
    public static func main(_ arguments: [String], servesDebugger: Bool) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        let name = servesDebugger ? "martlet gdb" : "martlet study"
        do throws(Complaint) {
            guard let options = try options(arguments, servesDebugger: servesDebugger, name) else {
                print(usage(servesDebugger: servesDebugger))
                return 0
            }
            return try run(options)
        } catch {
            FileHandle.standardError.write(Data("\(name): \(error.words)\n".utf8))
            return 2
        }
    }

    private static func options(
        _ arguments: [String], servesDebugger: Bool, _ name: String
    ) throws(Complaint) -> Options? {
        var options = Options()
        options.debugger = servesDebugger ? 0 : nil
        var rest = arguments[...]
        func value(_ option: String) throws(Complaint) -> String {
            guard let value = rest.popFirst() else { throw Complaint("\(option) needs a value: \"\(name) --help\"") }
            return value
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h", "help": return nil
            case "--listen": options.listen = try value(argument)
            case "--symbols": options.symbols = try value(argument)
            case "--script" where !servesDebugger: options.script = try value(argument)
            case "--console" where !servesDebugger: options.console = try value(argument)
            case "--port" where servesDebugger:
                let number = try value(argument)
                guard let port = UInt16(number) else { throw Complaint("\(number) is not a TCP port") }
                options.debugger = port
            default:
                guard !argument.hasPrefix("-"), options.line == nil else {
                    throw Complaint("\"\(argument)\" is not understood: \"\(name) --help\"")
                }
                options.line = argument
            }
        }
        guard options.line != nil || options.listen != nil else {
            throw Complaint("a line to the machine is missing: \"\(name) --help\"")
        }
        return options
    }

    private static func run(_ options: Options) throws(Complaint) -> Int32 {
        let poller = Poller()
        let screen = Screen()
        var symbols = Symbols()
        if let file = options.symbols {
            do throws(Complaint) { symbols = try Symbols(file: URL(fileURLWithPath: file)) } catch {
                screen.say("martlet: \(error.words)")
            }
        }
        var debuggers: Int32?
        if let wanted = options.debugger { debuggers = try listen(for: wanted, isNested: options.listen == nil) }
        // Once the port is announced, the guest's output must have a reader.
        var console: Int32?
        if let file = options.console {
            console = Foundation.open(file, O_RDONLY | O_NONBLOCK)
            guard console != -1 else { throw Complaint("\(file): \(String(cString: strerror(errno)))") }
        }
        let open = try opener(options, poller)
        let machine = MachineLink(poller, screen, console: console, isOwn: options.listen != nil, open: open)
        if let debuggers { return DebugSession(machine, poller, listener: debuggers, symbols).run() }
        return StudySession(machine, screen, poller, try commands(options, poller, screen), symbols).run()
    }

    private static func commands(_ options: Options, _ poller: Poller, _ screen: Screen) throws(Complaint) -> any CommandSource {
        if let script = options.script {
            let file = Foundation.open(script, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw Complaint("\(script): \(String(cString: strerror(errno)))") }
            return ScriptCommands(file, poller, screen)
        }
        if screen.isTerminal, let keyboard = Keyboard(STDIN_FILENO) {
            return TypedCommands(STDIN_FILENO, keyboard, poller, screen, History(file: History.usual))
        }
        return ScriptCommands(STDIN_FILENO, poller, screen)
    }

    /// How the line is opened: at once, or when the machine comes.
    private static func opener(_ options: Options, _ poller: Poller) throws(Complaint) -> () throws(Complaint) -> Int32? {
        guard let name = options.listen else {
            let file = try connect(options.line ?? "")
            return { () throws(Complaint) -> Int32? in file }
        }
        guard let (listener, port) = Port.listen(on: 0) else { throw Complaint("no port of this host is free") }
        // Whoever waits for the file finds the number in it.
        let file = URL(fileURLWithPath: name)
        do { try Data("\(port)\n".utf8).write(to: file, options: .atomic) } catch { throw Complaint("\(name) cannot be written") }
        var arrived: Int32?
        poller.add(listener) {
            guard let file = Port.accept(listener) else { return }
            arrived = file
            poller.remove(listener)
            close(listener)
        }
        return { () throws(Complaint) -> Int32? in arrived }
    }

    private static func connect(_ line: String) throws(Complaint) -> Int32 {
        var status = stat()
        if stat(line, &status) == 0 {
            return status.st_mode & S_IFMT == S_IFSOCK ? try Port.connect(path: line) : try Port.open(device: line)
        }
        if let colon = line.lastIndex(of: ":") {
            return try Port.connect(host: String(line[..<colon]), port: String(line[line.index(after: colon)...]))
        }
        throw Complaint("\(line): there is no such line: use a device, a socket or HOST:PORT")
    }

    /// Listens for debuggers. A port that is taken is said to be, and the next that is free serves.
    private static func listen(for wanted: UInt16, isNested: Bool) throws(Complaint) -> Int32 {
        var port = wanted
        while true {
            if let (file, found) = Port.listen(on: port) {
                let taken = wanted != 0 && found != wanted ? "port \(wanted) is taken; " : ""
                FileHandle.standardError.write(
                    Data("martlet: \(taken)the guest waits for a debugger: gdb -ex 'target remote :\(found)'\n".utf8))
                return file
            }
            guard port != 0, port < .max else { throw Complaint("no port from \(wanted) on is free") }
            port += 1
        }
    }
}
