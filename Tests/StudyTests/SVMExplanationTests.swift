import SVM
import StudyTools
import Support
import Testing
import Text
import X86

@testable import ExplainTools

/// Numbers of SVM in words.
@Suite struct SVMExplanationTests {
    static let codes = (0..<UInt8(SVMExitCode.count)).map { SVMExitCode(rawValue: $0)! }

    @Test(arguments: codes)
    func `every exit code has its name, a sentence, what asks for it, and what EXITINFO1 and EXITINFO2 hold`(_ code: SVMExitCode)
    {
        let number = "0x" + String(code.number, radix: 16)
        let answer = Explained("exit-code", number)
        #expect(answer.status == 0 && answer.lines.count == 4)
        #expect(answer.lines[0] == "exit code \(number): \(code.fullName) (APM volume 2, \"SVM Intercept Exit Codes\")")
        #expect(answer.lines[2].contains("asked for by: bit") == (code.interceptBit != nil))
        for value in ["0", "0xffffffffffffffff", "0x5555555555555555"] {
            let answer = Explained("exit-code", number, value, value)
            #expect(
                answer.lines.contains { $0.hasPrefix("EXITINFO1 = ") } && answer.lines.contains { $0.hasPrefix("EXITINFO2 = ") })
            #expect(answer.status == 0 && answer.lines.count >= 8 && !answer.lines.contains { $0.hasSuffix("...") })
        }
    }

    @Test func `a code in 32 bits is taken for what it stands for, and one that does not exist is told`() {
        #expect(Explained("exit-code", "0xffffffff").lines[0].contains("VMEXIT_INVALID"))
        #expect(
            Explained("exit-code", "0x404").lines == [
                "exit code 0x404: the manual has no such code (APM volume 2, \"SVM Intercept Exit Codes\")"
            ])
        #expect(Explained("exit-code", "0x10").lines[1] == "  MOV to CR0, CLTS or LMSW")
        #expect(Explained("exit-code", "0x4e").lines[1] == "  the exception #PF, which was not delivered to the guest")
        #expect(Explained("exit-code", "0x94").lines[1] == "  CR4 was written; the instruction is over")
    }

    @Test(
        arguments: [
            ("0x7b 0x3f80211 0x1234", ["IN or INS", "8-bit operand", "64-bit addresses", "port 0x3f8", "lies at 0x1234"]),
            ("0x7b 0xcfc0c4c 0", ["OUT or OUTS", "a string instruction", "a REP prefix", "32-bit operand", "port 0xcfc", "DS"]),
            (
                "0x400 0x200000007 0x1000",
                ["rights, write, user", "in the walk of the guest's own page tables", "guest-physical address 0x1000"]
            ),
            ("0x7d 0x28 0x101000000008", ["selector 0x28", "by IRET", "the error code for the new task's stack"]),
            ("0x7d 0x28 0", ["by CALL, an interrupt or an exception", "undefined: there is no error code"]),
            ("0x7c 1 0", ["WRMSR"]), ("0x7c 0 0", ["RDMSR"]), ("0x14 0x8000000000000003 0", ["MOV", "RBX is the other operand"]),
            ("0x10 0 0", ["CLTS, LMSW or SMSW"]), ("0x37 9 0", ["R9 is the other operand"]), ("0x75 0x80 0", ["vector 0x80"]),
            ("0x79 0x1234 0", ["the linear address 0x1234"]), ("0x4e 2 0xdead", ["not present, write, supervisor", "0xdead"]),
            ("0x4d 0x18 0", ["the error code that the exception would push"]),
            ("0xa2 0x10 2", ["linear address 0x10", "the type of INVPCID"]),
            ("0x62 0x00b2002600000001 5", ["from outside", "during a port instruction", "a string instruction", "port 0xb2"]),
            ("0x62 0 0", ["by an I/O trap", "not during a port instruction"]),
            ("0x401 0x40fd 0x100000003", ["the target is not running", "index 3"]),
            ("0x402 0x1000000b0 0x31", ["offset 0xb0", "a write", "vector 0x31"]),
            ("0x93 0x1000 0", ["the value that was written"]),
        ] as [(String, [String])])
    func `EXITINFO1 and EXITINFO2 are told by the code`(_ words: String, _ expected: [String]) throws {
        let words = words.split(separator: " ").map(String.init)
        let answer = Explained("exit-code", words[0], words[1], words[2])
        for text in expected { #expect(answer.text.contains(text), "\(text) in \(answer.text)") }
        #expect(!answer.text.contains("reserved: must be 0"))
    }

    @Test func `an event is told by its type`() {
        #expect(Explained("event", "0x680000b0e").text.contains("bits 7:0    0xe    VECTOR: #PF, vector 14"))
        #expect(Explained("event", "0x80000031").text.contains("TYPE: external or virtual interrupt"))
        #expect(Explained("event", "0x80000202").text.contains("TYPE: NMI"))
        #expect(Explained("event", "0x80000480").text.contains("software interrupt (INT n)"))
        #expect(Explained("event", "0x80000100").text.contains("TYPE: reserved type"))
        #expect(Explained("event", "0x80000309").text.contains("VECTOR: vector 0x9"))
        #expect(Explained("event", "0x30e").text.contains("V: there is no event"))
        #expect(Explained("event", "0x80001031").text.contains("bit 12      1      reserved: must be 0"))
    }

    @Test func `every bit of every control is told`() {
        for vector in 0...5 {
            let text = Explained("intercepts", "\(vector)", "0xffffffff").lines
            let reserved = text.filter { $0.contains("reserved") }.count
            #expect(text.count == 33 && reserved == (vector == 5 ? 25 : 0))
        }
        #expect(Explained("intercepts", "4", "1").text.contains("bit 0       1      VMRUN: VMRUN; must be 1"))
        for (control, bits) in [("shadow", 2), ("nested", 8), ("virtualization", 4), ("clean", 13)] {
            let text = Explained("vmcb-control", control, control == "clean" ? "0xffffffff" : "0xffffffffffffffff").lines
            #expect(text.filter { !$0.contains("reserved") }.count == bits + 1, "\(control)")
        }
        #expect(toldBits(Explained("vmcb-control", "virtual-interrupts", "0xffffffffffffffff").lines) == Set(0..<64))
        #expect(
            Explained("vmcb-control", "tlb", "3").lines == [
                "TLB_CONTROL 3: at VMRUN this guest's translations are flushed (APM volume 2, \"TLB Flush\")"
            ])
        #expect(Explained("vmcb-control", "tlb", "2").text.contains("reserved"))
        #expect(Explained("vm-cr", "0x18").text.contains("bit 4       1      SVMDIS: EFER.SVME cannot be set"))
        let features = Explained("svm-features", "1", "16", "0x40", "0xffffffff")
        #expect(features.lines[0] == "SVM revision 1, 16 ASIDs with that of the host, x2AVIC with 4096 processors")
        #expect(features.lines.count == 34 && features.lines.filter { $0.contains("reserved") }.count == 4)
    }

    @Test func `an entry of the nested tables is told by its level`() {
        #expect(Explained("npt-entry", "0x100000e7", "2").text.contains("the page of 2 MiB at host-physical 0x10000000"))
        #expect(Explained("npt-entry", "0x1067").text.contains("the page of 4 KiB at host-physical 0x1000"))
        #expect(Explained("npt-entry", "0x1007", "4").text.contains("the table of level 3 at host-physical 0x1000"))
        #expect(Explained("npt-entry", "0x1003").text.contains("US: supervisor, which lets no access of the guest's through"))
        #expect(Explained("npt-entry", "0x1006").text.contains("every access is a nested page fault"))
        #expect(Explained("npt-entry", "0x1187", "4").text.contains("reserved bits 0x180 are set"))
        for level in 1...5 {
            let text = Explained("npt-entry", "0xffffffffffffffff", "\(level)").lines
            #expect(text.count > 5 && !text.contains { $0.hasSuffix("...") })
        }
    }

    @Test func `a segment's attributes and places in the permission maps are told`() {
        #expect(
            Explained("attributes", "0xa9b").lines == [
                "segment attributes 0xa9b: code, DPL 0, 64-bit (APM volume 2, \"VMRUN Instruction\")",
                "  in a descriptor: 0xa09b",
            ])
        #expect(Explained("attributes", "0").text.contains("not present"))
        #expect(Explained("attributes", "0x8b").text.contains("system segment of type 11, DPL 0"))
        #expect(Explained("permission-map", "msr", "0xc0000080").text.contains("WRMSR exits by bit 1 of byte 0x820"))
        #expect(Explained("permission-map", "msr", "0x40000000").text.contains("RDMSR has no bit there"))
        #expect(Explained("permission-map", "io", "0x3f8").text.contains("an access of 1 byte exits by bit 0 of byte 0x7f"))
    }

    @Test func `wrong arguments are refused with what is wrong`() {
        #expect(Explained("intercepts", "6", "0").complaints.first?.contains("from 0 to 5") == true)
        #expect(Explained("vmcb-control", "foo", "1").complaints.first?.contains("no control \"foo\"") == true)
        #expect(Explained("npt-entry", "1", "6").complaints.first?.contains("from 1 to 5") == true)
        #expect(Explained("npt-entry", "1", "0xffffffffffffffff").complaints.first?.contains("from 1 to 5") == true)
        #expect(Explained("permission-map", "foo").complaints.first?.contains("no map \"foo\"") == true)
        #expect(Explained("attributes", "0x1000").complaints.first?.contains("does not fit in 12 bits") == true)
        #expect(Explained("vmcb", "nowhere").complaints.first?.contains("nowhere cannot be read: no such file") == true)
        #expect(Explained("vmcb", "f", files: ["f": "hello"]).complaints.first?.contains("no VMCB dump in f") == true)
        #expect(Explained("vmcb", "f", "--frob", files: ["f": ""]).complaints.first?.contains("no option \"--frob\"") == true)
        #expect(
            Explained("vmcb", "f", "--physical-width", "60", files: ["f": ""]).complaints.first?.contains("from 32 to 52") == true
        )
    }
}
