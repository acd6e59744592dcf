import Text
import Machine
import Memory
import Debug
import StudyTools
import Support
import Testing
import VMX
import X86

/// Inspection: memory and disassemble.
@Suite struct InspectionMemoryTests {
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

    private func memory(_ address: UInt64, _ count: UInt64, _ view: RAMBytes) -> [String] {
        answer { MemoryInspection.write(address, count: count, in: view, to: &$0) }
    }

    @Test func `bytes are shown as numbers and letters, sixteen to a line`() {
        ram.put(Array("Hello, monitor!\n\u{7F}AB".utf8), at: 0x7C00)
        #expect(
            memory(0x7C00, 19, RAMBytes(ram.memory, through: paging(.none))) == [
                "00007c00  48 65 6c 6c 6f 2c 20 6d  6f 6e 69 74 6f 72 21 0a  |Hello, monitor!.|",
                "00007c10  7f 41 42                                          |.AB|",
            ])
        #expect(memory(0x7C00, 1, RAMBytes(ram.memory, through: nil))[0].hasPrefix("00007c00  48 "))
    }

    @Test func `linear addresses have sixteen digits where they are long`() {
        let paging = longPaging
        ram.put([1, 2, 3], at: 0x8000)
        #expect(
            memory(0xFFFF_FFFF_8000_0000, 3, RAMBytes(ram.memory, through: paging)).first
                == "ffffffff80000000  01 02 03                                          |...|")
        #expect(ram.isIntactAround)
    }

    @Test func `what cannot be read shows as ??, with each reason said once`() {
        let view = RAMBytes(ram.memory, through: longPaging)
        ram.put([0x41, 0x42], at: 0x8FFE)
        #expect(
            memory(0xFFFF_FFFF_8000_0FFE, 20, view) == [
                "ffffffff80000ffe  41 42 ?? ?? ?? ?? ?? ??  ?? ?? ?? ?? ?? ?? ?? ??  |AB??????????????|",
                "  ?? from 0xffffffff80001000 on: the guest has no RAM at guest-physical 0x100000",
                "ffffffff8000100e  ?? ?? ?? ??                                       |????|",
            ])
        #expect(
            memory(0xFFFF_FFFF_8000_2000, 1, view).last
                == "  ?? from 0xffffffff80002000 on: the guest's page tables map nothing there")
        #expect(memory(0xFFFF_FFFF_8000_3000, 1, view).last?.hasSuffix("has a reserved bit set") == true)
        #expect(memory(0x8000_0000_0000_0000, 1, view).last?.hasSuffix("the address is not canonical") == true)
        let lost = RAMBytes(ram.memory, through: paging(.fourLevel, cr3: 0x7000_0000))
        #expect(
            memory(0, 1, lost).last?.hasSuffix("a page table would lie at guest-physical 0x70000000, where the guest has no RAM")
                == true)
        #expect(memory(0xFFFF, 2, RAMBytes(ram.memory, through: nil)).count == 2)
    }

    @Test func `addresses wrap around as the guest's do, and no count is too large`() {
        let short = memory(0xFFFF_FFF8, 24, RAMBytes(ram.memory, through: paging(.none)))
        #expect(short[0].hasPrefix("fffffff8  ??"))
        #expect(short[1] == "  ?? from 0xfffffff8 on: the guest has no RAM at guest-physical 0xfffffff8")
        #expect(short[2].hasPrefix("00000008  00 "))
        let all = memory(.max - 1, .max, RAMBytes(ram.memory, through: nil))
        #expect(all.last == "memory: 4096 bytes at a time are the most")
    }

    // MARK: disassemble

    private let disassembler = Disassembler()

    private func instructions(
        _ bytes: [UInt8], _ mode: ProcessorMode, count: UInt64 = 1, at address: UInt64? = nil, _ symbols: Symbols = Symbols()
    ) throws -> [String] {
        ram.put(bytes, at: 0x8000)
        let isLong = mode == .long64
        let memory = isLong ? RAMBytes(ram.memory, through: longPaging) : RAMBytes(ram.memory, through: paging(.none))
        var output = Answer()
        try Disassembly.write(
            from: address, count: count, next: isLong ? 0xFFFF_FFFF_8000_0000 : 0x8000, in: mode, memory, by: disassembler,
            symbols,
            to: &output)
        return output.lines
    }

    @Test func `the next instruction is marked; bytes, then the instruction as the toolchain's disassembler writes it`() throws {
        #expect(
            try instructions([0x0F, 0xA2, 0xB8, 0x34, 0x12, 0x88, 0xC3, 0x50, 0x48, 0xCF], .long64, count: 4) == [
                "=> ffffffff80000000  0f a2                     cpuid",
                "   ffffffff80000002  b8 34 12 88 c3            mov eax, 0xc3881234",
                "   ffffffff80000007  50                        push rax",
                "   ffffffff80000008  48 cf                     iretq",
            ])
        #expect(
            try instructions([0xB8, 0x34, 0x12, 0x66, 0xED, 0xC6, 0x47, 0x10, 0x2A], .real, count: 3) == [
                "=> 00008000  b8 34 12                  mov ax, 0x1234", "   00008003  66 ed                     in eax, dx",
                "   00008005  c6 47 10 2a               mov byte ptr [bx + 0x10], 0x2a",
            ])
        #expect(
            try instructions([0xB8, 0x34, 0x12, 0, 0], .protected32) == ["=> 00008000  b8 34 12 00 00            mov eax, 0x1234"]
        )
        #expect(try instructions([], .long64, at: 0x1234) == ["   0x1234: ?? the guest's page tables map nothing there"])
    }

    @Test func `names of addresses stand before and after instructions`() throws {
        let symbols = Symbols([("main", 0xFFFF_FFFF_8000_0000), ("work", 0xFFFF_FFFF_8000_0010)])
        #expect(
            try instructions([0xE8, 0x0F, 0, 0, 0, 0x90], .long64, count: 2, symbols) == [
                "main:", "=> ffffffff80000000  e8 0f 00 00 00            call 0xffffffff80000014 <work+0x4>",
                "   ffffffff80000005  90                        nop",
            ])
    }

    @Test func `without the tool it says what is missing`() {
        let nothing = Disassembler(tool: nil)
        #expect(throws: Complaint.self) { try nothing.instructions([0x90], at: 0, in: .long64) }
    }

    @Test func `as many instructions as are wanted, whatever the bytes are, up to where memory ends`() throws {
        var generator = FixedSeedGenerator(seed: 4)
        for mode in [ProcessorMode.long64, .real, .protected32] {
            let bytes = (0..<0x800).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(try instructions(bytes, mode, count: 256).count == 256)
        }
        #expect(try instructions([], .real, count: 10, at: 0xFFFE).last?.contains("the guest has no RAM") == true)
    }
}

