import Foundation
import Support
import Testing
import X86

@testable import VMX

/// Field encodings against the numbers of SDM volume 3, appendix B, written down here a second time.
@Suite struct FieldEncodingTests {
    /// In the order of the list: runs of consecutive encodings, and single ones.
    static let expected: [UInt32: String] = {
        var result: [UInt32: String] = [:]
        func add(_ first: UInt32, _ names: [String]) {
            for (index, name) in names.enumerated() { result[first + 2 * UInt32(index)] = name }
        }
        let segments = ["ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"]
        add(0x0000, ["virtual-processor identifier (VPID)", "posted-interrupt notification vector", "EPTP index"])
        add(0x0800, segments.map { "guest \($0) selector" } + ["guest interrupt status", "PML index"])
        add(0x0C00, ["ES", "CS", "SS", "DS", "FS", "GS", "TR"].map { "host \($0) selector" })
        add(
            0x2000,
            [
                "address of I/O bitmap A", "address of I/O bitmap B", "address of MSR bitmaps", "VM-exit MSR-store address",
                "VM-exit MSR-load address", "VM-entry MSR-load address", "executive-VMCS pointer", "PML address", "TSC offset",
                "virtual-APIC address", "APIC-access address", "posted-interrupt descriptor address", "VM-function controls",
                "EPT pointer (EPTP)", "EOI-exit bitmap 0", "EOI-exit bitmap 1", "EOI-exit bitmap 2", "EOI-exit bitmap 3",
                "EPTP-list address", "VMREAD-bitmap address", "VMWRITE-bitmap address",
                "virtualization-exception information address", "XSS-exiting bitmap", "ENCLS-exiting bitmap",
            ])
        add(0x2032, ["TSC multiplier"])
        add(0x2400, ["guest-physical address"])
        add(
            0x2800,
            [
                "VMCS link pointer", "guest IA32_DEBUGCTL", "guest IA32_PAT", "guest IA32_EFER", "guest IA32_PERF_GLOBAL_CTRL",
                "guest PDPTE0", "guest PDPTE1", "guest PDPTE2", "guest PDPTE3", "guest IA32_BNDCFGS",
            ])
        add(0x2C00, ["host IA32_PAT", "host IA32_EFER", "host IA32_PERF_GLOBAL_CTRL"])
        add(
            0x4000,
            [
                "pin-based VM-execution controls", "primary processor-based VM-execution controls", "exception bitmap",
                "page-fault error-code mask", "page-fault error-code match", "CR3-target count", "VM-exit controls",
                "VM-exit MSR-store count", "VM-exit MSR-load count", "VM-entry controls", "VM-entry MSR-load count",
                "VM-entry interruption-information field", "VM-entry exception error code", "VM-entry instruction length",
                "TPR threshold", "secondary processor-based VM-execution controls", "PLE_Gap", "PLE_Window",
            ])
        add(
            0x4400,
            [
                "VM-instruction error", "exit reason", "VM-exit interruption information", "VM-exit interruption error code",
                "IDT-vectoring information field", "IDT-vectoring error code", "VM-exit instruction length",
                "VM-exit instruction information",
            ])
        add(0x4800, segments.map { "guest \($0) limit" } + ["guest GDTR limit", "guest IDTR limit"])
        add(0x4814, segments.map { "guest \($0) access rights" })
        add(0x4824, ["guest interruptibility state", "guest activity state", "guest SMBASE", "guest IA32_SYSENTER_CS"])
        add(0x482E, ["VMX-preemption timer value"])
        add(0x4C00, ["host IA32_SYSENTER_CS"])
        add(
            0x6000,
            [
                "CR0 guest/host mask", "CR4 guest/host mask", "CR0 read shadow", "CR4 read shadow", "CR3-target value 0",
                "CR3-target value 1", "CR3-target value 2", "CR3-target value 3",
            ])
        add(0x6400, ["exit qualification", "I/O RCX", "I/O RSI", "I/O RDI", "I/O RIP", "guest-linear address"])
        add(
            0x6800,
            ["guest CR0", "guest CR3", "guest CR4"] + segments.map { "guest \($0) base" } + [
                "guest GDTR base", "guest IDTR base", "guest DR7", "guest RSP", "guest RIP", "guest RFLAGS",
                "guest pending debug exceptions", "guest IA32_SYSENTER_ESP", "guest IA32_SYSENTER_EIP",
            ])
        add(
            0x6C00,
            [
                "host CR0", "host CR3", "host CR4", "host FS base", "host GS base", "host TR base", "host GDTR base",
                "host IDTR base", "host IA32_SYSENTER_ESP", "host IA32_SYSENTER_EIP", "host RSP", "host RIP",
            ])
        return result
    }()

    /// Fields of newer processors that the list may have besides.
    static let newer: Set<UInt32> = [
        0x0012, 0x0814, 0x202E, 0x2030, 0x2034, 0x2036, 0x203E, 0x2044, 0x2046, 0x2048, 0x204A, 0x204C, 0x2814, 0x2816,
        0x2818, 0x281A, 0x2C06, 0x6828, 0x682A, 0x682C, 0x6C18, 0x6C1A, 0x6C1C,
    ]

