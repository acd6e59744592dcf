import Memory
import Testing
import Text
import Virtualization
import X86

@testable import SVM

/// Exit codes, and the intercepts that ask for them, against APM volume 2, appendix C, written down here a second time.
@Suite struct ExitCodeTests {
    /// The names from code 60H to A6H, those of the CR write traps left out.
    static let names = """
        INTR NMI SMI INIT VINTR CR0_SEL_WRITE IDTR_READ GDTR_READ LDTR_READ TR_READ IDTR_WRITE GDTR_WRITE LDTR_WRITE TR_WRITE
        RDTSC RDPMC PUSHF POPF CPUID RSM IRET SWINT INVD PAUSE HLT INVLPG INVLPGA IOIO MSR TASK_SWITCH FERR_FREEZE SHUTDOWN
        VMRUN VMMCALL VMLOAD VMSAVE STGI CLGI SKINIT RDTSCP ICEBP WBINVD MONITOR MWAIT MWAIT_CONDITIONAL XSETBV RDPRU
        EFER_WRITE_TRAP * INVLPGB INVLPGB_ILLEGAL INVPCID MCOMMIT TLBSYNC BUSLOCK IDLE_HLT
        """.split(whereSeparator: \.isWhitespace).map(String.init)

    static let expected: [UInt64: String] = {
        var result: [UInt64: String] = [:]
        for index in UInt64(0)..<16 {
            result[index] = "CR\(index)_READ"
            result[0x10 + index] = "CR\(index)_WRITE"
            result[0x20 + index] = "DR\(index)_READ"
            result[0x30 + index] = "DR\(index)_WRITE"
            result[0x90 + index] = "CR\(index)_WRITE_TRAP"
        }
        for index in UInt64(0)..<32 { result[0x40 + index] = "EXCP\(index)" }
        var code: UInt64 = 0x60
        for name in names {
            if name != "*" { result[code] = name }
            code += name == "*" ? 16 : 1
        }
        result[0x400] = "NPF"
        result[0x401] = "AVIC_INCOMPLETE_IPI"
        result[0x402] = "AVIC_NOACCEL"
        result[0x403] = "VMGEXIT"
        result[0xF000_0000] = "unused, reserved for host"
        for (index, name) in ["INVALID", "BUSY", "IDLE_REQUIRED", "INVALID_PMC"].enumerated() {
            result[UInt64.max - UInt64(index)] = name
        }
        return result
    }()

    static let all = (0..<UInt8(SVMExitCode.count)).map { SVMExitCode(rawValue: $0)! }

