import Memory
import Testing
import X86

@testable import SVM

/// A VMCB of zeroes, gone when the test is over.
final class TestVMCB {
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: VMCB.size, alignment: 4096)
    let vmcb: VMCB

    init() {
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: VMCB.size)
        vmcb = VMCB(at: memory)
    }

    deinit { memory.deallocate() }

    var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: memory, count: VMCB.size)) }
    func word(at offset: Int) -> UInt64 { memory.load(fromByteOffset: offset, as: UInt64.self) }
}

/// The fields of the VMCB against APM volume 2, appendix B, written down here a second time.
@Suite struct VMCBFieldTests {
    /// Offset, width and name, in the order of the table.
    static let expected: [(Int, Int, String)] = {
        var result: [(Int, Int, String)] = (0..<6).map { (4 * $0, 32, "intercept vector \($0)") }
        result += [
            (0x3C, 16, "PAUSE Filter Threshold"), (0x3E, 16, "PAUSE Filter Count"), (0x40, 64, "IOPM_BASE_PA"),
            (0x48, 64, "MSRPM_BASE_PA"), (0x50, 64, "TSC_OFFSET"), (0x58, 32, "Guest ASID"), (0x5C, 8, "TLB_CONTROL"),
            (0x5D, 8, "ALLOW_LARGER_RAP and CLEAR_RAP"), (0x60, 64, "virtual interrupt control"), (0x68, 64, "INTERRUPT_SHADOW"),
            (0x70, 64, "EXITCODE"), (0x78, 64, "EXITINFO1"), (0x80, 64, "EXITINFO2"), (0x88, 64, "EXITINTINFO"),
            (0x90, 64, "nested paging control"), (0x98, 64, "AVIC APIC_BAR"), (0xA0, 64, "GHCB address"), (0xA8, 64, "EVENTINJ"),
            (0xB0, 64, "N_CR3"), (0xB8, 64, "virtualization control"), (0xC0, 32, "VMCB Clean Bits"), (0xC8, 64, "nRIP"),
            (0xD0, 8, "number of bytes fetched"), (0xE0, 64, "AVIC APIC_BACKING_PAGE Pointer"),
            (0xF0, 64, "AVIC LOGICAL_TABLE Pointer"), (0xF8, 64, "AVIC PHYSICAL_TABLE Pointer"), (0x108, 64, "VMSA Pointer"),
            (0x110, 64, "VMGEXIT_RAX"), (0x118, 8, "VMGEXIT_CPL"), (0x120, 16, "Bus Lock Threshold Counter"),
            (0x134, 8, "UPDATE_IRR"), (0x138, 64, "ALLOWED_SEV_FEATURES"), (0x140, 64, "GUEST_SEV_FEATURES"),
        ]
        for (index, name) in ["ES", "CS", "SS", "DS", "FS", "GS", "GDTR", "LDTR", "IDTR", "TR"].enumerated() {
            let start = 0x400 + 16 * index
            if name != "GDTR", name != "IDTR" {
                result += [(start, 16, "\(name) selector"), (start + 2, 16, "\(name) attributes")]
            }
            result += [(start + 4, 32, "\(name) limit"), (start + 8, 64, "\(name) base")]
        }
        result += [(0x4CB, 8, "CPL"), (0x4D0, 64, "EFER")]
        for index in 0..<6 {
            result += [(0x4E0 + 16 * index, 64, "PERF_CTL\(index)"), (0x4E8 + 16 * index, 64, "PERF_CTR\(index)")]
        }
        func run(_ start: Int, _ names: String) {
            for (index, name) in names.split(separator: " ").enumerated() { result.append((start + 8 * index, 64, String(name))) }
        }
        run(0x548, "CR4 CR3 CR0 DR7 DR6 RFLAGS RIP")
        run(0x5C0, "INSTR_RETIRED_CTR PERF_CTR_GLOBAL_STS PERF_CTR_GLOBAL_CTL")
        run(
            0x5D8,
            "RSP S_CET SSP ISST_ADDR RAX STAR LSTAR CSTAR SFMASK KernelGsBase SYSENTER_CS SYSENTER_ESP SYSENTER_EIP CR2")
        run(0x668, "G_PAT DBGCTL BR_FROM BR_TO LASTEXCPFROM LASTEXCPTO DBGEXTNCTL")
        run(0x6E0, "SPEC_CTRL")
        run(
            0xB70,
            "LBR_SELECT IBS_FETCH_CTL IBS_FETCH_LINADDR IBS_OP_CTL IBS_OP_RIP IBS_OP_DATA IBS_OP_DATA2 IBS_OP_DATA3 IBS_DC_LINADDR BP_IBSTGT_RIP IC_IBS_EXTD_CTL"
        )
        return result
    }()

