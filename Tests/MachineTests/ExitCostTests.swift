import Foundation
import Testing

@testable import Machine

/// How often each exit reads and writes the VMCS, against the counts in Tests/Bench/recorded: a rise fails.
@Suite struct ExitCostTests {
    struct Count: Equatable { var reads, writes: Int }

    /// The last two columns of the rows that have them.
    static let recorded: [String: Count] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Bench/recorded")
        var rows: [String: Count] = [:]
        for line in try! String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let columns = line.split(separator: " ")
            if let reads = Int(columns[4]), let writes = Int(columns[5]) {
                rows[String(columns[0])] = Count(reads: reads, writes: writes)
            }
        }
        return rows
    }()

    static let names = [
        "cpuid-1", "cpuid-7", "vmcall-signature", "vmcall-timer", "rdmsr-apic-base", "wrmsr-misc-enable", "out-80", "in-3fd",
        "mmio-read", "mmio-write", "mmio-page-start", "hlt-timer-due", "preemption-timer",
    ]

    @Test func `every row with counts is measured`() {
        #expect(Set(Self.recorded.keys) == Set(Self.names))
    }

    @Test(arguments: names) func `VMREADs and VMWRITEs are those recorded`(name: String) {
        let machine = TestMachine()
        prepare(name, machine)
        machine.vmcs.resetCounts()
        #expect(machine.handleExit())
        let seen = Count(reads: machine.vmcs.readCount, writes: machine.vmcs.writeCount)
        #expect(seen == Self.recorded[name], "\(name): \(seen.reads) VMREADs, \(seen.writes) VMWRITEs")
    }

    private func prepare(_ name: String, _ machine: TestMachine) {
        switch name {
        case "cpuid-1", "cpuid-7":
            machine.cpu.registers.rax = name == "cpuid-1" ? 1 : 7
            machine.setExit(.cpuid, length: 2)
        case "vmcall-signature":
            machine.cpu.registers.rax = 0
            machine.setExit(.vmcall, length: 3)
        case "vmcall-timer":
            machine.cpu.registers.rax = 1
            machine.cpu.registers.rbx = 0x40
            machine.cpu.registers.rcx = 1 << 40
            machine.setExit(.vmcall, length: 3)
        case "rdmsr-apic-base":
            machine.cpu.registers.rcx = 0x1B
            machine.setExit(.rdmsr, length: 2)
        case "wrmsr-misc-enable":
            machine.cpu.registers.rcx = 0x1A0
            machine.cpu.registers.rax = 1
            machine.setExit(.wrmsr, length: 2)
        case "out-80": machine.setExit(.ioInstruction, qualification: 0x80 << 16, length: 2)
        case "in-3fd":
            machine.exit(.ioInstruction, qualification: 0x3FD << 16 | 8, length: 1)  // the first one lets input in
            machine.setExit(.ioInstruction, qualification: 0x3FD << 16 | 8, length: 1)
        case "mmio-read": access(machine, [0x8B, 0x03], at: 0xB100_0080, qualification: 0x181)
        case "mmio-write": access(machine, [0x89, 0x03], at: 0xB100_0080, qualification: 0x182)
        case "mmio-page-start": access(machine, [0x8B, 0x03], at: 0xB100_0000, qualification: 0x181)
        case "hlt-timer-due":
            machine.cpu.registers.rax = 1
            machine.cpu.registers.rbx = 0x40
            machine.exit(.vmcall, length: 3)
            machine.rflags |= 1 << 9
            machine.setExit(.hlt, length: 1)
        default: machine.setExit(.preemptionTimerExpired)
        }
    }

    /// MOV between EAX and the absent memory that RBX points to.
    private func access(_ machine: TestMachine, _ instruction: [UInt8], at address: UInt64, qualification: UInt64) {
        machine.cpu.registers.rbx = address
        machine.ram.put(instruction, at: TestMachine.code)
        machine.setExit(.eptViolation, qualification: qualification, physical: address, linear: address)
    }
}
