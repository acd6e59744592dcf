import Foundation
import Memory
import Support
import StudyTools
import Testing
import VMX
import X86

@testable import ExplainTools

/// VMCS dumps.
@Suite struct DumpTests {
    static func file(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Dumps")
        return try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }

    private func answer(_ text: String) -> Explained { Explained("vmcs", "f", files: ["f": text]) }

    @Test func `KVM's dump of an entry that failed: SS has another privilege level than CS`() throws {
        let text = try Self.file("kvm-6.1.txt")
        let answer = answer(text)
        #expect(answer.status == 1)
        #expect(answer.text.contains("a VMCS in KVM's dump_vmcs format, 105 fields"))
        #expect(
            answer.text.contains("1 rule is broken:\n  guest CS access rights = 0xa09b: types 9 and 11 need DPL equal to SS.DPL"))
        #expect(answer.text.contains("guest IA32_EFER,"))  // KVM prints what it reckons, which is not the field
        #expect(answer.text.contains("  address of MSR bitmaps: must be the physical address of a page"))
        #expect(!answer.text.contains("address of I/O bitmap A: must"))  // the control that uses it is off
        #expect(answer.text.contains("VM entry with it: entry failure 33 qualification 0"))
        let repaired = self.answer(text.replacing("attr=0x0c0f3", with: "attr=0x0c093"))
        #expect(repaired.status == 0)
        #expect(repaired.lines.last == "every rule that could be checked holds")
    }

    @Test func `Xen's dump: an external interrupt is to be injected while IF is 0`() throws {
        let text = try Self.file("xen-4.19.txt")
        let answer = answer(text)
        #expect(answer.status == 1)
        #expect(answer.text.contains("a VMCS in Xen's vmcs_dump_vcpu format"))
        #expect(answer.text.contains("1 rule is broken:\n  guest RFLAGS = 0x46: IF must be 1 to inject an external interrupt"))
        #expect(self.answer(text.replacing("intr_info=800000d1", with: "intr_info=00000000")).status == 0)
        // A mail program's broken lines and marks of quotation change nothing.
        let folded = text.replacing(", gh_mask", with: ",\ngh_mask").replacing("RIP = 0x", with: "RIP =\n0x")
        #expect(self.answer(folded).lines == answer.lines)
        #expect(self.answer(text.split(separator: "\n").map { "> " + $0 }.joined(separator: "\n")).lines == answer.lines)
    }

    @Test func `our dump, with the processor's capabilities: an activity state that does not exist`() throws {
        let text = try Self.file("martlet.txt")
        let capabilities = try Self.file("skylake_x.capabilities")
        let answer = Explained(
            "vmcs", "f", "--capabilities", "c", "--physical-width", "39", "--linear-width", "48",
            files: ["f": text, "c": capabilities])
        #expect(answer.status == 1)
        #expect(answer.text.contains("a VMCS in Martlet's format"))
        #expect(!answer.text.contains("offers all that the manual defines"))
        #expect(
            answer.text.contains("1 rule is broken:\n  guest activity state = 0x7: must be a state that the processor offers"))
        #expect(!answer.text.contains("checks left out"))
    }

    @Test func `a log with two dumps and other lines gives two answers; an empty field is reported as damaged`() throws {
        let kvm = try Self.file("kvm-6.1.txt")
        let answer = answer(
            "boot\n" + kvm + "more\n" + kvm.replacing("base=0xffff888000000000", with: "base=0x1ffff888000000000"))
        #expect(answer.lines.contains("dump 1 of 2"))
        #expect(answer.lines.contains("dump 2 of 2"))
        let damaged = self.answer(kvm.replacing("sel=0x0040", with: "sel=0x10040"))
        #expect(damaged.text.contains("damaged: guest TR selector"))
    }

    @Test func `what a missing field decides is left out, never called broken`() throws {
        let text = try Self.file("xen-4.19.txt")
        let without = text.split(separator: "\n").filter { !$0.contains("RFLAGS=") }.joined(separator: "\n")
        let answer = answer(without)
        #expect(answer.text.contains("  guest RFLAGS: IF must be 1 to inject an external interrupt"))
        #expect(
            answer.text.contains(" that the dump does not have:")
                && answer.text.contains("checks left out, which those fields decide:"))
        #expect(!answer.text.contains("broken:"))
        #expect(answer.status == 0)
        // Without the controls hardly anything is certain.
        let controls = text.split(separator: "\n").filter { !$0.contains("Controls=") && !$0.contains("CPUBased") }
        #expect(self.answer(controls.joined(separator: "\n")).text.contains("  primary processor-based VM-execution controls: "))
    }

    @Test func `a single field that is missing is reported as one`() throws {
        let missing = VMCSField<RFlags, Writable>.guestRFLAGS.encoding
        let text = lines { VMCSDump.report(reading: { $0 == missing ? nil : $0.area == .hostState ? 0xFFFF : 0 }, to: $0) }
        let answer = answer(text.joined(separator: "\n"))
        #expect(answer.text.contains("\n1 field that the dump does not have:\n  guest RFLAGS\n"))
    }

    @Test func `our text holds every field and is read back as it was written`() throws {
        var generator = FixedSeedGenerator(seed: 7)
        for round in 0..<4 {
            var values: [VMCSFieldEncoding: UInt64] = [:]
            for position in 0..<VMCSFieldDescription.count {
                let field = VMCSFieldDescription.field(at: position).encoding
                values[field] = (round == 0 ? 0 : round == 1 ? .max : generator.next()) & field.valueMask
            }
            let text = lines { VMCSDump.report(reading: { values[$0] }, to: $0) }
            #expect(!text.contains { $0.hasSuffix("...") })
            let dumps = DumpedVMCS.read(text.joined(separator: "\n"))
            #expect(dumps.count == 1)
            #expect(dumps.first?.values == values)
            #expect(dumps.first?.conflicts.isEmpty == true)
        }
    }

    @Test func `our text says what the fields mean`() throws {
        let text = try Self.file("martlet.txt")
        for line in [
            "[guest state]", "[host state]", "[control fields]", "[VM-exit information]",
            "guest CS access rights = 0x0000a09b (code, readable, accessed, DPL 0, 64-bit)",
            "guest LDTR access rights = 0x00010000 (unusable)", "VM-entry interruption-information field = 0x00000000 (no event)",
            "guest activity state = 0x00000007 (reserved)", "VMCS link pointer = 0xffffffffffffffff (none)",
        ] { #expect(text.contains(line + "\n"), "\(line)") }
    }
}
