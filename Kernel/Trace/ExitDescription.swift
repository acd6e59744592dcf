import Memory
import Text
import Virtualization
import X86

/// What an exit was, in words: "OUT 0x3f8, AL = 'H'".
public struct ExitDescription: TextConvertible {
    let exit: Exit
    let registers: GeneralRegisters
    let mode: ProcessorMode

    /// - Parameters:
    ///   - registers: the guest's registers at the exit.
    ///   - mode: the mode that it executed in.
    public init(_ exit: Exit, _ registers: GeneralRegisters, in mode: ProcessorMode) {
        self.exit = exit
        self.mode = mode
        self.registers = registers
    }

    public func write(to output: inout Line) {
        output.write(words)
    }

    private var words: Line {
        switch exit {
        case .exception(let exception): describe(exception)
        case .nonMaskableInterrupt: "NMI"
        case .externalInterrupt(let vector): "host interrupt, vector \(hex: vector ?? 0)"
        case .tripleFault: "triple fault"
        case .initSignal: "INIT signal"
        case .startupIPI(let vector): "start-up IPI, vector \(hex: vector)"
        case .systemManagementInterrupt: "system-management interrupt"
        case .interruptWindow: "interrupt window"
        case .nonMaskableInterruptWindow: "NMI window"
        case .taskSwitch(let task): "task switch to selector \(hex: task.selector)"
        case .cpuid: describeCPUID(low(registers.rax), low(registers.rcx))
        case .halt: "HLT"
        case .hypercall: "VMCALL function \(hex: registers.rax)"
        case .invalidateCaches(let writesBack): writesBack ? "WBINVD" : "INVD"
        case .invalidatePage(let address): "INVLPG \(hex: address.rawValue)"
        case .invalidateByPCID: "INVPCID"
        case .readTimeStamp(let withAuxiliary): withAuxiliary ? "RDTSCP" : "RDTSC"
        case .readPerformanceCounter: "RDPMC, ECX = \(hex: low(registers.rcx))"
        case .readMSR: "RDMSR \(ModelSpecificRegister(low(registers.rcx)))"
        case .writeMSR:
            "WRMSR \(ModelSpecificRegister(low(registers.rcx))), EDX:EAX = \(hex: registers.rdx << 32 | registers.rax & 0xFFFF_FFFF)"
        case .io(let access): describe(access)
        case .controlRegister(let access): describe(access)
        case .debugRegister(let access):
            access.isRead
                ? "MOV \(access.general.name), DR\(access.register)" : "MOV DR\(access.register), \(access.general.name)"
        case .descriptorTable: "an access to a descriptor-table register"
        case .setExtendedControlRegister:
            "XSETBV \(low(registers.rcx)), EDX:EAX = \(hex: registers.rdx << 32 | registers.rax & 0xFFFF_FFFF)"
        case .monitor: "MONITOR"
        case .wait: "MWAIT"
        case .pause: "PAUSE"
        case .monitorTrap: "monitor trap flag"
        case .random(let seed): seed ? "RDSEED" : "RDRAND"
        case .nestedPageFault(let fault): describe(fault)
        case .nestedPageMisconfiguration(let address): "misconfigured nested page-table entry for \(hex: address.rawValue)"
        case .timerExpired: "preemption timer at 0"
        case .virtualizationInstruction: "a VMX instruction"
        case .unofferedInstruction: "an instruction that is not offered"
        case .virtualAPIC: "virtual APIC"
        case .modificationLogFull: "page-modification log full"
        case .failedEntry(let reason), .unexpected(let reason): "reason \(hex: reason)"
        }
    }

    private func low(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value) }

    /// With the subleaf only for leaves that have subleaves.
    private func describeCPUID(_ leaf: UInt32, _ subleaf: UInt32) -> Line {
        var line = Line("CPUID leaf ")
        if leaf < 10 { line.write(decimal: UInt64(leaf)) } else { line.write(hex: UInt64(leaf)) }
        switch leaf {
        case 4, 7, 0xB, 0xD, 0xF, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1D, 0x1F: line.write(Line(".\(subleaf)"))
        default: break
        }
        return line
    }

    private func describe(_ exception: ExceptionExit) -> Line {
        var line: Line = "\(exception.vector)"
        if let code = exception.errorCode { line.write(Line("(\(hex: code))")) }
        if exception.vector == .pageFault { line.write(Line(" at \(hex: exception.qualification)")) }
        return line
    }

    private func describe(_ access: IOAccess) -> Line {
        let name: StaticString = access.size == 1 ? "AL" : access.size == 2 ? "AX" : "EAX"
        let suffix: StaticString = access.size == 1 ? "B" : access.size == 2 ? "W" : "D"
        if access.isString {
            var line = Line(access.isRepeated ? "REP " : "")
            line.write(access.isInput ? "INS" : "OUTS")
            line.write(suffix)
            line.write(Line(" \(hex: access.port)"))
            if access.isRepeated { line.write(count) }
            return line
        }
        if access.isInput { return "IN \(name), \(hex: access.port)" }
        var line: Line = "OUT \(hex: access.port), \(name) = "
        let value = access.size == 4 ? low(registers.rax) : low(registers.rax) & (1 << UInt32(8 * access.size) - 1)
        if access.size == 1, (0x20..<0x7F).contains(value) {
            line.write("'")
            line.write(byte: UInt8(value))
            line.write("'")
        } else {
            line.write(hex: UInt64(value))
        }
        return line
    }

    /// The repetition count, by the name that it has at the mode's address size.
    private var count: Line {
        switch mode.defaultAddressSize {
        case 2: ", CX = \(UInt16(truncatingIfNeeded: registers.rcx))"
        case 4: ", ECX = \(low(registers.rcx))"
        default: ", RCX = \(registers.rcx)"
        }
    }

    private func describe(_ access: ControlRegisterAccess) -> Line {
        switch access {
        case .write(let register, .rsp): "MOV CR\(register), RSP"
        case .write(let register, let source): "MOV CR\(register), \(source.name) = \(hex: registers[source])"
        case .read(let register, let destination): "MOV \(destination.name), CR\(register)"
        case .clearTaskSwitched: "CLTS"
        case .loadMachineStatus(let status): "LMSW \(hex: status)"
        }
    }

    private func describe(_ fault: NestedPageFault) -> Line {
        // A read-modify-write reports both; a write says more.
        let kind: StaticString = fault.isWrite ? "write to" : fault.isFetch ? "fetch from" : "read of"
        let state: StaticString = fault.isMapped ? "not permitted" : "not mapped"
        return "\(kind) \(hex: fault.address.rawValue), \(state)"
    }
}
