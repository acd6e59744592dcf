import Foundation
import Testing
import Trace
import VMX

@testable import TraceTools

@Suite struct PageTests {
    /// The data that a page holds.
    private func data(_ page: String) throws -> [String: Any] {
        let start = try #require(page.range(of: "<script id=\"data\" type=\"application/json\">")).upperBound
        let end = try #require(page.range(of: "</script>", range: start..<page.endIndex)).lowerBound
        return try #require(try JSONSerialization.jsonObject(with: Data(page[start..<end].utf8)) as? [String: Any])
    }

    @Test func `the page is whole in itself and holds the records`() throws {
        var trace = SmallTrace(guest: "</script><b>\"")
        trace.exit(.cpuid)
        trace.end()
        let page = HTMLExport(try trace.file(), name: "</script>").page
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("@DATA@"))
        let data = try data(page)
        let run = try #require((data["runs"] as? [[String: Any]])?.first)
        let guest = try #require((run["guests"] as? [[String: Any]])?.first)
        #expect(run["name"] as? String == "</script>")
        #expect(guest["name"] as? String == "\u{3F}/script><b>\"" || guest["name"] as? String == "</script><b>\"")
        let records = try #require(Data(base64Encoded: guest["records"] as? String ?? ""))
        #expect(records == Data(trace.bytes[120..<240]))
        #expect(data["reasons"] as? [String] == ["CPUID"])
        #expect(data["comparison"] is NSNull)
    }

    @Test func `a reason has one number on the page, the most frequent the first, in both runs`() throws {
        var other = SmallTrace()
        for _ in 0..<3 { other.exit(.eptViolation) }
        other.exit(.entryFailureGuestState) { $0.reason |= 1 << 31 }
        other.exit(.entryFailureMSRLoading) { $0.reason |= 1 << 31 }
        let data = try data(HTMLExport(try SmallTrace.three.file(), try other.file(), names: ("a", "b")).page)
        #expect(data["reasons"] as? [String] == ["EPT violation", "VM-entry failure", "CPUID", "I/O instruction"])
    }

    // Colours.

    private func paper() throws -> [SightColor] {
        let page = HTMLExport(try SmallTrace.three.file()).page
        return page.matches(of: /--panel: (#[0-9a-f]{6})/).map { SightColor(String($0.1)) }
    }

    @Test func `any two colours are distinguishable to every kind of eyes, and from the background`() throws {
        let papers = try paper()
        #expect(papers.count == 2)
        for (names, paper) in zip([ReasonColors.light, ReasonColors.dark], papers) {
            let colors = names.map { SightColor($0) }
            for (index, color) in colors.enumerated() {
                #expect(color.contrast(to: paper) >= 3, "\(names[index])")
                for other in 0..<index {
                    for eyes in SightColor.Eyes.allCases {
                        let difference = color.difference(to: colors[other], eyes)
                        #expect(difference >= 15, "\(names[index]) and \(names[other]) to \(eyes) eyes: \(difference)")
                    }
                }
            }
        }
        #expect(ReasonColors.light.count == ReasonColors.dark.count)
    }

    @Test func `every reason has its own look`() throws {
        var trace = SmallTrace()
        for number in 0..<UInt32(90) { trace.exit(.cpuid) { $0.reason = number } }
        trace.exit(.entryFailureGuestState) { $0.reason |= 1 << 31 }
        let reasons = try #require(try data(HTMLExport(try trace.file()).page)["reasons"] as? [String])
        #expect(Set(reasons).count == reasons.count)
        #expect(reasons.count <= ReasonColors.light.count * ReasonColors.textures.count)
    }

    // Decoding.

    private func decoding(
        _ reason: BasicExitReason, qualification: UInt64 = 0, _ change: @escaping (inout ExitRecord) -> Void = { _ in }
    )
        throws
        -> ExitDecoding
    {
        var trace = SmallTrace()
        trace.exit(reason, qualification: qualification, change)
        return ExitDecoding(try trace.file().guests[0].exits[0])
    }

    @Test func `CR0, rights and qualification are put into words`() throws {
        let port = try decoding(.ioInstruction, qualification: 0x3F8 << 16)
        #expect(port.qualification.contains("port 0x3f8") && port.qualification.contains("OUT: the guest writes"))
        #expect(port.controlRegister0.contains("PE: protected mode") && port.controlRegister0.contains("PG: paging"))
        #expect(port.accessRights.contains("L: 64-bit code"))
        let violation = try decoding(.eptViolation, qualification: 0x181)
        #expect(violation.qualification.contains("a data read") && violation.operandName == "guest-physical address")
        #expect(try decoding(.cpuid).qualification == "", "CPUID has none")
    }

    @Test func `an exception's qualification and error code are explained for its vector`() throws {
        let page = try decoding(.exceptionOrNMI, qualification: 0x1234) {
            $0.interruption = 0x8000_0B0E; $0.operand = 2
        }
        #expect(page.qualification == "the linear address 0x1234")
        #expect(page.operand == "not present, write, supervisor")
        #expect(page.interruption.contains("#PF"))
        let step = try decoding(.exceptionOrNMI, qualification: 0x4000) { $0.interruption = 0x8000_0301 }
        #expect(step.qualification.contains("a single step (BS)") && !step.qualification.contains("#PF"))
        let refused = try decoding(.exceptionOrNMI) {
            $0.interruption = 0x8000_0B0D; $0.operand = 0x2B
        }
        #expect(refused.operand == "entry 5 of the IDT, while an event was delivered")
        #expect(
            try decoding(.exceptionOrNMI) {
                $0.interruption = 0x8000_0B0D; $0.operand = 0x28
            }.operand == "entry 5 of the GDT")
    }

    @Test func `what goes to a control register or an MSR is decoded, and what is delivered`() throws {
        let write = try decoding(.controlRegisterAccess, qualification: 0x304) { $0.operand = 0x20 }
        #expect(write.operand.contains("PAE") && write.operandName == "the source register")
        let efer = try decoding(.wrmsr) {
            $0.rcx = 0xC000_0080; $0.rax = 0x500; $0.rdx = 0
        }
        #expect(efer.register.contains("IA32_EFER") && efer.register.contains("LMA"))
        let refused = try decoding(.rdmsr) {
            $0.rcx = 0xC000_0080; $0.nextRAX = 0x500; $0.nextInstructionPointer = $0.instructionPointer
        }
        #expect(refused.register.contains("IA32_EFER") && !refused.register.contains("LMA:"), "nothing was read")
        let event = try decoding(.interruptWindow) { $0.event = 0x8000_0030 }
        #expect(event.event.contains("external interrupt") && event.event.contains("vector 0x30"))
        #expect(try decoding(.interruptWindow) { $0.event = 0x30 }.event == "")
    }

    // Two runs.

    private func rows(_ left: [UInt64], _ right: [UInt64]) throws -> [String] {
        func exits(_ pointers: [UInt64]) throws -> [TracedExit] {
            var trace = SmallTrace()
            for pointer in pointers {
                trace.exit(.hlt) {
                    $0.instructionPointer = pointer; $0.nextInstructionPointer = pointer + 1
                }
            }
            return try trace.file().guests[0].exits
        }
        return TraceAlignment(try exits(left), try exits(right)).rows.map {
            "\($0.left.map { "\($0)" } ?? "-") \($0.right.map { "\($0)" } ?? "-")\($0.isSame ? "" : " !")"
        }
    }

    @Test func `two runs are realigned after a difference`() throws {
        #expect(try rows([1, 2, 3], [1, 2, 3]) == ["0 0", "1 1", "2 2"])
        #expect(try rows([1, 2, 3, 4, 5, 6], [1, 9, 2, 3, 4, 5, 6]) == ["0 0", "- 1 !", "1 2", "2 3", "3 4", "4 5", "5 6"])
        #expect(try rows([1, 8, 9, 2, 3, 4], [1, 2, 3, 4]) == ["0 0", "1 - !", "2 - !", "3 1", "4 2", "5 3"])
        #expect(try rows([1, 7, 3, 4, 5], [1, 8, 3, 4, 5]) == ["0 0", "1 1 !", "2 2", "3 3", "4 4"])
        #expect(try rows([1, 2], [1]) == ["0 0", "1 - !"])
        #expect(try rows([], [1]) == ["- 0 !"])
        #expect(try rows([1, 2, 3], [7, 8, 9, 10]) == ["0 0 !", "1 1 !", "2 2 !", "- 3 !"])
    }

    @Test func `the page of two runs has their rows and shows where they diverge`() throws {
        var one = SmallTrace()
        one.exit(.cpuid)
        var two = one
        one.exit(.hlt) { $0.rax = 1 }
        two.exit(.hlt) { $0.rax = 2 }
        let data = try data(HTMLExport(try one.file(), try two.file(), names: ("a.trace", "b.trace")).page)
        #expect((data["runs"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["a.trace", "b.trace"])
        let comparison = try #require(data["comparison"] as? [String: Any])
        #expect(comparison["words"] as? String == "The runs diverge at exit 2 of guest small, in RAX:")
        let rows = try #require((comparison["rows"] as? [[[Int]]])?.first)
        let texts = try #require(data["texts"] as? [String])
        #expect(rows.map { Array($0.prefix(2)) } == [[0, 0], [1, 1]])
        #expect(rows.map { texts[$0[2]] } == ["", "RAX"])
    }
}
