import Memory
import Testing
import VMX
import Virtualization
import X86

@testable import Debug
@testable import Machine
@testable import StudyTools

/// Registers that are more than a value, set by a person: with the descriptor, the mode, and the VM entry's rules.
@Suite struct RegisterSettingTests {
    /// Where the tests put the guest's descriptor tables.
    static let table = 0x9_1000, localTable = 0x9_2000

    static func session(_ mode: TestMachine.Mode = .long64) -> MonitorSession {
        let session = MonitorSession(mode)
        let descriptors: [UInt64] = [
            0,
            0x00AF_9B00_0000_FFFF,  // 08 64-bit code
            0x00CF_9300_0000_FFFF,  // 10 flat data
            0x00CF_9A00_0000_FFFF,  // 18 32-bit code, not yet accessed
            0x1240_9234_5678_0FFF,  // 20 data at 12345678H, 1000H bytes
            0x00CF_F300_0000_FFFF,  // 28 data of privilege level 3
            0x00CF_9F00_0000_FFFF,  // 30 conforming code
            0x00CF_9800_0000_FFFF,  // 38 code not to be read
            0x00CF_9100_0000_FFFF,  // 40 data not to be written
            0x00CF_1300_0000_FFFF,  // 48 data that is not there
            0x0000_8B00_0000_0067,  // 50 a task
            0x00EF_9B00_0000_FFFF,  // 58 code of 64 and 32 bits
        ]
        for (index, descriptor) in descriptors.enumerated() { session.machine.ram.put64(descriptor, at: table + 8 * index) }
        session.machine.ram.put64(0x00CF_9300_0000_FFFF | 0x42 << 16, at: localTable + 8)
        session.machine.processor.setGlobalDescriptorTable(base: UInt64(table), limit: UInt32(8 * descriptors.count - 1))
        return session
    }

    // MARK: Values

    @Test func `every register can be named, read and changed`() {
        let session = Self.session()
        let answers = session.type(
            "set fs_base 0xffff888000000000", "set gsbase 0x1000", "set k_gs_base 0x2000", "set ds base 0x3000", "set cr2 0x4000",
            "set cr3 0x1000", "set cr8 5", "set efer 0xd00", "set cr4 0xa0", "set cr0 0x80010011")
        #expect(answers[0] == ["FS_BASE 0x0 -> 0xffff888000000000"])
        #expect(answers[5] == ["CR3 0x1000 -> 0x1000"])
        #expect(answers[6] == ["CR8 0x0 -> 0x5"])
        #expect(answers[7] == ["EFER 0x501 -> 0xd00"])
        #expect(answers[9] == ["CR0 0x80000011 -> 0x80010011"])
        let processor = session.machine.processor
        #expect(processor.segment(.fs).base == 0xFFFF_8880_0000_0000 && processor.segment(.gs).base == 0x1000)
        #expect(processor.segment(.ds).base == 0x3000 && session.machine.host.read(.kernelGSBase) == 0x2000)
        #expect(session.machine.host.pageFaultAddress == 0x4000)
        #expect(processor.cr4.rawValue == 0xA0 && processor.cr0.rawValue == 0x8001_0011)
        #expect(session.machine.cpu.taskPriorityClass == 5)
    }

    // MARK: Segments

