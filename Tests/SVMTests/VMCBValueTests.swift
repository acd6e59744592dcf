import Memory
import Support
import Testing
import Text
import X86

@testable import SVM

/// The types of the VMCB's values, and what CPUID tells.
@Suite struct VMCBValueTests {
    @Test func `segment attributes are those of a descriptor, moved together`() {
        #expect(VMCBSegmentAttributes(.code64).rawValue == 0xA9B && VMCBSegmentAttributes(.data32).rawValue == 0xC93)
        #expect(VMCBSegmentAttributes(.busyTaskState).rawValue == 0x8B)
        let code = VMCBSegmentAttributes(rawValue: 0xA9B)
        #expect(code.isLong && !code.is32Bit && code.descriptorAttributes == .code64)
        #expect(VMCBSegmentAttributes(rawValue: 0xC9B).is32Bit && !VMCBSegmentAttributes(rawValue: 0xC9B).isLong)
    }

    @Test func `an event has a type, a vector and perhaps an error code`() {
        let fault = SVMEvent(kind: .exception, vector: 14, errorCode: 6)
        #expect(fault.rawValue == 0x6_8000_0B0E)
        #expect(fault.isValid && fault.kind == .exception && fault.vector == 14 && fault.hasErrorCode && fault.errorCode == 6)
        #expect(SVMEvent(kind: .interrupt, vector: 0x31).rawValue == 0x8000_0031)
        #expect(SVMEvent(kind: .nonMaskableInterrupt, vector: 2).rawValue == 0x8000_0202)
        #expect(SVMEvent(kind: .softwareInterrupt, vector: 0x80).rawValue == 0x8000_0480)
        #expect((0..<8).map { SVMEvent(rawValue: $0 << 8).kind.rawValue } == [0, 1, 2, 3, 4, 5, 6, 7])
        #expect(!SVMEvent(rawValue: 0x30E).isValid)
    }

