import Memory
import Support
import Testing
import Virtualization
import X86

@testable import SVM

/// Every exit code in neutral words, with and without what newer processors tell.
@Suite struct ExitDecodingTests {
    static let general: [UInt8] = Array(0..<16)

    /// The codes that mean the same whatever goes with them, and the instructions that raise them.
    static let plain: [(SVMExitCode, Exit, [UInt8])] = [
        (.cpuid, .cpuid, [0x0F, 0xA2]), (.vmmcall, .hypercall, [0x0F, 0x01, 0xD9]), (.hlt, .halt, [0xF4]),
        (.idleHLT, .halt, [0xF4]), (.invd, .invalidateCaches(writesBack: false), [0x0F, 0x08]),
        (.wbinvd, .invalidateCaches(writesBack: true), [0x0F, 0x09]),
        (.wbinvd, .invalidateCaches(writesBack: true), [0xF3, 0x0F, 0x09]),
        (.rdtsc, .readTimeStamp(withAuxiliary: false), [0x0F, 0x31]),
        (.rdtscp, .readTimeStamp(withAuxiliary: true), [0x0F, 0x01, 0xF9]), (.rdpmc, .readPerformanceCounter, [0x0F, 0x33]),
        (.pause, .pause, [0xF3, 0x90]), (.monitor, .monitor, [0x0F, 0x01, 0xC8]), (.monitor, .monitor, [0x0F, 0x01, 0xFA]),
        (.mwait, .wait, [0x0F, 0x01, 0xC9]), (.mwaitConditional, .wait, [0x0F, 0x01, 0xFB]),
        (.xsetbv, .setExtendedControlRegister, [0x0F, 0x01, 0xD1]),
        (.vmrun, .virtualizationInstruction, [0x0F, 0x01, 0xD8]), (.vmload, .virtualizationInstruction, [0x0F, 0x01, 0xDA]),
        (.vmsave, .virtualizationInstruction, [0x0F, 0x01, 0xDB]), (.stgi, .virtualizationInstruction, [0x0F, 0x01, 0xDC]),
        (.clgi, .virtualizationInstruction, [0x0F, 0x01, 0xDD]), (.skinit, .virtualizationInstruction, [0x0F, 0x01, 0xDE]),
        (.invlpga, .virtualizationInstruction, [0x0F, 0x01, 0xDF]), (.rsm, .unofferedInstruction, [0x0F, 0xAA]),
        (.rdpru, .unofferedInstruction, [0x0F, 0x01, 0xFD]), (.invlpgb, .unofferedInstruction, [0x0F, 0x01, 0xFE]),
        (.invlpgbIllegal, .unofferedInstruction, [0x0F, 0x01, 0xFE]), (.tlbsync, .unofferedInstruction, [0x0F, 0x01, 0xFF]),
        (.mcommit, .unofferedInstruction, [0xF3, 0x0F, 0x01, 0xFA]),
        (.invpcid, .invalidateByPCID, [0x66, 0x0F, 0x38, 0x82, 0x01]),
        (.idtrRead, .descriptorTable, [0x0F, 0x01, 0x08]), (.gdtrRead, .descriptorTable, [0x0F, 0x01, 0x44, 0x8B, 0x10]),
        (.ldtrRead, .descriptorTable, [0x0F, 0x00, 0xC0]), (.trRead, .descriptorTable, [0x0F, 0x00, 0x08]),
        (.idtrWrite, .descriptorTable, [0x0F, 0x01, 0x1C, 0x25, 0, 0, 1, 0]),
        (.gdtrWrite, .descriptorTable, [0x0F, 0x01, 0x15, 0, 0, 1, 0]), (.ldtrWrite, .descriptorTable, [0x0F, 0x00, 0xD1]),
        (.trWrite, .descriptorTable, [0x0F, 0x00, 0xD9]), (.iret, .nonMaskableInterruptWindow, [0xCF]),
        (.icebp, .exception(.init(vector: .debug, errorCode: nil, qualification: 0, kind: .privilegedSoftwareException)), [0xF1]),
    ]

