import Text
import Machine
import Memory
import Study
import Support
import Testing
import VMX
import X86

@Suite("Inspection: memory and disassemble")
struct InspectionMemoryTests {
    private let ram = GuestRAM(size: 0x10000)

    /// Tables at 1000H to 4FFFH map linear FFFFFFFF80000000H on to 8000H, and the page behind to 100000H, where no RAM is.
    private var longPaging: GuestPaging {
        ram.put64(0x2003, at: 0x1FF8)
        ram.put64(0x3003, at: 0x2FF0)
        ram.put64(0x4003, at: 0x3000)
        ram.put64(0x8003, at: 0x4000)
        ram.put64(0x10_0003, at: 0x4008)
        ram.put64(0x8000_0000_0000_8003, at: 0x4018)
        return paging(.fourLevel, cr3: 0x1000)
    }

    private func paging(_ mode: GuestPagingMode, cr3: UInt64 = 0) -> GuestPaging {
        GuestPaging(
            mode: mode, cr3: cr3, writeProtects: true, hasPageSizeExtensions: false, hasExecuteDisable: false,
            preventsSupervisorExecution: true, preventsSupervisorAccess: true, protectionKeyRights: .max, hasGibibytePages: true,
            hasPSE36: true, physicalAddressWidth: 39)
    }

    private func memory(_ address: UInt64, _ count: UInt64, _ view: GuestView<GuestMemory>) -> [String] {
        answer { MemoryInspection.write(address, count: count, in: view, to: &$0) }
    }

