#if os(Linux)
import Foundation
import StudyTools
import Testing
import X86

/// A socket on this machine that one debugger connects to.
final class SocketChannel: DebugChannel {
    private let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    func read() -> UInt8? {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) == 1 ? byte : nil
    }

    func write(_ bytes: [UInt8]) { _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
}

/// GDB itself.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/gdb")))
struct GDBDebuggerTests {
    /// Lets the real debugger do commands at a guest.
    /// - Returns: what it said, how the guest was left, and how the debugger let go of it.
    static func debug(_ target: GDBGuest, _ commands: String...) throws -> (text: String, target: GDBGuest, Resumption) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                _ = getsockname(listener, $0, &length)
            }
        }
        listen(listener, 1)
        let gdb = Process()
        gdb.executableURL = URL(fileURLWithPath: "/usr/bin/gdb")
        gdb.arguments =
            [
                "-nx", "-q", "-batch", "-ex", "set remotetimeout 20", "-ex",
                "target remote 127.0.0.1:\(address.sin_port.bigEndian)",
            ]
            + commands.flatMap { ["-ex", $0] }
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("gdb-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: output.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: output) }
        let handle = try FileHandle(forWritingTo: output)
        gdb.standardOutput = handle
        gdb.standardError = handle
        gdb.standardInput = FileHandle.nullDevice
        try gdb.run()
        var wait = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, 60_000) == 1 else {
            gdb.terminate()
            return ("the debugger did not come", target, .kill)
        }
        let line = accept(listener, nil, nil)
        defer { close(line) }
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let resumption = target.run(GDBServer(of: target, over: SocketChannel(descriptor: line)))
        shutdown(line, Int32(SHUT_RDWR))
        gdb.waitUntilExit()
        let text = try String(contentsOf: output, encoding: .utf8)
        return (text, target, resumption)
    }

    /// 64-bit code at 0x1000: four NOPs, STOSB to 0x2000, a NOP, and back.
    static func longGuest() -> GDBGuest {
        let target = GDBGuest.withRAM()
        target.load([0x90, 0x90, 0x90, 0x90, 0xAA, 0x90, 0xEB, 0xF8], at: 0x1000)
        target.registers = [.rip: 0x1000, .rdi: 0x2000, .rax: 0x41, .rsp: 0x2800, .r15: 0xFEDC_BA98_7654_3210, .cr0: 0x8000_0011]
        return target
    }

    /// Whether the text has all these in this order.
    static func has(_ text: String, _ parts: String...) -> Bool {
        var rest = text[...]
        for part in parts {
            guard let found = rest.range(of: part, options: .regularExpression) else {
                Issue.record("missing: \(part) in\n\(text)")
                return false
            }
            rest = rest[found.upperBound...]
        }
        return true
    }

    @Test func `64-bit code: registers, breakpoints, steps, a watchpoint, memory, a monitor command, and detached`() throws {
        let (text, target, resumption) = try Self.debug(
            Self.longGuest(), "info registers", "info threads", "x/3i $pc", "break *0x1002", "continue", "x/8xb 0x1000", "stepi",
            "delete", "watch *(char*)0x2000", "continue", "hbreak *0x1003", "continue", "set var *(short*)0x2100 = 0x1234",
            "x/hx 0x2100", "set $rax = 0x42", "p $eax", "monitor hello there", "x/x 0x9000000", "p $cr0", "detach")
        #expect(
            Self.has(
                text, "r15 +0xfedcba9876543210", "rip +0x1000", "cr8 +<unavailable>", #"Thread 1 \(virtual CPU 0\)"#,
                "=> 0x1000:\tnop", "Breakpoint 1, 0x0000000000001002", "0x90\t0x90\t0x90\t0x90\t0xaa", "0x0000000000001003 in",
                "Hardware watchpoint 2", "Old value = 0", "New value = 65 'A'", "Breakpoint 3, 0x0000000000001003",
                "0x2100:\t0x1234", "= 66", "you said hello there", "Cannot access memory", #"\[ PE ET PG \]"#, "detached"))
        #expect(!text.contains("warning: A handler for the OS ABI"))
        #expect(resumption == .detach && target.ram[0x2100] == 0x34 && target.ram[0x2101] == 0x12)
        #expect(target.registers[.rax] == 0x42 && target.watches.isEmpty)
    }

    @Test func `real mode: 16-bit disassembly, and the program counter with the base of CS in it`() throws {
        let target = GDBGuest.withRAM()
        target.load([0x90, 0x90, 0xAA, 0xEB, 0xFB, 0xB8, 0x01, 0x02], at: 0x1100)
        target.modes = [.real]
        target.registers = [.rip: 0x100, .cs: 0x100, .csBase: 0x1000, .rdi: 0x2000]
        let (text, end, resumption) = try Self.debug(
            target, "show architecture", "x/6i $pc", "break *0x1102", "continue", "stepi", "p/x $eip - $cs_base",
            "set $eip = 0x1101",
            "kill")
        #expect(
            Self.has(
                text, "i8086", "=> 0x1100:\tnop", "stos +%al,%es:\\(%di\\)", "mov +\\$0x201,%ax", "Breakpoint 1, 0x00001102",
                "0x00001103 in", "= 0x103"))
        #expect(resumption == .kill && end.registers[.rip] == 0x101 && end.ram[0x1102] == 0xAA)
    }

    @Test func `a guest that goes to 64-bit mode: it is reported, and "unset tdesc filename" follows it`() throws {
        let target = GDBGuest.withRAM()
        target.load([0x90, 0x06, 0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8], at: 0x1000)
        target.modes = [.protected32]
        target.registers = [.rip: 0x1000, .r8: 0x1234_5678_9ABC_DEF0]
        let (text, _, resumption) = try Self.debug(
            target, "stepi", "stepi", "show architecture", "unset tdesc filename", "show architecture", "p/x $r8", "p $rip",
            "x/i $pc", "detach")
        #expect(
            Self.has(
                text, "0x00001001 in", "The guest executes 64-bit code now", "0x00001002 in", "\"i386\"", "\"i386:x86-64\"",
                "= 0x123456789abcdef0", "0x1002", "movabs \\$0x807060504030201,%rax"))
        #expect(resumption == .detach)
    }
}
#endif