    @Test func `a selector brings its descriptor`() {
        let session = Self.session()
        let processor = session.machine.processor
        session.type("set ds 0x20")
        #expect(
            processor.segment(.ds)
                == Segment(selector: 0x20, base: 0x1234_5678, limit: 0xFFF, attributes: .init(rawValue: 0x4093)))
        session.type("set gs 0x2b")
        #expect(processor.segment(.gs) == Segment(selector: 0x2B, base: 0, limit: .max, attributes: .init(rawValue: 0xC0F3)))
        session.type("set ss 0x10")
        #expect(processor.segment(.ss) == Segment(selector: 0x10, base: 0, limit: .max, attributes: .init(rawValue: 0xC093)))
        session.type("set cs 0x18")
        #expect(processor.segment(.cs).attributes.rawValue == 0xC09B && processor.mode == .compatibility32)
        session.type("set cs 8")
        #expect(processor.mode == .long64)
        session.type("set cs 0x33")
        // Conforming code executes at the level that it is reached from.
        #expect(processor.segment(.cs).selector.rawValue == 0x30 && processor.privilegeLevel == 0)
    }

    @Test func `the null selector stands for no segment, where one can be done without`() {
        let session = Self.session()
        let answers = session.type("set ds 0", "set fs 3", "set ss 0", "set cs 0")
        #expect(session.machine.processor.segment(.ds) == .unusable)
        #expect(session.machine.processor.segment(.fs).selector.rawValue == 3)
        #expect(session.machine.processor.segment(.fs).attributes.rawValue == 0)
        #expect(answers[2] == ["SS 0x10 -> 0x0"] && answers[3] == ["error: CS needs a segment here"])
        #expect(Self.session(.paged32).type("set ss 0")[0] == ["error: SS needs a segment here"])
    }

    @Test func `a selector of the local table is looked for there`() {
        let session = Self.session()
        session.machine.processor.setSegment(.ldtr, .unusable)
        #expect(session.type("set ds 0xc")[0] == ["error: there is no local descriptor table"])
        session.machine.processor.setSegment(
            .ldtr, Segment(selector: 0x60, base: UInt64(Self.localTable), limit: 15, attributes: .localDescriptorTable))
        session.type("set ds 0xc")
        #expect(session.machine.processor.segment(.ds).base == 0x42)
        #expect(session.type("set ds 0x14")[0] == ["error: selector 0x14 is beyond its table, whose last byte is 0xf"])
    }

    @Test(arguments: [
        ("cs 0x10", "selects data, and CS needs code"), ("cs 0x58", "would fail: guest CS access rights"),
        ("cs 0xb", "that no jump from"),
        ("cs 0x28", "selects data"), ("ss 8", "does not select writable data"), ("ss 0x40", "does not select writable data"),
        ("ss 0x28", "does not have privilege level 0"), ("ss 0x13", "does not have privilege level 0"),
        ("ds 0x38", "code that cannot be read"),
        ("ds 0x13", "has a privilege level that cannot be reached"), ("ds 0x48", "does not describe a present segment"),
        ("ds 0x50", "does not describe a present segment"), ("ds 0x60", "beyond its table"),
        ("ds 0x10000", "a selector has 16 bits"),
        ("cs_base 0x100000000", "the VM entry would fail: guest CS base = 0x100000000: bits 63:32 must be 0"),
        ("fs_base 0x8000000000000000", "guest FS base = 0x8000000000000000: must be canonical"),
        ("rip 0x8000000000000000", "guest RIP = 0x8000000000000000: bits beyond"),
        ("rflags 0", "guest RFLAGS = 0x0: bit 1 must be 1"),
        ("rflags 0x8002", "guest RFLAGS = 0x8002: bits 63:22, 15, 5 and 3 must be 0"),
        ("rflags 0x20002", "RFLAGS.VM cannot be changed alone"),
        ("cr0 0x11", "a MOV of 0x11 to CR0 would raise an exception"), ("cr0 0x100000011", "a MOV"),
        ("cr4 0x80", "a MOV of 0x80 to CR4"),
        ("cr4 0x2020", "a MOV"), ("cr3 0x8000000000000000", "a MOV"), ("cr8 16", "a MOV"),
        ("efer 0x400", "a WRMSR of 0x400 to EFER"),
        ("efer 0xffff", "a WRMSR"), ("k_gs_base 0x8000000000000000", "is not canonical"),
    ])
    func `what cannot be is refused and changes nothing`(words: String, why: String) {
        let session = Self.session()
        let everything = session.machine.vmcs.contents
        let answer = session.type("set \(words)")[0]
        #expect(answer.count == 1 && answer[0].hasPrefix("error: ") && answer[0].contains(why), "\(answer)")
        #expect(session.machine.vmcs.contents == everything && session.machine.host.read(.kernelGSBase) == 0)
    }

    @Test func `a descriptor that is mapped nowhere is no segment`() {
        let session = Self.session()
        session.machine.map(Self.table, entry: 0)
        #expect(
            session.type("set ds 0x10")[0] == ["error: the guest's page tables map no memory at 0x91010, where the descriptor is"]
        )
    }

    @Test func `in real mode a selector is the base and nothing else`() {
        let session = Self.session(.real)
        session.type("set ds 0x1234", "set cs 0x1000")
        let data = session.machine.processor.segment(.ds), code = session.machine.processor.segment(.cs)
        #expect(
            data.selector.rawValue == 0x1234 && data.base == 0x1_2340 && data.limit == 0xFFFF && data.attributes == .realModeData)
        #expect(code.base == 0x1_0000 && code.attributes == .realModeCode)
    }

    // MARK: What hangs together

    @Test func `64-bit code cannot become 32-bit code at an address beyond 4 GiB`() {
        let session = Self.session()
        #expect(session.type("set rip 0xffffffff81000000")[0].count == 1)
        let answer = session.type("set cs 0x18")[0]
        #expect(
            answer == [
                "error: the VM entry would fail: guest RIP = 0xffffffff81000000: bits 63:32 must be 0 outside 64-bit mode (SDM volume 3, \"Checks on Guest RIP, RFLAGS, and SSP\")"
            ])
        #expect(session.machine.processor.mode == .long64)
    }

    @Test func `protection is not switched off under a user's program`() {
        let session = Self.session(.protected32)
        session.machine.enterUserMode()
        let answer = session.type("set cr0 0x10")[0]
        #expect(answer[0].contains("guest SS access rights") && session.machine.processor.cr0.rawValue == 0x11)
    }

    @Test func `a guest that is about to take an interrupt keeps RFLAGS.IF`() {
        let session = Self.session()
        session.type("set rflags 0x202", "inject interrupt 0x40")
        #expect(session.type("set rflags 2")[0][0].contains("IF must be 1 to inject an external interrupt"))
        #expect(session.machine.rflags == 0x202)
    }

    @Test func `a rule that is broken already keeps nobody from changing something else`() {
        let session = Self.session()
        session.type("set guest rflags 0")
        #expect(session.type("set cr0 0x80010011")[0] == ["CR0 0x80000011 -> 0x80010011"])
        #expect(session.type("set rflags 2")[0] == ["RFLAGS 0x0 -> 0x2"])
    }

    @Test func `control registers do with the guest what its own MOV would`() {
        let session = Self.session(.paged32)
        session.type("set cr0 0x11")
        #expect(session.machine.processor.mode == .protected32)
        session.type("set cr4 0x20", "set cr3 0x6000", "set cr0 0x80000011")
        // PAE paging: the four entries were loaded.
        #expect(session.machine.processor.pageDirectoryPointers()[0] == UInt64(TestMachine.Table.directory) | 1)
        session.type("set cr0 0x11", "set efer 0x100", "set cr3 0x1000", "set cr0 0x80000011")
        #expect(session.machine.processor.extendedFeatures.contains(.longModeActive))
        #expect(session.machine.processor.mode == .compatibility32)
    }
}