    @Test func `an instruction's exit says which it was, and its length comes from nRIP or from its bytes`() {
        for (code, exit, bytes) in Self.plain {
            for features in [TestProcessor.rich, TestProcessor.plain] {
                for prefixes in [[], [0x2E], [0x65, 0x3E, 0x26], [0x48]] as [[UInt8]] {
                    // REX is the last prefix; it means something to none of these.
                    if prefixes == [0x48], bytes.first == 0x66 || bytes.first == 0xF3 { continue }
                    let test = TestProcessor(features)
                    test.put(prefixes + bytes)
                    let next = TestProcessor.code + UInt64(prefixes.count + bytes.count)
                    test.exit(code, next: features == TestProcessor.rich ? next : nil)
                    #expect(test.processor.decodeExit() == exit, "\(code)")
                    #expect(UInt64(test.processor.instructionLength) == next - TestProcessor.code, "\(code)")
                    #expect(test.processor.stepPastInstruction() && test.processor.instructionPointer == next, "\(code)")
                }
            }
        }
    }

    @Test func `the rest is events, and what was not asked for`() {
        let others: [SVMExitCode: Exit] = [
            .interrupt: .externalInterrupt(vector: nil), .nonMaskableInterrupt: .nonMaskableInterrupt,
            .systemManagementInterrupt: .systemManagementInterrupt, .initSignal: .initSignal, .shutdown: .tripleFault,
            .virtualInterrupt: .interruptWindow,
        ]
        let known = Set(Self.plain.map(\.0) + Array(others.keys))
        let test = TestProcessor()
        for (code, exit) in others {
            test.exit(code)
            #expect(test.processor.decodeExit() == exit)
        }
        // Those with information have tests of their own.
        let told: Set<SVMExitCode> = [
            .ioio, .msr, .taskSwitch, .nestedPageFault, .invlpg, .cr3Read, .cr4Read, .cr8Read, .cr0Write, .cr3Write, .cr4Write,
            .cr8Write, .cr0SelectiveWrite,
        ]
        for code in ExitCodeTests.all where !known.contains(code) && !told.contains(code) {
            let isRegister = code.rawValue >= SVMExitCode.dr0Read.rawValue && code.rawValue <= SVMExitCode.dr15Write.rawValue
            let isException = code.exceptionVector.map { ![2, 9, 15, 20, 31].contains($0) && !(22...27).contains($0) } ?? false
            // No processor gives the one that is kept for hosts, which looks like a failed VMRUN.
            let isFailure = [.invalid, .busy, .idleRequired, .invalidPMC].contains(code)
            guard !isRegister, !isException, !isFailure, code != .reservedForHost else { continue }
            test.exit(code)
            #expect(test.processor.decodeExit() == .unexpected(reason: UInt32(truncatingIfNeeded: code.number)), "\(code)")
        }
    }

    @Test func `a failed VMRUN has bit 31 set, whatever width the processor gives the code, and no other exit has`() {
        let test = TestProcessor()
        for number in [.max, 0xFFFF_FFFF, .max - 1, .max - 2, 0xFFFF_FFFC] as [UInt64] {
            test.exit(number: number)
            #expect(test.processor.decodeExit() == .failedEntry(reason: UInt32(truncatingIfNeeded: number)))
            #expect(test.processor.exitReasonNumber >> 31 == 1)
        }
        for number in [0xA7, 0x3FF, 0x404, 0x8000_0072, 0xFFFF_FFFB, 0xF000_0001] as [UInt64] {
            test.exit(number: number)
            #expect(test.processor.decodeExit() == .unexpected(reason: UInt32(truncatingIfNeeded: number) & 0x7FFF_FFFF))
        }
        #expect("\(SVMProcessor<SimulatedSVM>.name(ofReason: 0xFFFF_FFFF))" == "INVALID")
        #expect("\(SVMProcessor<SimulatedSVM>.name(ofReason: 0x72))" == "CPUID")
        #expect("\(SVMProcessor<SimulatedSVM>.name(ofReason: 0x200))" == "unknown")
    }

