import Debug
import Foundation
import StudyTools
import Testing
import VMX
import X86

/// GDB: registers.
@Suite struct GDBRegisterTests {
    /// What the packet "g" says of a register, by the description.
    static func registers(_ session: GDBSession) throws -> [String: String] {
        let answers = session.ask("qXfer:features:read:target.xml:0,3000", "g")
        var digits = answers[1][...]
        var values: [String: String] = [:]
        for match in answers[0].matches(of: /<reg name="(\w+)" bitsize="(\d+)"/) {
            let count = try #require(Int(match.2)) / 4
            values[String(match.1)] = String(digits.prefix(count))
            digits = digits.dropFirst(count)
        }
        #expect(digits.isEmpty)
        return values
    }

    static func session(_ mode: ProcessorMode, _ registers: [GuestRegister: UInt64]) -> GDBSession {
        let session = GDBSession()
        session.target.modes = [mode]
        session.target.registers = registers
        return session
    }

    @Test func `64-bit code has 64-bit registers, each where the description says`() throws {
        let session = Self.session(
            .long64,
            [
                .rax: 0x1122_3344_5566_7788, .r15: 0xFEDC_BA98_7654_3210, .rip: 0xFFFF_FFFF_8100_0000, .rflags: 0x246, .gs: 0x2B,
                .gsBase: 0xFFFF_8880_0000_0000, .kernelGSBase: 5, .cr0: 0x8005_0033, .cr3: 0x1234_5000, .efer: 0xD01,
                .csBase: 0x1000,
            ])
        let values = try Self.registers(session)
        #expect(values["rax"] == "8877665544332211" && values["r15"] == "1032547698badcfe")
        #expect(values["rip"] == "00000081ffffffff")  // no base in 64-bit mode
        #expect(values["eflags"] == "46020000" && values["gs"] == "2b000000")
        #expect(values["gs_base"] == "000000008088ffff" && values["k_gs_base"] == "0500000000000000")
        #expect(
            values["cr0"] == "3300058000000000" && values["cr3"] == "0050341200000000" && values["efer"] == "010d000000000000")
        #expect(values["st0"] == "xxxxxxxxxxxxxxxxxxxx" && values["fop"] == "xxxxxxxx" && values["cr8"] == "xxxxxxxxxxxxxxxx")
        #expect(values.count == 53)
    }

    @Test func `32-bit code has 32-bit registers, in the order of its encodings`() throws {
        let session = Self.session(.protected32, [.rax: 0x1_0000_0001, .rcx: 2, .rsp: 0x9000, .rip: 0x10_0000, .cr0: 0x11])
        let values = try Self.registers(session)
        #expect(values["eax"] == "01000000" && values["ecx"] == "02000000" && values["esp"] == "00900000")
        #expect(values["eip"] == "00001000" && values["cr0"] == "11000000" && values["r8"] == nil && values.count == 45)
        #expect(session.ask("p1", "p4", "p8") == ["02000000", "00900000", "00001000"])
    }

    @Test(arguments: [ProcessorMode.real, .protected16, .protected32])
    func `the program counter is linear outside 64-bit mode, and is written so`(mode: ProcessorMode) throws {
        let session = Self.session(mode, [.rip: 0xFFF0, .csBase: 0xFFFF_0000, .cs: 0xF000])
        #expect(session.ask("p8") == ["f0ffffff"])
        #expect(session.ask("P8=02000100") == ["OK"])
        #expect(session.target.registers[.rip] == 0x2_0002)  // it wraps around
        #expect(session.ask("cffff1234").isEmpty && session.target.registers[.rip] == 0x1234)
    }

    @Test(arguments: [
        (ProcessorMode.real, "i8086"), (.virtual8086, "i8086"), (.protected16, "i8086"), (.compatibility16, "i8086"),
        (.protected32, "i386"), (.compatibility32, "i386"), (.long64, "i386:x86-64"),
    ])
    func `the description is of the guest's mode when it is asked for`(mode: ProcessorMode, name: String) {
        let session = Self.session(mode, [:])
        let text = session.ask("qXfer:features:read:target.xml:0,4000")[0]
        #expect(text.hasPrefix("l<?xml") && text.hasSuffix("</feature></target>"))
        #expect(text.contains("<architecture>\(name)</architecture>"))
        #expect(text.contains("<flags id=\"cr0\" size=\"\(mode == .long64 ? 8 : 4)\"><field name=\"PE\" start=\"0\" end=\"0\"/>"))
    }

    @Test func `the description comes in parts of any size, which make the whole`() throws {
        let session = Self.session(.long64, [:])
        let whole = session.ask("qXfer:features:read:target.xml:0,ffffffffffffffff")[0].dropFirst()
        for size in [1000, 1, 333] {
            var text = "", isLast = false
            while !isLast && text.count <= whole.count {
                let part = session.ask(
                    "qXfer:features:read:target.xml:\(String(text.count, radix: 16)),\(String(size, radix: 16))")[0]
                isLast = part.hasPrefix("l")
                text += part.dropFirst()
            }
            #expect(text == whole)
        }
        #expect(session.ask("qXfer:features:read:target.xml:ffffffffffffffff,10") == ["l"])
        #expect(
            session.ask("qXfer:features:read:other.xml:0,10", "qXfer:features:read:target.xml:0", "qXfer:memory-map:read::0,10")
                == ["E01", "E01", ""])
    }

    @Test func `a description that is being read stays the same while the guest changes its mode in between`() {
        let session = Self.session(.long64, [:])
        _ = session.ask("qXfer:features:read:target.xml:0,10")
        session.target.modes = [.real]
        #expect(session.ask("qXfer:features:read:target.xml:30,200")[0].contains("x86-64"))
        #expect(session.ask("qXfer:features:read:target.xml:0,200")[0].contains("i8086"))
    }

    @Test func `a guest that changes its mode is reported, once, and keeps the layout until the debugger asks again`() {
        let session = Self.session(.protected32, [.rax: 0x1_2345_6789])
        _ = session.ask("qXfer:features:read:target.xml:0,10")
        session.target.modes = [.long64]
        let answers = session.ask("p0", stop: DebugStop(.step))
        #expect(
            GDBSession.console(answers)
                == "The guest executes 64-bit code now, and this is set up for 32-bit code: type \"unset tdesc filename\".\n")
        #expect(answers.dropFirst() == ["T05thread:1;", "89674523"])
        #expect(session.ask(stop: DebugStop(.step)) == ["T05thread:1;"])
        #expect(session.ask("qXfer:features:read:target.xml:0,1", "p0", stop: DebugStop(.step)).last == "8967452301000000")
        #expect(session.ask(stop: DebugStop(.step)) == ["T05thread:1;"])
        session.target.modes = [.real]
        #expect(session.ask(stop: DebugStop(.step)).count == 2)
        session.target.modes = [.long64]
        #expect(session.ask(stop: DebugStop(.step)).count == 1)
        session.target.modes = [.real]
        #expect(session.ask(stop: DebugStop(.step)).count == 2)
    }

    @Test func `registers are written one by one and all together, and only what changes`() throws {
        let session = Self.session(.long64, [.rax: 1, .rip: 0x1000, .cr0: 0x11])
        session.target.frozen = [.cr0]
        #expect(
            session.ask("P1=efcdab8967452301", "P10=0020000000000000", "P2f=1000000000000000") == [
                "OK", "OK", "E.?frozen?: ?GP?",
            ])
        #expect(session.target.registers[.rbx] == 0x0123_4567_89AB_CDEF && session.target.registers[.rip] == 0x2000)
        var all = session.ask("g")[0].replacing("x", with: "0")
        all.replaceSubrange(all.startIndex..<all.index(all.startIndex, offsetBy: 16), with: "0a00000000000000")
        session.target.frozen = [.cr0, .rcx]
        #expect(session.ask("G" + all) == ["OK"])
        #expect(session.target.registers[.rax] == 10 && session.target.registers[.cr8] == nil)
        session.target.frozen = [.rax]
        #expect(session.ask("G" + all.replacing("0a00000000000000", with: "0b00000000000000")) == ["E.?frozen?: ?GP?"])
    }

    @Test func `the fields of the VMCS are registers in a group of their own, which no packet of all registers has`() {
        let session = Self.session(.long64, [:])
        let field = VMCSField<UInt64, Writable>.guestCR3.encoding
        let host = VMCSField<UInt64, Writable>.hostRIP.encoding
        session.target.fields = [field, host, VMCSField<UInt16, Writable>.virtualProcessorIdentifier.encoding]
            .compactMap { encoding in VMCSFieldDescription.position(of: encoding).map { VMCSFieldDescription.field(at: $0) } }
        session.target.fieldValues = [field: 0x1234_5000, host: 0xFFFF, session.target.fields[2].encoding: 7]
        let text = session.ask("qXfer:features:read:target.xml:0,4000")[0]
        #expect(
            text.contains("<feature name=\"org.martlet.vmcs\"><struct id=\"vmcs\"><field name=\"guest_cr3\" type=\"uint64\"/>"))
        #expect(
            text.contains("<reg name=\"guest_cr3\" bitsize=\"64\" type=\"uint64\"/>")
                && text.contains("<reg name=\"vmcs\" bitsize=\"192\" type=\"vmcs\"/>"))
        #expect(text.contains("<reg name=\"virtual_processor_identifier_vpid\" bitsize=\"16\" type=\"uint16\"/>"))
        #expect(session.ask("p35", "p37", "g")[..<2] == ["0050341200000000", "0700"])
        #expect(
            session.ask("P35=0060000000000000", "P36=0000000000000000", "p35", "p38", "p39") == [
                "OK", "E.the field is not part of the guest state", "0060000000000000",
                "0060000000000000ffff0000000000000700000000000000", "E01",
            ])
    }

    @Test func `a register that is not there is not written`() {
        #expect(Self.session(.long64, [:]).ask("P18=00000000000000000000") == ["E16"])
    }

    @Test(arguments: [
        "g1", "p", "p35", "pffffffffffffffff", "p10000000000000000", "p0,", "P0", "P0=", "P0=12", "P0=112233445566778899",
        "P35=00", "P0=xxxxxxxxxxxxxxxx",
        "G", "G00", "G" + String(repeating: "0", count: 761), "G" + String(repeating: "x", count: 760),
    ])
    func `malformed questions are errors`(packet: String) {
        let session = Self.session(.long64, [.rax: 7])
        #expect(session.ask(packet) == ["E01"])
        #expect(session.target.registers == [.rax: 7])
    }
}
