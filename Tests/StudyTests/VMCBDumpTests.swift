import SVM
import Support
import Testing

@testable import ExplainTools

/// VMCB dumps.
@Suite struct VMCBDumpTests {
    private func answer(_ text: String, _ options: String...) -> Explained {
        options.isEmpty
            ? Explained("vmcb", "f", files: ["f": text]) : Explained("vmcb", "f", options[0], options[1], files: ["f": text])
    }

    @Test func `KVM's dump: EFER lacks SVME`() throws {
        let text = try DumpTests.file("vmcb-kvm-6.12.txt")
        let answer = answer(text)
        #expect(answer.status == 1)
        #expect(answer.text.contains("a VMCB in KVM's dump_vmcb format, 91 fields"))
        #expect(answer.text.contains("VMEXIT_INVALID (APM volume 2, \"SVM Intercept Exit Codes\")"))
        #expect(answer.text.contains("EVENTINJ = 0x1880000b0d (exception, #GP, vector 13, error code 0x18)"))
        #expect(answer.text.contains("CS attributes = 0xa9b (code, DPL 0, 64-bit)"))
        #expect(
            answer.text.contains("intercept vector 4 = 0x624f (VMRUN, VMMCALL, VMLOAD, VMSAVE, SKINIT, WBINVD, XSETBV, RDPRU)"))
        #expect(answer.text.contains("1 check left out, which fields decide that the dump does not have:\n  S_CET:"))
        #expect(answer.text.contains("1 rule is broken:\n  EFER = 0xd01: SVME (bit 12) must be 1"))
        #expect(answer.lines.last == "VMRUN with it: VMEXIT_INVALID")
        let repaired = self.answer(text.replacing("efer:          0000000000000d01", with: "efer:          0000000000001d01"))
        #expect(repaired.status == 0)
        #expect(repaired.lines.last == "every rule that could be checked holds")
    }

    @Test func `every field of KVM's dump is read, those in base 10 and those in two parts as well`() throws {
        let dump = try #require(DumpedVMCB.read(try DumpTests.file("vmcb-kvm-6.12.txt")).first)
        let expected: [VMCBFieldName: UInt64] = [
            .interceptVector0: 0x10_0010, .interceptVector1: 0xFF_00FF, .interceptVector3: 0xBD4C_8027, .pauseFilterCount: 3000,
            .pauseFilterThreshold: 128, .timeStampCounterOffset: 0xFFFF_FF86_D5B0_A1F2, .guestASID: 1, .exitCode: .max,
            .virtualInterrupts: 0x300_0200, .nestedCR3: 0x1_09C5_E000, .virtualizationControl: 2, .gsBase: 0xFFFF_8880_BBA0_0000,
            .gdtrLimit: 0x7F, .trAttributes: 0x8B, .cpl: 0, .cr4: 0x35_0EF0, .dr6: 0xFFFF_0FF0, .rip: 0xFFFF_FFFF_81E0_0A40,
            .star: 0x23_0010_0000_0000, .sysenterCS: 0x10, .guestPAT: 0x0407_0506_0007_0106, .lastExceptionTo: 0,
        ]
        for (field, value) in expected { #expect(dump.values[field] == value, "\(field)") }
        #expect(dump.conflicts.isEmpty)
    }

    @Test func `newer kernels print other names and a wider exit code`() throws {
        let text = try DumpTests.file("vmcb-kvm-6.12.txt")
            .replacing("nested_ctl:         1", with: "misc_ctl:           1")
            .replacing("virt_ext:           2", with: "misc_ctl2:          2")
            .replacing("exit_code:          ffffffff", with: "exit_code:          0000000000000400")
            .replacing("exit_info1:         0000000000000000", with: "exit_info1:         0000000100000006")
            .replacing("intercepts:         bd4c8027 0000624f", with: "intercepts:         bd4c8027 0000624f 00000044")
        let dump = try #require(DumpedVMCB.read(text).first)
        #expect(dump.values[.nestedControl] == 1 && dump.values[.virtualizationControl] == 2)
        #expect(dump.values[.interceptVector5] == 0x44)
        #expect(answer(text).text.contains("VMEXIT_NPF"))
        #expect(answer(text).text.contains("in the final translation of the guest-physical address"))
    }

    @Test func `Xen's dump: CR0 has NW without CD`() throws {
        let text = try DumpTests.file("vmcb-xen-4.19.txt")
        let answer = answer(text)
        #expect(answer.status == 1)
        #expect(answer.text.contains("a VMCB in Xen's svm_vmcb_dump format, 75 fields"))
        #expect(answer.text.contains("1 rule is broken:\n  CR0 = 0xa0050033: NW needs CD"))
        #expect(answer.text.contains("EVENTINJ = 0x80000231 (NMI, ignored)"))
        #expect(self.answer(text.replacing("0x00000000a0050033", with: "0x0000000080050033")).status == 0)
        // A mail program's broken lines and marks of quotation change nothing.
        let folded = text.replacing(" msrpm_base_pa", with: "\nmsrpm_base_pa").replacing("RIP = 0x", with: "RIP =\n0x")
        #expect(self.answer(folded).lines == answer.lines)
        #expect(self.answer(text.split(separator: "\n").map { "> " + $0 }.joined(separator: "\n")).lines == answer.lines)
    }

    @Test func `the width of physical addresses can be given`() throws {
        let text = try DumpTests.file("vmcb-xen-4.19.txt").replacing("0x00000000a0050033", with: "0x0000000080050033")
        let answer = answer(text, "--physical-width", "35")
        #expect(answer.text.contains("3 rules are broken:"))
        #expect(answer.text.contains("IOPM_BASE_PA = 0x83ff70000: the map must end below the highest physical address"))
    }

    @Test func `a log with two dumps gives two answers; a damaged field and a missing one are told`() throws {
        let kvm = try DumpTests.file("vmcb-kvm-6.12.txt")
        let answer = answer("boot\n" + kvm + "more\n" + kvm)
        #expect(answer.lines.contains("dump 1 of 2") && answer.lines.contains("dump 2 of 2"))
        #expect(self.answer(kvm.replacing("tr:   s: 0040", with: "tr:   s: 10040")).text.contains("damaged: TR selector"))
        let without = kvm.split(separator: "\n").filter { !$0.contains("efer:") && !$0.contains("asid:") }.joined(separator: "\n")
        let partial = self.answer(without)
        #expect(partial.status == 0)
        #expect(partial.text.contains("  EFER: SVME (bit 12) must be 1") && partial.text.contains("  Guest ASID: must not be 0"))
    }
}
