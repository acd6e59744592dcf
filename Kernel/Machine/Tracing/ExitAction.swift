import Memory
import Devices
import Text
import Virtualization
import X86

/// What Martlet did about an exit, in words.
public struct ExitAction: TextConvertible {
    let exit: Exit
    let outcome: Outcome
    /// The guest's registers after the exit was handled.
    let registers: GeneralRegisters

    public init(_ exit: Exit, _ outcome: Outcome, _ registers: GeneralRegisters) {
        self.exit = exit
        self.outcome = outcome
        self.registers = registers
    }

    public func write(to output: inout Line) { output.write(words) }

    private var words: Line {
        switch outcome {
        case .inject(let event), .wake(let event): "injected \(event)"
        case .wait: "waits for its timer"
        case .end(let ending): "ended: \(ending)"
        case .resume, .iterate: resumed
        case .execute: "executed on a stand-in page"
        case .step, .stepLength: emulated
        }
    }

    private var resumed: Line {
        switch exit {
        case .timerExpired: "nothing due, went on"
        case .taskSwitch: "switched"
        case .io, .nestedPageFault: "did part of it, the instruction goes on"
        default: "went on"
        }
    }

    private var emulated: Line {
        switch exit {
        case .cpuid where low(registers.rax | registers.rbx | registers.rcx | registers.rdx) == 0: "all zero"
        case .cpuid:
            "EAX \(hex: low(registers.rax)), EBX \(hex: low(registers.rbx)), ECX \(hex: low(registers.rcx)), EDX \(hex: low(registers.rdx))"
        case .hypercall: "RAX = \(hex: registers.rax)"
        case .readMSR: "EDX:EAX = \(hex: registers.rdx << 32 | registers.rax & 0xFFFF_FFFF)"
        case .writeMSR, .controlRegister, .setExtendedControlRegister, .debugRegister: "done"
        case .io(let access): describe(access)
        case .nestedPageFault(let fault) where isDevice(fault.address.rawValue): "done by the device"
        case .nestedPageFault(let fault): fault.isWrite ? "swallowed" : "read ones"
        case .invalidateCaches: "nothing to do, caches are coherent"
        case .halt: "went on"
        default: "emulated"
        }
    }

    /// Where the board's own devices are, and the local APIC unless the guest moved it.
    private func isDevice(_ address: UInt64) -> Bool {
        Board.isPresent(memory: address) || address & ~0xFFF == APICBase.usualAddress
    }

    private func low(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value) }

    private func describe(_ access: IOAccess) -> Line {
        guard Board.isPresent(access.port) else { return access.isInput ? "no device, read ones" : "no device, swallowed" }
        if access.isString { return "done" }
        if access.isInput {
            let mask: UInt64 = access.size == 4 ? 0xFFFF_FFFF : 1 << UInt64(8 * access.size) - 1
            return "= \(hex: registers.rax & mask)"
        }
        return access.port == SerialPort.firstPort ? "sent by COM1" : "stored"
    }
}

extension Ending: TextConvertible {
    public func write(to output: inout Line) { output.write(words) }

    private var words: Line {
        switch self {
        case .debugExit(let value): "wrote \(hex: value) to the debug-exit port"
        case .halted(let interruptsEnabled):
            interruptsEnabled ? "halted, and nothing can wake it" : "halted with interrupts off"
        case .powerOff: "switched the machine off"
        case .reset: "reset the machine"
        case .overdue: "left no note within its limit"
        case .dismissed: "ended from the monitor"
        case .stopped: "stopped from outside"
        case .tripleFault: "triple fault"
        case .unsupported(let reason): Line("\(reason)")
        case .entryFailure(let reason): "VM-entry failure, exit reason \(hex: reason)"
        }
    }
}

extension Unsupported: TextConvertible {
    public func write(to output: inout Line) { output.write(words) }

    private var words: Line {
        switch self {
        case .initSignal: "an INIT signal reached the processor"
        case .startupIPI: "a start-up IPI reached the processor"
        case .systemManagementInterrupt: "a system-management interrupt exited, though no SMM monitor is set up"
        case .controlNotSet: "an exit came although its control is off"
        case .unknownReason(let reason): "an exit with the unknown reason \(hex: reason)"
        case .instruction: "an instruction on a device or absent memory that is not emulated"
        case .fetchFromAbsentMemory: "the guest executes in memory that is not there"
        case .tableInAbsentMemory:
            "the processor needs a table or stack of the guest's (page tables, descriptors, interrupt stack) in memory that is not there"
        case .machineCheck: "a machine check: the machine's hardware reported an error"
        case .nestedPageMisconfiguration: "a misconfigured EPT entry: this is a bug in Martlet"
        case .directPaging(let obstacle): "MMU=direct is not for this guest (see Docs/Memory.md, or use MMU=nested): \(obstacle)"
        }
    }
}

extension DirectObstacle: TextConvertible {
    public func write(to output: inout Line) { output.write(words) }

    private var words: StaticString {
        switch self {
        case .foreign: "its page tables lead out of its RAM, whose machine addresses they have to hold"
        case .wrongTable: "it uses a page as page tables of two levels"
        case .reservedBits: "an entry of its page tables has a reserved bit set, or is neither present nor 0"
        case .writableTable: "its page tables let it write to one of them"
        case .inUse: "a page table of its own is in use"
        case .tooMany: "its page tables map one page too often"
        case .otherMode: "it turned paging on other than with four levels in long mode"
        case .noWriteProtection: "it turned paging on without CR0.WP, or CR0.WP off"
        case .pagingOff: "it turned paging off"
        case .segments: "it turned paging on before it loaded segments in protected mode"
        }
    }
}