/// A guest's RAM as the commands look at it, through its page tables or without.
final class RAMBytes: GuestBytes {
    private let memory: GuestMemory
    private var paging: GuestPaging?

    init(_ memory: GuestMemory, through paging: GuestPaging?) {
        self.memory = memory
        self.paging = paging
        self.paging?.protectionKeyRights = 0
    }

    var hasShortAddresses: Bool { paging.map { $0.mode != .fourLevel && $0.mode != .fiveLevel } ?? false }

    func expect(_ count: Int, from address: UInt64) {}

    func byte(at address: UInt64) -> GuestByte {
        var place = GuestPhysicalAddress(address)
        if let paging {
            let access = GuestAccess.explicit(.read, privilegeLevel: 0, alignmentCheck: true)
            switch paging.translate(GuestVirtualAddress(address), for: access, in: memory) {
            case .page(let page): place = page.address
            case .fault(let code): return .unreadable(code.isReservedBit ? .reservedBit : .notPresent)
            case .notCanonical: return .unreadable(.notCanonical)
            case .tableOutsideRAM(let table): return .unreadable(.tableOutsideRAM(table.rawValue))
            }
        }
        return memory.readUInt8(at: place).map { .value($0) } ?? .unreadable(.outsideRAM(place.rawValue))
    }
}