    @Test func `exceptions have their error codes and addresses`() {
        for vector in 0..<32 as Range<UInt8> {
            guard let code = SVMExitCode(UInt64(0x40 + vector)) else { continue }
            let test = TestProcessor()
            test.vmcb[.dr6] = 0xFFFF_4FF1
            test.put([0x0F, 0x0B])
            test.exit(code, 0x1_0000_0006, 0x1234)
            let exit = test.processor.decodeExit()
            var expected = ExceptionExit(vector: ExceptionVector(vector), errorCode: nil, qualification: 0)
            switch vector {
            case 2, 9, 15, 20, 22...27, 31:
                #expect(exit == .unexpected(reason: 0x40 + UInt32(vector)))
                continue
            case 1: expected.qualification = 0x4001
            case 3, 4: expected.kind = .softwareException
            case 8: expected.errorCode = 0
            case 14: (expected.errorCode, expected.qualification) = (6, 0x1234)
            case 10...13, 17, 21, 29, 30: expected.errorCode = 6
            default: break
            }
            #expect(exit == .exception(expected), "\(vector)")
        }
    }

    @Test func `VMCALL, which AMD's processors refuse, is a hypercall like VMMCALL`() {
        for features in [TestProcessor.rich, TestProcessor.plain] {
            let test = TestProcessor(features)
            test.put([0x0F, 0x01, 0xC1])
            test.exit(.exceptionUD)
            #expect(test.processor.decodeExit() == .hypercall && test.processor.instructionLength == 3)
            #expect(test.processor.stepPastInstruction() && test.processor.instructionPointer == TestProcessor.code + 3)
        }
    }

    @Test func `MOV to and from control registers names its operand, by EXITINFO1 or by the bytes`() {
        let codes: [(SVMExitCode, UInt8, Bool)] = [
            (.cr0Write, 0, true), (.cr0SelectiveWrite, 0, true), (.cr3Write, 3, true), (.cr4Write, 4, true), (.cr8Write, 8, true),
            (.cr3Read, 3, false), (.cr4Read, 4, false), (.cr8Read, 8, false),
        ]
        for (code, number, isWrite) in codes {
            for general in Self.general {
                for features in [TestProcessor.rich, TestProcessor.plain] {
                    let test = TestProcessor(features)
                    let rex = 0x40 | (number >> 3) << 2 | general >> 3
                    test.put([rex, 0x0F, isWrite ? 0x22 : 0x20, 0xC0 | (number & 7) << 3 | general & 7])
                    let isRich = features == TestProcessor.rich
                    test.exit(code, isRich ? 1 << 63 | UInt64(general) : 0xBAD, next: TestProcessor.code + 4)
                    let operand = RegisterNumber(general)
                    let expected: ControlRegisterAccess =
                        isWrite ? .write(register: number, from: operand) : .read(register: number, to: operand)
                    #expect(test.processor.decodeExit() == .controlRegister(expected), "\(code) \(general)")
                    #expect(test.processor.instructionLength == 4)
                }
            }
        }
    }