    @Test func `every code of the manual has its number and its name, and there is no other`() {
        #expect(Self.expected.count == SVMExitCode.count)
        for (number, name) in Self.expected {
            let code = SVMExitCode(number)
            #expect(code?.number == number && code.map { "\($0.name)" } == name, "\(number)")
        }
        for number in [0xA7, 0x100, 0x3FF, 0x404, 0xEFFF_FFFF, 1 << 32, UInt64.max - 4] { #expect(SVMExitCode(number) == nil) }
        #expect(SVMExitCode.cpuid.number == 0x72 && SVMExitCode.exceptionPF.number == 0x4E)
    }

    @Test func `a code up to A6H is the number of its intercept bit`() {
        for code in Self.all {
            let bit = code.interceptBit
            #expect(bit == (code.number <= 0xA6 ? Int(code.number) : nil))
            if let bit { #expect(SVMExitCode(interceptBit: bit) == code) }
        }
        #expect(SVMExitCode(interceptBit: 0xA7) == nil && SVMExitCode(interceptBit: -1) == nil)
        let test = TestVMCB()
        test.vmcb.setIntercept(.vmrun, to: true)
        test.vmcb.setIntercept(.exceptionPF, to: true)
        test.vmcb.setIntercept(.cr3Write, to: true)
        test.vmcb.setIntercept(.idleHLT, to: true)
        #expect(test.word(at: 0x10) == 0x40_0000_0001 && test.word(at: 0x8) == 0x4000 && test.word(at: 0) == 0x8_0000)
        #expect(test.vmcb.isIntercepted(.vmrun) && !test.vmcb.isIntercepted(.vmmcall) && !test.vmcb.isIntercepted(.invalid))
        test.vmcb.setIntercept(.vmrun, to: false)
        #expect(!test.vmcb.isIntercepted(.vmrun) && test.vmcb.isIntercepted(.idleHLT))
    }

    @Test func `a vector names its bits, the reserved ones by their number`() {
        #expect(words(InterceptVector<0>(rawValue: 0x8000_0001)) == "CR0_READ, CR15_WRITE")
        #expect(words(InterceptVector<2>(rawValue: 0x4002)) == "EXCP1, EXCP14")
        #expect(words(InterceptVector<3>(rawValue: 0x0904_0001)) == "INTR, CPUID, HLT, IOIO")
        #expect(words(InterceptVector<4>(rawValue: 0x1_0003)) == "VMRUN, VMMCALL, CR0_WRITE_TRAP")
        #expect(words(InterceptVector<5>(rawValue: 0xC4)) == "INVPCID, IDLE_HLT, bit 7")
    }

    @Test func `an exception's code tells its vector`() {
        #expect(SVMExitCode.exceptionDE.exceptionVector == 0 && SVMExitCode.exceptionPF.exceptionVector == 14)
        #expect(SVMExitCode.exception31.exceptionVector == 31)
        #expect(SVMExitCode.dr15Write.exceptionVector == nil && SVMExitCode.interrupt.exceptionVector == nil)
    }

    @Test func `each code says what EXITINFO1 and EXITINFO2 hold`() {
        var counts: [ExitInformationLayout: Int] = [:]
        for code in Self.all { counts[code.informationLayout, default: 0] += 1 }
        #expect(counts[.controlRegister] == 32 && counts[.debugRegister] == 32 && counts[.writtenValue] == 17)
        #expect(counts[.errorCode] == 6)
        for layout: ExitInformationLayout in [
            .pageFault, .systemManagementInterrupt, .softwareInterrupt, .linearAddress, .io, .msr, .taskSwitch, .invpcid,
            .nestedPageFault, .avicIncompleteIPI, .avicAccess,
        ] { #expect(counts[layout] == 1) }
        #expect(SVMExitCode.cr8Write.informationLayout == .controlRegister && SVMExitCode.cpuid.informationLayout == .none)
        #expect(SVMExitCode.cr0SelectiveWrite.informationLayout == .none && SVMExitCode.invalid.informationLayout == .none)
    }

    @Test func `a port instruction is told by EXITINFO1`() {
        let io = IOIOInformation(rawValue: 0x03F8_0000 | 1 << 10 | 1 << 9 | 1 << 4 | 1 << 3 | 1 << 2 | 1)
        #expect(io.port == 0x3F8 && io.isInput && io.isString && io.isRepeated && io.size == 1 && io.addressWidth == 64)
        #expect(io.segment == .cs)
        let other = IOIOInformation(rawValue: 0xFFFF_0000 | 1 << 7 | 1 << 6 | 3 << 10)
        #expect(other.port == 0xFFFF && !other.isInput && !other.isString && other.size == 4 && other.addressWidth == 16)
        #expect(other.segment == .ds)
        let smi = SMIInformation(rawValue: 0x00B2_0000_0000_0000 | 1 << 40 | 1 << 37 | 1 << 34 | 1 << 33 | 1 << 32 | 4 << 10 | 1)
        #expect(smi.isExternal && !smi.isMachineCheck && smi.isDuringIO)
        #expect(smi.io.port == 0xB2 && smi.io.isInput && smi.io.isString && !smi.io.isRepeated && smi.io.size == 2)
        #expect(smi.io.addressWidth == 32 && smi.io.segment == .fs)
    }

    @Test func `control registers, tasks, nested page faults and the APIC are told`() {
        let move = ControlRegisterInformation(rawValue: 1 << 63 | 9)
        #expect(move.isMove && move.general == RegisterNumber(9))
        #expect(!ControlRegisterInformation(rawValue: 9).isMove)
        let task = SVMTaskSwitchInformation(0x28, 0x1234 | 1 << 36 | 1 << 44 | 1 << 48)
        #expect(task.selector.rawValue == 0x28 && task.isByIRET && !task.isByJump && task.errorCode == 0x1234 && task.resumeFlag)
        let jump = SVMTaskSwitchInformation(0x28, 0x1234 | 1 << 38)
        #expect(!jump.isByIRET && jump.isByJump && jump.errorCode == nil && !jump.resumeFlag)
        let fault = NestedPageFaultInformation(rawValue: 0x2_0000_0007)
        #expect(fault.errorCode.isProtectionViolation && fault.errorCode.isWrite && fault.errorCode.isUser)
        #expect(fault.isDuringWalk && !fault.isFinalTranslation && !fault.isShadowStack && !fault.isShadowStackPage)
        let stack = NestedPageFaultInformation(rawValue: 1 << 37 | 1 << 32 | 1 << 6 | 0x14)
        #expect(stack.errorCode.isFetch && stack.isFinalTranslation && stack.isShadowStack && stack.isShadowStackPage)
        let message = AVICIncompleteIPIInformation(0x0100_0000_0000_40FD, 2 << 32 | 0x123)
        #expect(message.command == 0x0100_0000_0000_40FD && message.cause == 2 && message.index == 0x123)
        let access = AVICAccessInformation(1 << 32 | 0x0B0, 0x31)
        #expect(access.isWrite && access.offset == 0xB0 && access.vector == 0x31)
    }
}
