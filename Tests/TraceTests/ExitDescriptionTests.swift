import Text
import Memory
import Support
import Testing
import Virtualization
import X86

@testable import Trace

@Suite struct ExitDescriptionTests {
    static func describe(_ exit: Exit, _ mode: ProcessorMode = .long64, _ change: (inout GeneralRegisters) -> Void = { _ in })
        -> String
    {
        var registers = GeneralRegisters()
        change(&registers)
        return words(ExitDescription(exit, registers, in: mode))
    }

    @Test func `instructions with their operands`() {
        #expect(
            Self.describe(.cpuid) {
                $0.rax = 0xFFFF_FFFF_0000_0007; $0.rcx = 1
            } == "CPUID leaf 7.1")
        #expect(
            Self.describe(.cpuid) {
                $0.rax = 0x8000_0001; $0.rcx = 1
            } == "CPUID leaf 0x80000001")
        #expect(Self.describe(.hypercall) { $0.rax = 2 } == "VMCALL function 0x2")
        #expect(Self.describe(.readMSR) { $0.rcx = 0xC000_0080 } == "RDMSR IA32_EFER")
        #expect(
            Self.describe(.writeMSR) {
                $0.rcx = 0x123; $0.rdx = 1; $0.rax = .max
            } == "WRMSR MSR 0x123, EDX:EAX = 0x1ffffffff")
        #expect(Self.describe(.setExtendedControlRegister) { $0.rax = 7 } == "XSETBV 0, EDX:EAX = 0x7")
        #expect(
            Self.describe(.controlRegister(.write(register: 4, from: RegisterNumber(3)))) { $0.rbx = 0x20 }
                == "MOV CR4, RBX = 0x20")
        #expect(Self.describe(.controlRegister(.read(register: 3, to: RegisterNumber(9)))) == "MOV R9, CR3")
        #expect(Self.describe(.controlRegister(.clearTaskSwitched)) == "CLTS")
        #expect(Self.describe(.controlRegister(.loadMachineStatus(0x11))) == "LMSW 0x11")
        #expect(Self.describe(.debugRegister(.init(register: 7, isRead: true, general: RegisterNumber(0)))) == "MOV RAX, DR7")
        #expect(Self.describe(.debugRegister(.init(register: 7, isRead: false, general: RegisterNumber(0)))) == "MOV DR7, RAX")
        #expect(Self.describe(.invalidatePage(GuestVirtualAddress(0x1000))) == "INVLPG 0x1000")
        #expect(Self.describe(.readPerformanceCounter) { $0.rcx = 3 } == "RDPMC, ECX = 0x3")
    }

    @Test func `port instructions in all sizes, characters as characters`() {
        #expect(Self.describe(.io(.init(port: 0x3F8, size: 1, isInput: false))) { $0.rax = 0x48 } == "OUT 0x3f8, AL = 'H'")
        #expect(Self.describe(.io(.init(port: 0x3F8, size: 1, isInput: false))) { $0.rax = 0x10A } == "OUT 0x3f8, AL = 0xa")
        #expect(Self.describe(.io(.init(port: 0x80, size: 2, isInput: false))) { $0.rax = 0x1_2345 } == "OUT 0x80, AX = 0x2345")
        #expect(Self.describe(.io(.init(port: 0xF4, size: 4, isInput: false))) { $0.rax = .max } == "OUT 0xf4, EAX = 0xffffffff")
        #expect(Self.describe(.io(.init(port: 0x3FD, size: 1, isInput: true))) == "IN AL, 0x3fd")
        #expect(Self.describe(.io(.init(port: 0x3F8, size: 1, isInput: false, isString: true))) == "OUTSB 0x3f8")
        let insd = Exit.io(.init(port: 0x60, size: 4, isInput: true, isString: true, isRepeated: true))
        #expect(Self.describe(insd, .real) { $0.rcx = 0x1_0005 } == "REP INSD 0x60, CX = 5")
        #expect(Self.describe(insd, .protected32) { $0.rcx = 0x1_0000_0005 } == "REP INSD 0x60, ECX = 5")
        #expect(Self.describe(insd, .long64) { $0.rcx = 5 } == "REP INSD 0x60, RCX = 5")
    }

    @Test func `exceptions with error code and address`() {
        #expect(Self.describe(.exception(.init(vector: .pageFault, errorCode: 2, qualification: 0x1000))) == "#PF(0x2) at 0x1000")
        #expect(Self.describe(.exception(.init(vector: .invalidOpcode, errorCode: nil, qualification: 0))) == "#UD")
    }

    @Test func `nested page faults say what was done and whether anything is mapped`() {
        func fault(read: Bool = false, write: Bool = false, fetch: Bool = false, mapped: Bool = false) -> String {
            Self.describe(
                .nestedPageFault(
                    .init(
                        address: GuestPhysicalAddress(0xB100_0000), isRead: read, isWrite: write, isFetch: fetch,
                        isMapped: mapped, duringWalk: false)))
        }
        #expect(fault(read: true) == "read of 0xb1000000, not mapped")
        #expect(fault(read: true, write: true) == "write to 0xb1000000, not mapped")
        #expect(fault(fetch: true, mapped: true) == "fetch from 0xb1000000, not permitted")
    }

    @Test func `all exits without operands have words of their own`() {
        let exits: [(Exit, String)] = [
            (.nonMaskableInterrupt, "NMI"), (.externalInterrupt(vector: 0x41), "vector 0x41"), (.tripleFault, "triple fault"),
            (.initSignal, "INIT signal"), (.startupIPI(vector: 9), "start-up IPI, vector 0x9"),
            (.systemManagementInterrupt, "system-management"),
            (.interruptWindow, "interrupt window"), (.nonMaskableInterruptWindow, "NMI window"),
            (.taskSwitch(.init(selector: 0x28, source: .jump)), "selector 0x28"),
            (.halt, "HLT"), (.invalidateCaches(writesBack: true), "WBINVD"), (.invalidateCaches(writesBack: false), "INVD"),
            (.invalidateByPCID, "INVPCID"),
            (.readTimeStamp(withAuxiliary: true), "RDTSCP"), (.readTimeStamp(withAuxiliary: false), "RDTSC"),
            (.monitor, "MONITOR"), (.wait, "MWAIT"),
            (.pause, "PAUSE"), (.descriptorTable, "an access to a descriptor-table register"), (.monitorTrap, "monitor trap"),
            (.random(seed: true), "RDSEED"), (.random(seed: false), "RDRAND"),
            (.nestedPageMisconfiguration(GuestPhysicalAddress(0x5000)), "0x5000"), (.timerExpired, "preemption timer"),
            (.virtualizationInstruction, "VMX"), (.unofferedInstruction, "not offered"),
            (.virtualAPIC(.priorityBelowThreshold), "virtual APIC"),
            (.modificationLogFull, "log full"), (.failedEntry(reason: 0x8000_0021), "0x80000021"),
            (.unexpected(reason: 74), "0x4a"),
        ]
        var seen: Set<String> = []
        for (exit, part) in exits {
            let text = Self.describe(exit)
            #expect(text.contains(part), "\(text)")
            #expect(seen.insert(text).inserted, "\(text) twice")
        }
    }
}