    @Test func `CLTS and LMSW are told by their bytes, LMSW with its operand from a register or from memory`() {
        for features in [TestProcessor.rich, TestProcessor.plain] {
            let test = TestProcessor(features)
            test.put([0x0F, 0x06])
            test.exit(.cr0Write)
            #expect(test.processor.decodeExit() == .controlRegister(.clearTaskSwitched))
            test.registers.pointee.rbx = 0xABCD_000F
            test.put([0x0F, 0x01, 0xF3])
            test.exit(.cr0SelectiveWrite)
            #expect(test.processor.decodeExit() == .controlRegister(.loadMachineStatus(0xF)))
            test.ram.put([0x34, 0x12], at: 0x20FFF)
            test.registers.pointee.rbx = 0x20000
            test.put([0x0F, 0x01, 0xB3, 0xFF, 0x0F, 0, 0])
            test.exit(.cr0Write)
            #expect(test.processor.decodeExit() == .controlRegister(.loadMachineStatus(0x1234)))
            // SMSW does not write, whatever the code says.
            test.put([0x0F, 0x01, 0xE3])
            test.exit(.cr0Write)
            #expect(test.processor.decodeExit() == .unexpected(reason: 0x10))
        }
    }

    @Test func `MOV to and from debug registers`() {
        for number in 0..<8 as Range<UInt8> {
            for isRead in [true, false] {
                for features in [TestProcessor.rich, TestProcessor.plain] {
                    let test = TestProcessor(features)
                    test.put([0x41, 0x0F, isRead ? 0x21 : 0x23, 0xC0 | number << 3 | 5])
                    test.exit(SVMExitCode(UInt64((isRead ? 0x20 : 0x30) + number))!, features == TestProcessor.rich ? 13 : 0xBA)
                    #expect(
                        test.processor.decodeExit()
                            == .debugRegister(.init(register: number, isRead: isRead, general: RegisterNumber(13))))
                }
            }
        }
    }

    @Test func `port instructions and MSRs`() {
        let test = TestProcessor(TestProcessor.plain)
        test.exit(.ioio, 0x3F8 << 16 | 1 << 9 | 1 << 4, TestProcessor.code + 2)
        #expect(test.processor.decodeExit() == .io(IOAccess(port: 0x3F8, size: 1, isInput: false)))
        #expect(test.processor.instructionLength == 2)
        test.exit(.ioio, 0xFFFF << 16 | 1 << 7 | 1 << 6 | 0b1101, TestProcessor.code + 3)
        #expect(
            test.processor.decodeExit() == .io(IOAccess(port: 0xFFFF, size: 4, isInput: true, isString: true, isRepeated: true)))
        test.exit(.msr, 0)
        #expect(test.processor.decodeExit() == .readMSR)
        test.exit(.msr, 1)
        #expect(test.processor.decodeExit() == .writeMSR)
        test.put([0x66, 0x0F, 0x30])
        #expect(test.processor.instructionLength == 3)
    }

    @Test func `the operand of OUTS has its segment and its address size from EXITINFO1, or from the bytes`() {
        let rich = TestProcessor()
        rich.exit(.ioio, 1 << 8 | 4 << 10 | 1 << 2)
        #expect(rich.processor.stringIOOperand() == StringIOOperand(segment: .fs, addressSize: 4))
        let plain = TestProcessor(TestProcessor.plain)
        plain.exit(.ioio, 1 << 2)
        plain.put([0x67, 0xF3, 0x65, 0x6E])
        #expect(plain.processor.stringIOOperand() == StringIOOperand(segment: .gs, addressSize: 4))
        plain.put([0x6E, 0x90, 0x90, 0x90])
        #expect(plain.processor.stringIOOperand() == StringIOOperand(segment: .ds, addressSize: 8))
    }

    @Test func `nested page faults tell the access and whether the guest's own walk made it`() {
        let test = TestProcessor()
        func fault(_ information: UInt64) -> Exit {
            test.exit(.nestedPageFault, information, 0xFEC0_0010)
            return test.processor.decodeExit()
        }
        func expected(_ r: Bool, _ w: Bool, _ x: Bool, mapped: Bool = false, walk: Bool = false) -> Exit {
            .nestedPageFault(
                .init(
                    address: GuestPhysicalAddress(0xFEC0_0010), isRead: r, isWrite: w, isFetch: x, isMapped: mapped,
                    duringWalk: walk))
        }
        #expect(fault(1 << 32 | 4) == expected(true, false, false))
        #expect(fault(1 << 32 | 7) == expected(false, true, false, mapped: true))
        #expect(fault(1 << 32 | 0x15) == expected(false, false, true, mapped: true))
        #expect(fault(1 << 33 | 6) == expected(false, true, false, walk: true))
        #expect(fault(1 << 32 | 0xD) == .nestedPageMisconfiguration(GuestPhysicalAddress(0xFEC0_0010)))
    }

    @Test func `a task switch is IRET's, JMP's, an event's through a gate, or else CALL's`() {
        let test = TestProcessor(TestProcessor.plain)
        func source(_ information: UInt64, delivering: SVMEvent = .none) -> Exit {
            test.exit(.taskSwitch, 0x28, information, delivering: delivering)
            return test.processor.decodeExit()
        }
        #expect(source(1 << 36) == .taskSwitch(.init(selector: 0x28, source: .iret)))
        #expect(source(1 << 38) == .taskSwitch(.init(selector: 0x28, source: .jump)))
        #expect(source(0) == .taskSwitch(.init(selector: 0x28, source: .call)))
        #expect(
            source(1 << 44 | 5, delivering: .init(kind: .exception, vector: 13, errorCode: 5))
                == .taskSwitch(.init(selector: 0x28, source: .taskGate)))
    }

    @Test func `INVLPG tells its linear address, computed where the processor does not`() {
        let rich = TestProcessor()
        rich.exit(.invlpg, 0xFFFF_8000_0000_1000)
        #expect(rich.processor.decodeExit() == .invalidatePage(GuestVirtualAddress(0xFFFF_8000_0000_1000)))
        let plain = TestProcessor(TestProcessor.plain)
        plain.registers.pointee.r9 = 0x1000
        plain.registers.pointee.rsi = 0x10
        plain.put([0x64, 0x41, 0x0F, 0x01, 0x7C, 0xF1, 0x80])
        plain.processor.setSegment(.fs, .init(selector: 0, base: 0x7000_0000, limit: 0, attributes: .data32))
        plain.exit(.invlpg)
        #expect(plain.processor.decodeExit() == .invalidatePage(GuestVirtualAddress(0x7000_1000 + 0x80 - 0x80)))
        plain.registers.pointee.rsi = 0x20
        #expect(plain.processor.decodeExit() == .invalidatePage(GuestVirtualAddress(0x7000_1080)))
        #expect(plain.processor.instructionLength == 7)
    }

    @Test func `INVPCID's operands are where its bytes say`() {
        let test = TestProcessor()
        test.put([0x66, 0x45, 0x0F, 0x38, 0x82, 0x54, 0x8D, 0x10])
        test.exit(.invpcid)
        #expect(
            test.processor.invalidationOperand()
                == InvalidationOperand(
                    kind: RegisterNumber(10), segment: .ds, base: RegisterNumber(13), index: RegisterNumber(1), scale: 2,
                    displacement: 0x10, addressSize: 8))
    }

    @Test func `an instruction that is not the one that exited has no length, and the guest stays`() {
        let test = TestProcessor(TestProcessor.plain)
        for bytes in [[0x90, 0x90], [0x0F, 0x0B], [0xF4], [0x0F]] as [[UInt8]] {
            test.ram.put([0xFF, 0xFF, 0xFF], at: Int(TestProcessor.code))
            test.put(bytes)
            test.exit(.cpuid)
            #expect(test.processor.instructionLength == 0)
            _ = test.processor.stepPastInstruction()
            #expect(test.processor.instructionPointer == TestProcessor.code)
        }
        // Nothing can be fetched.
        test.processor.instructionPointer = 0x7FFF_0000_0000
        test.exit(.cpuid)
        #expect(test.processor.instructionLength == 0)
    }
}
