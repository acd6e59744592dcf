import Foundation
import X86

/// Disassembles with the toolchain's disassembler, LLVM's llvm-objdump, which comes with every Swift compiler.
public struct Disassembler: Sendable {
    /// An instruction as that tool writes it.
    public struct Instruction: Equatable, Sendable {
        public let address: UInt64
        public let bytes: [UInt8]
        /// In Intel's syntax.
        public let text: String
    }

    private let tool: String?

    /// Looks for the tool next to the compiler and on the path.
    public init() { tool = Tool.find("llvm-objdump") }

    /// One that has no tool, or this one.
    public init(tool: String?) { self.tool = tool }

    /// What there is to say where there is no tool.
    static var complaint: Complaint {
        Complaint(
            "disassembling needs llvm-objdump, which is neither on the path nor next to swiftc: install the Swift toolchain or LLVM"
        )
    }

    /// The instructions that bytes are, as far as they are whole.
    /// - Parameter address: of the first byte, a linear address.
    public func instructions(_ bytes: [UInt8], at address: UInt64, in mode: ProcessorMode) throws(Complaint) -> [Instruction] {
        guard let tool, let output = Tool.run(tool, arguments(mode), input: Self.object(bytes, at: address)) else {
            throw Self.complaint
        }
        return output.split(separator: "\n").compactMap { Self.instruction($0) }
    }

    private func arguments(_ mode: ProcessorMode) -> [String] {
        let triple =
            switch mode.defaultAddressSize {
            case 8: "x86_64"
            case 4: "i386"
            default: "i386-unknown-unknown-code16"
            }
        return ["--disassemble", "--disassemble-zeroes", "--disassembler-options=intel", "--triple=\(triple)", "-"]
    }

    /// "ffffffff81000000: 0f a2       \tcpuid"
    private static func instruction(_ line: Substring) -> Instruction? {
        guard let colon = line.firstIndex(of: ":"), let address = UInt64(line[..<colon].drop { $0 == " " }, radix: 16) else {
            return nil
        }
        let parts = line[line.index(after: colon)...].split(separator: "\t")
        let bytes = (parts.first ?? "").split(separator: " ").compactMap { UInt8($0, radix: 16) }
        guard !bytes.isEmpty else { return nil }
        var text = parts.dropFirst().joined(separator: " ")
        // Its names are those of the section that the bytes were put in.
        while let start = text.range(of: " <.text"), let end = text[start.upperBound...].firstIndex(of: ">") {
            text.removeSubrange(start.lowerBound...end)
        }
        while text.last == " " { text.removeLast() }
        return Instruction(address: address, bytes: bytes, text: text)
    }

    /// An object file in ELF format with the bytes as its one section of code.
    private static func object(_ bytes: [UInt8], at address: UInt64) -> [UInt8] {
        func number(_ value: UInt64, _ size: Int) -> [UInt8] {
            (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
        }
        func section(name: UInt64, type: UInt64, flags: UInt64, address: UInt64, offset: Int, size: Int) -> [UInt8] {
            number(name, 4) + number(type, 4) + number(flags, 8) + number(address, 8) + number(UInt64(offset), 8)
                + number(UInt64(size), 8) + number(0, 8) + number(1, 8) + number(0, 8)
        }
        let names = Array("\0.text\0.shstrtab\0".utf8)
        let headers = 64 + bytes.count + names.count
        var file: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
        file += number(1, 2) + number(62, 2) + number(1, 4) + number(0, 8) + number(0, 8) + number(UInt64(headers), 8)
        file += number(0, 4) + number(64, 2) + number(0, 2) + number(0, 2) + number(64, 2) + number(3, 2) + number(2, 2)
        file += bytes + names
        file += [UInt8](repeating: 0, count: 64)
        file += section(name: 1, type: 1, flags: 6, address: address, offset: 64, size: bytes.count)
        file += section(name: 7, type: 3, flags: 0, address: 0, offset: 64 + bytes.count, size: names.count)
        return file
    }
}

/// A program of the host's that does a piece of work.
enum Tool {
    /// The path of an LLVM tool: on the path, or next to the Swift compiler.
    static func find(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        func executable(_ path: String) -> String? { FileManager.default.isExecutableFile(atPath: path) ? path : nil }
        for folder in folders {
            guard let compiler = executable("\(folder)/swiftc") else { continue }
            let place = URL(fileURLWithPath: compiler).resolvingSymlinksInPath().deletingLastPathComponent()
            if let tool = executable(place.appendingPathComponent(name).path) { return tool }
        }
        for folder in folders { if let tool = executable("\(folder)/\(name)") { return tool } }
        return nil
    }

    /// Runs it.
    /// - Returns: what it writes; nil if it does not run.
    static func run(_ path: String, _ arguments: [String], input: [UInt8]) -> String? {
        let process = Process()
        let (source, sink) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = source
        process.standardOutput = sink
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return nil }
        // A pipe holds more than any input here.
        source.fileHandleForWriting.write(Data(input))
        try? source.fileHandleForWriting.close()
        let output = sink.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}