    @Test func `every field of the list has the manual's encoding`() {
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position)
            let encoding = field.encoding.rawValue
            if Self.newer.contains(encoding) { continue }
            #expect(Self.expected[encoding] == "\(field.name)", "0x\(String(encoding, radix: 16))")
        }
    }

    @Test func `the list has every field once, and finds each by its encoding`() {
        let listed = (0..<VMCSFieldDescription.count).map { VMCSFieldDescription.field(at: $0).encoding.rawValue }
        #expect(Set(listed).count == listed.count)
        #expect(Set(Self.expected.keys).subtracting(listed) == [])
        for (position, encoding) in listed.enumerated() {
            #expect(VMCSFieldDescription.position(of: .init(rawValue: encoding)) == position)
        }
        #expect(VMCSFieldDescription.position(of: .init(rawValue: 0x4830)) == nil)
    }

    @Test func `every typed constant has its row, and the manual's type of field`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Kernel/VMX")
        let areas = ["control": 0, "exitInformation": 1, "guestState": 2, "hostState": 3]
        let widths = ["bits16": 0, "bits64": 1, "bits32": 2, "natural": 3]
        var constants: [UInt32: String] = [:]
        for file in ["Control", "ExitInformation", "Guest", "Host", "Optional"] {
            let text = try String(contentsOf: folder.appending(path: "VMCSFields+\(file).swift"), encoding: .utf8)
            for match in text.matches(of: /static var (\w+): Self { \.init\(\.(\w+), \.(\w+), (\d+)\) }/) {
                let area = try #require(areas[String(match.2)]), width = try #require(widths[String(match.3)])
                let encoding = try UInt32(width << 13 | area << 10 | #require(Int(match.4)) << 1)
                #expect(constants[encoding] == nil, "\(match.1)")
                constants[encoding] = String(match.1)
            }
            #expect(text.matches(of: /static var/).count == text.matches(of: /: Self { \.init\(/).count)
        }
        #expect(constants.count == VMCSFieldDescription.count)
        for (encoding, name) in constants {
            #expect(VMCSFieldDescription.position(of: .init(rawValue: encoding)) != nil, "\(name)")
        }
    }

    @Test func `the kind of a field's value follows from its type`() {
        func kind(_ encoding: UInt32) -> VMCSValueKind? {
            VMCSFieldDescription.position(of: .init(rawValue: encoding)).map { VMCSFieldDescription.field(at: $0).kind }
        }
        #expect(kind(0x4000) == .pinControls && kind(0x2034) == .tertiaryControls && kind(0x2044) == .secondaryExitControls)
        #expect(kind(0x4816) == .accessRights && kind(0x6C00) == .controlRegister0 && kind(0x6804) == .controlRegister4)
        #expect(kind(0x4016) == .interruptionInformation && kind(0x681E) == .number && kind(0x201A) == .extendedPageTablePointer)
    }

    @Test func `area, width and index come back out of an encoding`() {
        let field = VMCSFieldEncoding(rawValue: 0x681E)
        #expect(field.area == .guestState && field.width == .natural && field.index == 15 && field.bitCount == 64)
        #expect(VMCSFieldEncoding(rawValue: 0x0C0C).bitCount == 16)
        #expect(
            VMCSFieldEncoding(rawValue: 0x4402).bitCount == 32 && VMCSFieldEncoding(rawValue: 0x4402).area == .exitInformation)
        #expect(VMCSFieldEncoding(rawValue: 0x2032).bitCount == 64)
        #expect(VMCSFieldEncoding(area: .exitInformation, width: .bits64, index: 0).rawValue == 0x2400)
    }

    @Test func `the typed VMCS reads and writes under the field's encoding and width`() {
        let access = SimulatedVMCS(CapabilitySet.skylakeX.capabilities)
        let vmcs = VMCS(access)
        vmcs[.guestRIP] = 0x1234_5678_9ABC
        vmcs[.guestCSSelector] = SegmentSelector(rawValue: 0xFFF8)
        vmcs[.guestCR0] = .paging | .protectionEnable
        #expect(access[0x681E] == 0x1234_5678_9ABC && access[0x0802] == 0xFFF8 && access[0x6800] == 0x8000_0001)
        access[0x6400] = .max
        #expect(vmcs[.exitQualification] == .max)  // natural width
        access[0x4402] = 0x8000_0021
        #expect(vmcs[.exitReason].basic == .entryFailureGuestState && vmcs[.exitReason].isEntryFailure)
        #expect(access.refusals == [])
    }

    @Test func `the simulated processor refuses what hardware refuses`() {
        let penryn = SimulatedVMCS(CapabilitySet.penryn.capabilities)
        penryn.write(.init(rawValue: 0x4402), 1)
        penryn.write(.init(rawValue: 0x201A), 1)
        penryn.write(.init(rawValue: 0x482E), 1)
        _ = penryn.read(.init(rawValue: 0x2806))
        _ = penryn.read(.init(rawValue: 0x4830))
        #expect(penryn.refusals.count == 5)
        #expect(penryn.contents == [:])
    }

    @Test func `VMRESUME before VMLAUNCH and VMLAUNCH twice fail, each with its own number`() {
        let access = SimulatedVMCS(CapabilitySet.skylakeX.capabilities)
        #expect(access.resume() == .failValid(5))
        #expect("\(InstructionError(UInt32(access[0x4400])).words)" == "VMRESUME with non-launched VMCS")
        #expect(access.launch() == .succeeded)
        #expect(access.launch() == .failValid(4))
        #expect("\(InstructionError(UInt32(access[0x4400])).words)" == "VMLAUNCH with non-clear VMCS")
        #expect(access.resume() == .succeeded)
        access.clear()
        #expect(access.resume() == .failInvalid)
        access.makeCurrent()
        #expect(access.resume() == .failValid(5))
    }
}