    @Test("bytes are shown as numbers and letters, sixteen to a line")
    func bytes() {
        ram.put(Array("Hello, monitor!\n\u{7F}AB".utf8), at: 0x7C00)
        #expect(
            memory(0x7C00, 19, GuestView(ram.memory, through: paging(.none))) == [
                "00007c00  48 65 6c 6c 6f 2c 20 6d  6f 6e 69 74 6f 72 21 0a  |Hello, monitor!.|",
                "00007c10  7f 41 42                                          |.AB|",
            ])
        #expect(memory(0x7C00, 1, GuestView(physical: ram.memory))[0].hasPrefix("00007c00  48 "))
    }

    @Test("linear addresses go through the guest's tables, without setting accessed bits there")
    func linear() {
        let paging = longPaging
        ram.put([1, 2, 3], at: 0x8000)
        let tables = ram[0x1000..<0x5000]
        #expect(
            memory(0xFFFF_FFFF_8000_0000, 3, GuestView(ram.memory, through: paging)).first
                == "ffffffff80000000  01 02 03                                          |...|")
        #expect(ram[0x1000..<0x5000] == tables)
        #expect(ram.isIntactAround)
    }

    @Test("what cannot be read shows as ??, with each reason said once")
    func unreadable() {
        let view = GuestView(ram.memory, through: longPaging)
        ram.put([0x41, 0x42], at: 0x8FFE)
        #expect(
            memory(0xFFFF_FFFF_8000_0FFE, 20, view) == [
                "ffffffff80000ffe  41 42 ?? ?? ?? ?? ?? ??  ?? ?? ?? ?? ?? ?? ?? ??  |AB??????????????|",
                "  ?? from 0xffffffff80001000 on: the guest has no RAM at guest-physical 0x100000",
                "ffffffff8000100e  ?? ?? ?? ??                                       |????|",
            ])
        #expect(memory(0xFFFF_FFFF_8000_2000, 1, view).last == "  ?? from 0xffffffff80002000 on: the guest's page tables map nothing there")
        #expect(memory(0xFFFF_FFFF_8000_3000, 1, view).last?.hasSuffix("has a reserved bit set") == true)
        #expect(memory(0x8000_0000_0000_0000, 1, view).last?.hasSuffix("the address is not canonical") == true)
        let lost = GuestView(ram.memory, through: paging(.fourLevel, cr3: 0x7000_0000))
        #expect(memory(0, 1, lost).last?.hasSuffix("a page table would lie at guest-physical 0x70000000, where the guest has no RAM") == true)
        #expect(memory(0xFFFF, 2, GuestView(physical: ram.memory)).count == 2)
    }

    @Test("addresses wrap around as the guest's do, and no count is too large")
    func wraps() {
        let short = memory(0xFFFF_FFF8, 24, GuestView(ram.memory, through: paging(.none)))
        #expect(short[0].hasPrefix("fffffff8  ??"))
        #expect(short[1] == "  ?? from 0xfffffff8 on: the guest has no RAM at guest-physical 0xfffffff8")
        #expect(short[2].hasPrefix("00000008  00 "))
        let all = memory(.max - 1, .max, GuestView(physical: ram.memory))
        #expect(all.last == "memory: 4096 bytes at a time are the most")
    }

    // MARK: disassemble

    private func instructions(_ bytes: [UInt8], _ state: StateSnapshot, count: UInt64 = 1, at address: UInt64? = nil) -> [String] {
        ram.put(bytes, at: 0x8000)
        let view = state.viewed { $0.mode } == .long64 ? GuestView(ram.memory, through: longPaging) : GuestView(ram.memory, through: paging(.none))
        return answer { output in
            state.viewed { Disassembly.write(from: address, count: count, $0, in: view, to: &output) }
        }
    }

    private var long: StateSnapshot {
        var state = StateSnapshot.long64
        state.fields[.guestRIP] = 0xFFFF_FFFF_8000_0000
        return state
    }

    private var short: StateSnapshot {
        var state = StateSnapshot.real
        state.fields[.guestCSBase] = 0x8000
        state.fields[.guestRIP] = 0
        return state
    }

    /// The words of one instruction of 64-bit code.
    private func words(_ bytes: UInt8...) -> String {
        String(instructions(bytes, long)[0].dropFirst("=> ffffffff80000000  ".count + 26))
    }

    @Test("the next instruction is marked; bytes, then the instruction, and what is unknown byte by byte")
    func listing() {
        #expect(
            instructions([0x0F, 0xA2, 0x89, 0x44, 0x8B, 0xF8, 0x50, 0xF4], long, count: 4) == [
                "=> ffffffff80000000  0f a2                     CPUID",
                "   ffffffff80000002  89 44 8b f8               MOV [RBX+RCX*4-0x8], EAX",
                "   ffffffff80000006  50                        DB 0x50",
                "   ffffffff80000007  f4                        HLT",
            ])
        #expect(
            instructions([0xEE, 0x66, 0xED, 0xC6, 0x47, 0x10, 0x2A], short, count: 3) == [
                "=> 00008000  ee                        OUT DX, AL", "   00008001  66 ed                     IN EAX, DX",
                "   00008003  c6 47 10 2a               MOV BYTE [BX+0x10], 0x2a",
            ])
        #expect(
            instructions([], long, at: 0x1234) == ["   0x1234: ?? the guest's page tables map nothing there"])
    }

    @Test("operations of the decoder by their names in assembly language")
    func operations() {
        #expect(words(0x0F, 0xB6, 0x07) == "MOVZX EAX, BYTE [RDI]")
        #expect(words(0x48, 0x63, 0x07) == "MOVSXD RAX, DWORD [RDI]")
        #expect(words(0x88, 0x27) == "MOV [RDI], AH")
        #expect(words(0x40, 0x88, 0x27) == "MOV [RDI], SPL")
        #expect(words(0x66, 0x45, 0x89, 0x07) == "MOV [R15], R8W")
        #expect(words(0xF0, 0x48, 0xFF, 0x05, 0x10, 0, 0, 0) == "LOCK INC QWORD [REL 0xffffffff80000018]")
        #expect(words(0x81, 0x7F, 0x20, 0x78, 0x56, 0x34, 0x12) == "CMP DWORD [RDI+0x20], 0x12345678")
        #expect(words(0x48, 0x83, 0x0F, 0xFF) == "OR QWORD [RDI], 0xffffffffffffffff")
        #expect(words(0x64, 0x8B, 0x04, 0x25, 0x28, 0, 0, 0) == "MOV EAX, [FS:0x28]")
        #expect(words(0xF3, 0x48, 0xAB) == "REP STOSQ")
        #expect(words(0xF2, 0xAE) == "REPNE SCASB")
        #expect(words(0x0F, 0x45, 0x07) == "CMOVNE EAX, [RDI]")
        #expect(words(0x0F, 0x94, 0x07) == "SETE BYTE [RDI]")
        #expect(words(0xC1, 0x27, 5) == "SHL DWORD [RDI], 5")
        #expect(words(0xD3, 0x2F) == "SHR DWORD [RDI], CL")
        #expect(words(0x0F, 0xBA, 0x2F, 3) == "BTS DWORD [RDI], 0x3")
        #expect(words(0x0F, 0xAB, 0x07) == "BTS [RDI], EAX")
        #expect(words(0x48, 0x0F, 0xC7, 0x0F) == "CMPXCHG16B [RDI]")
        #expect(words(0xF3, 0x0F, 0xB8, 0x07) == "POPCNT EAX, [RDI]")
        #expect(words(0x6B, 0x07, 0x10) == "IMUL EAX, [RDI], 0x10")
        #expect(words(0xFF, 0x37) == "PUSH QWORD [RDI]")
        #expect(words(0x8C, 0x1F) == "MOV [RDI], DS")
        #expect(words(0x0F, 0x11, 0x0F) == "MOVUPS [RDI], XMM1")
        #expect(words(0xC5, 0xFE, 0x6F, 0x07) == "VMOVUPS YMM0, [RDI]")
        #expect(words(0x0F, 0x38, 0xF0, 0x07) == "MOVBE EAX, [RDI]")
    }

    @Test("instructions that exit, by their bytes")
    func exiting() {
        #expect(words(0x0F, 0x01, 0xC1) == "VMCALL")
        #expect(words(0x0F, 0x32) == "RDMSR")
        #expect(words(0x0F, 0x22, 0xD8) == "MOV CR3, RAX")
        #expect(words(0x0F, 0x23, 0xF9) == "MOV DR7, RCX")
        #expect(words(0xF3, 0x90) == "PAUSE")
        #expect(words(0xF3, 0x6E) == "REP OUTSB")
        #expect(words(0xE6, 0x80) == "OUT 0x80, AL")
        #expect(words(0xE5, 0x60) == "IN EAX, 0x60")
        #expect(words(0x0F, 0x0B) == "DB 0x0f")
    }

    @Test("no bytes make it trap or stop: 20,000 random ones in every mode")
    func random() {
        var generator = FixedSeedGenerator(seed: 4)
        for state in [long, short] {
            for _ in 0..<10_000 {
                let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
                let lines = instructions(bytes, state, count: 2)
                #expect(lines.count == 2)
            }
        }
    }
}
