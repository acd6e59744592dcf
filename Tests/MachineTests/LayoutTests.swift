import Foundation
import Support
import Testing
import Trace
import Virtualization
import X86

@testable import Machine
@testable import VMX

/// What assembly takes for granted of Swift's layouts. (The kernel compares the same at its start.)
@Suite struct LayoutTests {
    typealias CPU = VirtualCPU<VMXProcessor<SimulatedVMCS>, SimulatedHost>

    private static func source(_ name: String) throws -> [[Substring]] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Boot")
        return try String(contentsOf: folder.appending(path: name), encoding: .utf8).split(separator: "\n").map {
            $0.prefix { $0 != ";" }.split { $0 == " " || $0 == "\t" }
        }
    }

    private static func constants(_ name: String) throws -> [String: Int] {
        var constants: [String: Int] = [:]
        for words in try source(name) where words.count == 3 && words[1] == "equ" { constants[String(words[0])] = Int(words[2]) }
        return constants
    }

    @Test func `the world switch knows where a virtual CPU has what it saves`() throws {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<CPU>.size, alignment: 64)
        defer { memory.deallocate() }
        let layout = CPU.switchedLayout(in: memory)
        let constants = try Self.constants("world_switch.asm")
        #expect(layout.registers == 0)
        #expect(layout.runLoopStackPointer == constants["RUN_LOOP_STACK"])
        #expect(layout.nextRecord == constants["RECORD_SLOT"])
        #expect(layout.recordEnd == constants["RECORD_END"])
        #expect(MemoryLayout<ExitRecord>.stride == (try Self.constants("records.inc"))["RECORD_SIZE"])
    }

    @Test func `registers are pushed and popped in the order of the block`() throws {
        var pushed: [Substring] = []
        var popped: [Substring] = []
        for words in try Self.source("registers.inc") where words.count == 2 {
            if words[0] == "push" { pushed.insert(words[1], at: 0) }
            if words[0] == "pop" { popped.append(words[1]) }
        }
        #expect(pushed == popped)
        let names = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"] + (8...15).map { "r\($0)" }
        #expect(popped.count * 8 == MemoryLayout<GeneralRegisters>.size)
        #expect(try Self.constants("registers.inc")["REGISTER_BLOCK"] == MemoryLayout<GeneralRegisters>.size)
        for (place, name) in popped.enumerated() {
            var registers = GeneralRegisters()
            registers.set(RegisterNumber(UInt8(names.firstIndex(of: String(name))!)), to: .max)
            let word = withUnsafeBytes(of: registers) { $0.load(fromByteOffset: 8 * place, as: UInt64.self) }
            #expect(word == .max, "\(name)")
        }
    }

    @Test func `a virtual CPU fits into its area, and its parts behind it do`() {
        #expect(MemoryLayout<CPU>.size <= 8192)
        #expect(CPUIDAnswers.entryCount * MemoryLayout<CPUIDAnswers.Entry>.stride <= 7 * 1024)
        #expect(MemoryLayout<VMXConstants>.size <= 1024)
    }
}
