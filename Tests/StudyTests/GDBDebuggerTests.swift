import Foundation
import Memory
import Study
import Testing
import X86

/// A socket on this machine that one debugger connects to.
struct SocketChannel: DebugChannel {
    let descriptor: Int32

    mutating func read() -> UInt8? {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) == 1 ? byte : nil
    }

    mutating func write(_ byte: UInt8) {
        var byte = byte
        _ = send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL))
    }
}

@Suite("GDB itself", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/gdb")))
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
            ["-nx", "-q", "-batch", "-ex", "set remotetimeout 20", "-ex", "target remote 127.0.0.1:\(address.sin_port.bigEndian)"]
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
        var channel = SocketChannel(descriptor: line)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 8)
        defer { memory.deallocate() }
        var server = GDBServer(memory: memory)
        var target = target
        let resumption = target.run(&server, over: &channel)
        shutdown(line, Int32(SHUT_RDWR))
        gdb.waitUntilExit()
        let text = try String(contentsOf: output, encoding: .utf8)
        return (text, target, resumption)
    }

    /// 64-bit code at 0x1000: four NOPs, STOSB to 0x2000, a NOP, and back.
    static func long() -> GDBGuest {
        var target = GDBGuest.withRAM()
        target.load([0x90, 0x90, 0x90, 0x90, 0xAA, 0x90, 0xEB, 0xF8], at: 0x1000)
        target.registers = [.rip: 0x1000, .rdi: 0x2000, .rax: 0x41, .rsp: 0x2800, .r15: 0xFEDC_BA98_7654_3210, .cr0: 0x8000_0011]
        return target
    }

    @Test func trial() throws {
        let (text, target, resumption) = try Self.debug(
            Self.long(), "info registers", "info threads", "x/3i $pc", "break *0x1002", "continue", "x/8xb 0x1000", "stepi", "delete",
            "watch *(char*)0x2000", "continue", "hbreak *0x1005", "set $rip = 0x1000", "continue", "set var *(short*)0x2100 = 0x1234",
            "x/hx 0x2100", "monitor hello there", "x/x 0x9000000", "p $cr0", "p $r15", "p $k_gs_base", "maint print remote-registers", "detach")
        print(text, target.ram[0x1002] as Any, resumption)
    }
    @Test func trial16() throws {
        var target = GDBGuest.withRAM()
        target.load([0x90, 0x90, 0x90, 0x90, 0xAA, 0x90, 0xEB, 0xF8, 0xb8, 1, 2, 0x90], at: 0x1100)
        target.modes = [.real]
        target.registers = [.rip: 0x100, .csBase: 0x1000, .rdi: 0x2000, .rax: 0x41, .rsp: 0x2800, .cs: 0x100]
        let (text, target2, resumption) = try Self.debug(
            target, "show architecture", "info registers", "x/9i $pc", "break *0x1102", "continue", "x/8xb 0x1100", "stepi", "p/x $cs", "p $eip", "p $eip-$cs_base", "set $eip=0x1100", "info registers eip", "set architecture i386:x86-64", "info registers rip", "set architecture auto", "unset tdesc filename", "info registers eip", "kill")
        print(text, target2.ram[0x1102] as Any, resumption)
    }
}