    @Test func `virtual interrupts, nesting and flushes have their bits in place`() {
        let control = VirtualInterruptControl(rawValue: 0x31_4305_010F)
        #expect(control.taskPriority == 15 && control.priority == 5 && control.vector == 0x31)
        #expect(control.contains(.x2AVICEnable) && !control.contains(.avicEnable) && !control.contains(.nmiEnable))
        #expect(
            words(VirtualInterruptControl(rawValue: 0x0710_1B00)).hasPrefix("V_IRQ, VGIF, V_NMI, V_NMI_MASK, V_IGN_TPR, V_INTR"))
        #expect(words(InterruptShadow(rawValue: 3)) == "INTERRUPT_SHADOW, GUEST_INTERRUPT_MASK")
        #expect(words(NestedControl(rawValue: 5)) == "NP_ENABLE, SEV-ES" && NestedControl(rawValue: 5).contains(.encryptedState))
        #expect(words(VirtualizationControl(rawValue: 3)) == "LBR virtualization, VMSAVE/VMLOAD virtualization")
        #expect(words(VMCBCleanBits(rawValue: 0x1FFF)) == "I, IOPM, ASID, TPR, NP, CRx, DRx, DT, SEG, CR2, LBR, AVIC, CET")
        let flushes: [TLBControl] = [.flushNothing, .flushAll, .flushGuest, .flushGuestNonGlobal]
        #expect(flushes.map(\.rawValue) == [0, 1, 3, 7])
        let table = AVICPhysicalTable(rawValue: 0x1234_51FF)
        #expect(table.address.rawValue == 0x1234_5000 && table.maximumIndex == 0x1FF)
    }

    @Test func `each register has two bits in the MSR permissions map, in one of three tables`() {
        func bits(_ number: UInt32) -> [Int?] {
            [false, true].map { MSRPermissionMap.bit(of: ModelSpecificRegister(number), isWrite: $0) }
        }
        #expect(bits(0) == [0, 1] && bits(0x10) == [0x20, 0x21] && bits(0x1FFF) == [0x3FFE, 0x3FFF])
        #expect(bits(0xC000_0000) == [0x800 * 8, 0x800 * 8 + 1] && bits(0xC000_0080) == [0x4100, 0x4101])
        #expect(bits(0xC001_0000) == [0x8000, 0x8001] && bits(0xC001_1FFF) == [0xBFFE, 0xBFFF])
        for number: UInt32 in [0x2000, 0xBFFF_FFFF, 0xC000_2000, 0xC001_2000, .max] { #expect(bits(number) == [nil, nil]) }
        #expect(MSRPermissionMap.size == 8192 && IOPermissionMap.size == 12288)
        #expect(IOPermissionMap.bits(of: 0x3F8, byteCount: 1) == 0x3F8..<0x3F9)
        #expect(IOPermissionMap.bits(of: 0xFFFF, byteCount: 4) == 0xFFFF..<0x1_0003)
    }

    /// A processor with SVM; the leaves that are not given are those of a skylake_x.
    static func processor(_ leaves: [UInt32: CPUIDResult]) -> SimulatedHost {
        let host = SimulatedHost()
        host.leaves[0x8000_0000] = [0: .init(eax: 0x8000_0021, ebx: 0, ecx: 0, edx: 0)]
        for (leaf, answer) in leaves { host.leaves[leaf] = [0: answer] }
        return host
    }

    @Test func `CPUID tells what SVM has here`() {
        let identification = SVMIdentification(.init(eax: 1, ebx: 0x8000, ecx: 0x40, edx: 0x0201_0001))
        #expect(identification.revision == 1 && identification.asidCount == 0x8000 && identification.offersExtendedX2AVIC)
        #expect(words(identification.features) == "NP, VGIF, VNMI")
        #expect(words(SVMFeatures(rawValue: 0x4_20EC)) == "SVML, NRIPS, VmcbClean, FlushByAsid, DecodeAssists, AVIC, x2AVIC")
        #expect((0..<32).filter { SVMFeatures.name(ofBit: $0) == nil } == [9, 11, 14, 22])
    }

    @Test func `CPUID tells which bits of EFER and CR4 a guest may have`() {
        let rich = SVMCapabilities(
            Self.processor([
                0x8000_0001: .init(eax: 0, ebx: 0, ecx: 1 << 17, edx: 1 << 11 | 1 << 20 | 1 << 25 | 1 << 29),
                0x8000_0008: .init(eax: 48, ebx: 1 << 8 | 1 << 13, ecx: 0, edx: 0),
                0x8000_000A: .init(eax: 1, ebx: 16, ecx: 0, edx: 1),
                0x8000_0021: .init(eax: 1 << 7 | 1 << 8, ebx: 0, ecx: 0, edx: 0),
                1: .init(eax: 0, ebx: 0, ecx: 1 << 17 | 1 << 26, edx: 0x0300_20FF),
                7: .init(eax: 0, ebx: 0x10_0081, ecx: 0x1_008C, edx: 0),
            ]))
        #expect(rich.efer.rawValue == 0x36_FD01 && rich.offersLongMode && rich.offersShadowStacks)
        #expect(rich.cr4.rawValue == 0xF7_1FFF)
        #expect(rich.physicalAddressWidth == 48 && rich.identification.asidCount == 16)
        let poor = SVMCapabilities(
            Self.processor([
                0x8000_0000: .init(eax: 0x8000_000A, ebx: 0, ecx: 0, edx: 0),
                0x8000_0001: .init(eax: 0, ebx: 0, ecx: 0, edx: 0), 0x8000_0008: .init(eax: 36, ebx: 1 << 20, ecx: 0, edx: 0),
                1: .init(eax: 0, ebx: 0, ecx: 0, edx: 0), 7: .init(eax: 0, ebx: 0, ecx: 0, edx: 0),
            ]))
        #expect(poor.efer == .secureVirtualMachine && !poor.offersLongMode && !poor.offersShadowStacks)
        #expect(poor.cr4 == .performanceCounterEnable)
    }

    @Test func `SVM is turned on where the firmware allows it, and otherwise it is said why not`() throws {
        func processor(svm: Bool = true, features: UInt32 = 1, control: UInt64 = 0) -> SimulatedHost {
            let host = Self.processor([
                0x8000_0001: .init(eax: 0, ebx: 0, ecx: svm ? 4 : 0, edx: 1 << 29),
                0x8000_000A: .init(eax: 1, ebx: 16, ecx: 0, edx: features),
            ])
            host.registers[0xC001_0114] = control
            host.registers[0xC000_0080] = 0x500
            return host
        }
        let host = processor(control: 1 << 3)
        #expect(try SVMSupport.enable(host, host).identification.asidCount == 16)
        #expect(host.registers[0xC000_0080] == 0x1500)
        for (host, error) in [
            (processor(svm: false), SVMUnavailable.notOnThisProcessor), (processor(control: 1 << 4), .disabledByFirmware),
            (processor(features: 5, control: 1 << 4), .lockedByKey),
        ] {
            #expect(throws: error) { _ = try SVMSupport.enable(host, host) }
            #expect(host.registers[0xC000_0080] == 0x500)
            #expect(words(error).hasPrefix("no SVM: ") && !words(error).hasSuffix("..."))
        }
        let short = processor()
        short.leaves[0x8000_0000] = [0: .init(eax: 0x8000_0008, ebx: 0, ecx: 0, edx: 0)]
        #expect(throws: SVMUnavailable.notOnThisProcessor) { _ = try SVMSupport.enable(short, short) }
    }

    @Test func `a VMCB is cleared and copied whole`() {
        let one = TestVMCB()
        let other = TestVMCB()
        one.vmcb[.rip] = 5
        one.vmcb.setBits(of: .cleanBits, to: 0xFF)
        other.vmcb.copy(from: one.vmcb)
        #expect(other.bytes == one.bytes)
        one.vmcb.clear()
        #expect(one.bytes == [UInt8](repeating: 0, count: VMCB.size))
    }
}