    static let all = (0..<VMCBFieldName.count).map { VMCBFieldName(at: $0)! }

    @Test func `every field has its place, its width and its name`() {
        #expect(Self.all.count == Self.expected.count)
        for (field, expected) in zip(Self.all, Self.expected) {
            #expect(Int(field.offset) == expected.0 && Int(field.bitCount) == expected.1 && "\(field.name)" == expected.2)
            #expect(field.isState == (expected.0 >= 0x400))
        }
        #expect(VMCBFieldName(at: Self.all.count) == nil && VMCBFieldName(at: -1) == nil)
    }

    @Test func `fields do not overlap, and are aligned by their width`() {
        var end = 0
        for field in Self.all {
            #expect(Int(field.offset) >= end && Int(field.offset) % (Int(field.bitCount) / 8) == 0, "\(field)")
            end = Int(field.offset) + Int(field.bitCount) / 8
        }
        #expect(end <= VMCB.size)
    }

    /// A field in its type.
    private func check<Value, Access>(_ field: VMCBField<Value, Access>, _ seen: inout Set<VMCBFieldName>) {
        #expect(field.bitCount == Int(field.name.bitCount) && field.isWritable == !field.name.isReadOnly, "\(field.name)")
        seen.insert(field.name)
    }

    @Test func `the type of a field's value is as wide as the field, and a read-only field's type says so`() {
        var seen: Set<VMCBFieldName> = []
        check(VMCBField.interceptVector0, &seen)
        check(VMCBField.interceptVector1, &seen)
        check(VMCBField.interceptVector2, &seen)
        check(VMCBField.interceptVector3, &seen)
        check(VMCBField.interceptVector4, &seen)
        check(VMCBField.interceptVector5, &seen)
        let addresses: [VMCBField<HostPhysicalAddress, VMCBWritable>] = [
            .ioPermissionMap, .msrPermissionMap, .nestedCR3, .avicBackingPage, .avicLogicalTable, .encryptedStatePage,
        ]
        for field in addresses { check(field, &seen) }
        check(VMCBField.avicBase, &seen)
        check(VMCBField.ghcb, &seen)
        check(VMCBField.avicPhysicalTable, &seen)
        check(VMCBField.guestASID, &seen)
        check(VMCBField.tlbControl, &seen)
        check(VMCBField.virtualInterrupts, &seen)
        check(VMCBField.interruptShadow, &seen)
        check(VMCBField.nestedControl, &seen)
        check(VMCBField.virtualizationControl, &seen)
        check(VMCBField.cleanBits, &seen)
        check(VMCBField.eventInjection, &seen)
        check(VMCBField.exitIntInfo, &seen)
        let bytes: [VMCBField<UInt8, VMCBWritable>] = [.returnAddressPredictor, .updateIRR, .cpl]
        for field in bytes { check(field, &seen) }
        check(VMCBField.instructionByteCount, &seen)
        check(VMCBField.vmgexitCPL, &seen)
        let halves: [VMCBField<UInt16, VMCBWritable>] = [.pauseFilterThreshold, .pauseFilterCount, .busLockThreshold]
        for field in halves { check(field, &seen) }
        let information: [VMCBField<UInt64, VMCBReadOnly>] = [
            .exitCode, .exitInfo1, .exitInfo2, .vmgexitRAX, .guestSEVFeatures,
        ]
        for field in information { check(field, &seen) }
        let selectors: [VMCBField<SegmentSelector, VMCBWritable>] = [
            .esSelector, .csSelector, .ssSelector, .dsSelector, .fsSelector, .gsSelector, .ldtrSelector, .trSelector,
        ]
        for field in selectors { check(field, &seen) }
        let attributes: [VMCBField<VMCBSegmentAttributes, VMCBWritable>] = [
            .esAttributes, .csAttributes, .ssAttributes, .dsAttributes, .fsAttributes, .gsAttributes, .ldtrAttributes,
            .trAttributes,
        ]
        for field in attributes { check(field, &seen) }
        let limits: [VMCBField<UInt32, VMCBWritable>] = [
            .esLimit, .csLimit, .ssLimit, .dsLimit, .fsLimit, .gsLimit, .gdtrLimit, .ldtrLimit, .idtrLimit, .trLimit,
        ]
        for field in limits { check(field, &seen) }
        check(VMCBField.efer, &seen)
        check(VMCBField.cr4, &seen)
        check(VMCBField.cr0, &seen)
        check(VMCBField.rflags, &seen)
        check(VMCBField.guestPAT, &seen)
        // What is left are quadwords without a type of their own.
        for field in Self.all where !seen.contains(field) { #expect(field.bitCount == 64 && !field.isReadOnly) }
    }

    @Test func `a field is read and written in its place, by its type and by its name alike`() {
        let test = TestVMCB()
        let vmcb = test.vmcb
        vmcb[.rip] = 0x1122_3344_5566_7788
        vmcb[.csSelector] = SegmentSelector(rawValue: 0xABCD)
        vmcb[.cpl] = 3
        #expect(test.word(at: 0x578) == 0x1122_3344_5566_7788)
        #expect(test.bytes[0x410] == 0xCD && test.bytes[0x411] == 0xAB && test.bytes[0x4CB] == 3)
        for field in Self.all {
            vmcb.setBits(of: field, to: .max)
            #expect(vmcb.bits(of: field) == field.valueMask)
            vmcb.setBits(of: field, to: 0x0123_4567_89AB_CDEF)
            #expect(vmcb.bits(of: field) == 0x0123_4567_89AB_CDEF & field.valueMask, "\(field)")
        }
        #expect(vmcb[.exitCode] == 0x0123_4567_89AB_CDEF && vmcb[.guestASID] == 0x89AB_CDEF)
        #expect(vmcb[.interceptVector3].rawValue == 0x89AB_CDEF && vmcb[.guestPAT].rawValue == 0x0123_4567_89AB_CDEF)
    }

    @Test func `a write clears the clean bit of the field's group, and no other`() {
        let groups: [(VMCBFieldName, UInt32?)] = [
            (.interceptVector5, 0), (.timeStampCounterOffset, 0), (.pauseFilterCount, 0), (.msrPermissionMap, 1), (.guestASID, 2),
            (.virtualInterrupts, 3), (.nestedCR3, 4), (.guestPAT, 4), (.cr0, 5), (.cr3, 5), (.cr4, 5), (.efer, 5), (.dr6, 6),
            (.dr7, 6), (.gdtrBase, 7), (.idtrLimit, 7), (.csLimit, 8), (.ssAttributes, 8), (.dsBase, 8), (.esSelector, 8),
            (.cpl, 8), (.cr2, 9), (.debugControl, 10), (.lastBranchTo, 10), (.avicPhysicalTable, 11), (.supervisorCET, 12),
            (.shadowStackPointer, 12), (.interruptShadowStackTable, 12), (.rflags, nil), (.rip, nil), (.rsp, nil), (.rax, nil),
            (.tlbControl, nil), (.interruptShadow, nil), (.eventInjection, nil), (.exitCode, nil), (.fsBase, nil), (.star, nil),
        ]
        let vmcb = TestVMCB()
        for (field, bit) in groups {
            vmcb.vmcb[.cleanBits] = VMCBCleanBits(rawValue: .max)
            vmcb.vmcb.setBits(of: field, to: 1)
            #expect(vmcb.vmcb[.cleanBits].rawValue == ~(bit.map { 1 << $0 } ?? 0), "\(field)")
        }
        vmcb.vmcb[.cleanBits] = VMCBCleanBits(rawValue: .max)
        vmcb.vmcb[.cr2] = 5
        vmcb.vmcb[.rsp] = 5
        vmcb.vmcb.setIntercept(.cpuid, to: true)
        #expect(vmcb.vmcb[.cleanBits].rawValue == ~0x201)
    }
}
