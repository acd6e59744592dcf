import Memory
import Support
import Testing
import Text
import Virtualization
import X86

@testable import SVM

/// The guest's registers as Martlet reads and writes them, what the VMCB is prepared with, and other tables than nested ones.
@Suite struct StateAndSetupTests {
    @Test func `control registers are the guest's, without what SVM needs`() {
        let test = TestProcessor()
        test.processor.extendedFeatures = .longModeEnable | .systemCall
        #expect(test.processor.extendedFeatures.rawValue == 0x101 && test.vmcb[.efer].rawValue == 0x1101)
        test.processor.cr4 = .physicalAddressExtension | .fxsave
        #expect(test.processor.cr4.rawValue == 0x220 && test.vmcb[.cr4].rawValue == 0x260, "machine checks are the host's")
        test.processor.cr0 = .protectionEnable | .cacheDisable | .notWriteThrough
        #expect(test.processor.cr0.rawValue == 0x6000_0011 && test.vmcb[.cr0].rawValue == 0x6000_0011)
        test.processor.pageAttributeTable = 0x0007_0406_0007_0401
        #expect(test.vmcb[.guestPAT].rawValue == 0x0007_0406_0007_0401)
        test.processor.debugControl = 2
        #expect(test.vmcb[.debugControl] == 2 && test.vmcb[.virtualizationControl] == .lastBranch)
        let plain = TestProcessor(TestProcessor.plain)
        plain.processor.debugControl = 2
        #expect(plain.vmcb[.debugControl] == 2 && plain.vmcb[.virtualizationControl].isEmpty)
    }

    @Test func `segments go to the VMCB and back, and the privilege level with SS`() {
        let test = TestProcessor()
        for number in 0..<8 as Range<UInt8> {
            let register = SegmentRegister(rawValue: number)!
            let attributes: SegmentAttributes =
                register == .tr ? .busyTaskState : register == .ldtr ? .localDescriptorTable : .data32
            let segment = Segment(
                selector: 0x10 + UInt16(number), base: 0x1000 * UInt64(number + 1), limit: 0xFFF0 + UInt32(number),
                attributes: attributes)
            test.processor.setSegment(register, segment)
            #expect(test.processor.segment(register) == segment, "\(register)")
        }
        var stack = Segment(selector: 0x1B, base: 0, limit: .max, attributes: .data32)
        stack.attributes.privilegeLevel = 3
        test.processor.setSegment(.ss, stack)
        #expect(test.processor.privilegeLevel == 3 && test.vmcb[.cpl] == 3)
        test.processor.setSegment(.ss, .init(selector: 1, base: 0, limit: 0, attributes: .init(rawValue: 0)))
        #expect(test.processor.privilegeLevel == 1)
        // What a register without a segment holds besides does not count.
        test.vmcb[.dsAttributes] = .init(rawValue: 0xC13)
        #expect(test.processor.segment(.ds).attributes.rawValue == 0)
        // The processor need not have set the busy bit.
        test.vmcb[.trAttributes] = .init(rawValue: 0x89)
        #expect(test.processor.segment(.tr).attributes == .busyTaskState)
        test.processor.setGlobalDescriptorTable(base: 0x5000, limit: 0x7F)
        test.processor.setInterruptDescriptorTable(base: 0x6000, limit: 0xFFF)
        #expect(test.processor.globalDescriptorTable == (0x5000, 0x7F))
        #expect(test.processor.interruptDescriptorTable == (0x6000, 0xFFF))
    }

    @Test func `a write drops the clean bits of what it wrote, and no others`() {
        let rows: [(UInt32, (SVMProcessor<SimulatedSVM>) -> Void)] = [
            (0, { $0.instructionPointer = 5 }), (0, { $0.flags = .alwaysSet }), (0, { $0.inject(.invalidOpcode) }),
            (0, { $0.flushTranslations() }), (1 << 5, { $0.cr0 = .extensionType }), (1 << 5, { $0.cr3 = 5 }),
            (1 << 5, { $0.cr4 = .none }), (1 << 5, { $0.extendedFeatures = .none }), (1 << 6, { $0.debugRegister7 = .alwaysSet }),
            (1 << 8, { $0.setSegment(.ds, .unusable) }), (0, { $0.setSegment(.fs, .unusable) }),
            (1 << 0, { $0.timeStampOffset = 1 }),
            (1 << 7, { $0.setGlobalDescriptorTable(base: 0, limit: 0) }), (1 << 10, { $0.debugControl = 1 }),
            (1 << 4, { $0.pageAttributeTable = 0 }), (1 << 0 | 1 << 3, { $0.requestInterruptWindow(true) }),
            (1 << 0, { $0.blockNonMaskableInterrupts(true) }), (1 << 6, { $0.addBreakpointTraps(1) }),
        ]
        for (index, (mask, write)) in rows.enumerated() {
            let test = TestProcessor()
            write(test.processor)
            #expect(test.vmcb[.cleanBits].rawValue == ~mask, "row \(index)")
        }
    }

    @Test func `the state of a guest is taken down and put into another VMCB`() {
        let test = TestProcessor()
        for place in 0..<VMCBFieldName.count {
            guard let field = VMCBFieldName(at: place), field.isState else { continue }
            test.vmcb.setBits(of: field, to: 0x0101_0101_0101_0101 &* UInt64(place + 1))
        }
        test.processor.cr4 = .fxsave
        test.processor.inject(.init(kind: .nonMaskableInterrupt, vector: 2))
        test.processor.addBreakpointTraps(2)
        test.processor.requestInterruptWindow(true)
        test.processor.requestNonMaskableInterruptWindow(true)
        test.processor.blockInterrupts()
        let state = test.processor.guestState
        let other = TestProcessor()
        #expect(other.processor.guestState != state)
        other.processor.guestState = state
        #expect(other.processor.guestState == state)
        #expect(
            other.vmcb.isIntercepted(.iret) && other.vmcb.isIntercepted(.virtualInterrupt) && other.vmcb[.cr4].rawValue == 0x240)
        // Every part of it counts.
        let changes: [(SVMProcessor<SimulatedSVM>) -> Void] = [
            { $0.instructionPointer ^= 1 }, { $0.stackPointer ^= 1 }, { $0.cr3 ^= 0x1000 }, { $0.cr4 = .none },
            { $0.setSegment(.gs, .unusable) }, { $0.requestInterruptWindow(false) }, { $0.blockNonMaskableInterrupts(false) },
            { $0.endBlocking() }, { $0.inject(.invalidOpcode) }, { $0.debugControl = 1 }, { $0.pageAttributeTable = 1 },
            { $0.vmcb[.sysenterEIP] ^= 1 }, { $0.debugRegister7 = .generalDetect },
            { $0.requestNonMaskableInterruptWindow(false) },
        ]
        for (index, change) in changes.enumerated() {
            other.processor.guestState = state
            change(other.processor)
            #expect(other.processor.guestState != state, "change \(index)")
        }
    }

    @Test func `PAE's page-directory pointers are those in memory`() {
        let test = TestProcessor()
        test.processor.cr3 = 0x5020
        for index in 0..<4 { test.ram.put64(0x6001 + UInt64(index) << 12, at: 0x5020 + 8 * index) }
        #expect((0..<4).map { test.processor.pageDirectoryPointers()[$0] } == [0x6001, 0x7001, 0x8001, 0x9001])
    }

    // MARK: Setup

    @Test func `a processor without nested paging or ASIDs is refused, and what is preferred may be missing`() throws {
        for (capabilities, isFeature) in [(SVMCapabilities.simulated(0xEA), true), (.simulated(asidCount: 1), false)] {
            let missing = #expect(throws: MissingSVMFeatures.self) { try SVMControls(capabilities) }
            #expect(missing?.lacksASIDs == !isFeature && missing?.features == (isFeature ? .nestedPaging : SVMFeatures.none))
            var lines = 0
            missing?.report { _ in lines += 1 }
            #expect(lines == 1)
        }
        let controls = try SVMControls(.simulated(0xFFFF_FFFF))
        #expect(controls.features.rawValue == 0xEB && controls.lastASID == 15)
        #expect(try SVMControls(.simulated(1)).features == .nestedPaging)
        var lines: [String] = []
        try SVMControls(.simulated(9)).report { lines.append(words($0)) }
        #expect(lines.count == 6 && lines.filter { $0.hasSuffix("granted") }.count == 2)
    }

    @Test func `a guest exits at what is the host's or Martlet's, and at nothing else`() {
        let wanted: Set<SVMExitCode> = [
            .interrupt, .nonMaskableInterrupt, .initSignal, .shutdown, .ferrFreeze, .taskSwitch, .ioio, .msr, .cpuid, .hlt, .invd,
            .wbinvd, .cr4Read, .cr4Write, .cr8Read, .cr8Write, .xsetbv, .rdpmc, .rdpru, .rsm, .monitor, .mwait, .mwaitConditional,
            .icebp, .vmrun, .vmmcall, .vmload, .vmsave, .stgi, .clgi, .skinit, .invlpga, .exceptionDB, .exceptionUD, .exceptionAC,
            .exceptionMC,
        ]
        let tests = (TestProcessor(), TestProcessor(hasOtherTables: true))
        defer { withExtendedLifetime(tests) {} }
        let (plain, watched) = (tests.0.vmcb, tests.1.vmcb)
        for code in ExitCodeTests.all where code.interceptBit != nil {
            #expect(plain.isIntercepted(code) == wanted.contains(code), "\(code)")
            #expect(watched.isIntercepted(code) == (wanted.contains(code) || code == .cr0SelectiveWrite), "\(code)")
        }
        #expect(plain[.virtualInterrupts] == .masking && plain[.nestedControl] == .nestedPaging && plain[.guestASID] == 1)
        #expect(plain[.nestedCR3].rawValue == 0x8000 && plain[.ioPermissionMap].rawValue == 0x1000)
        #expect(plain[.msrPermissionMap].rawValue == 0x4000 && plain[.guestPAT] == .atReset && plain[.dr6] == 0xFFFF_0FF0)
    }

    @Test func `ASIDs are never 0 nor more than there are, and begin anew with a flush`() throws {
        var allocator = ASIDAllocator(try SVMControls(.simulated(asidCount: 4)))
        let all = (0..<7).map { _ in allocator.allocate() }
        #expect(all.map(\.asid) == [1, 2, 3, 1, 2, 3, 1])
        #expect(all.map(\.startsAnew) == [false, false, false, true, false, false, true])
    }

    /// The machine's memory, by address.
    private final class Frames: PhysicalMemory {
        var words: [UInt64: UInt64] = [:]
        func readUInt64(at address: HostPhysicalAddress) -> UInt64 { words[address.rawValue] ?? 0 }
        func writeUInt64(_ value: UInt64, at address: HostPhysicalAddress) { words[address.rawValue] = value }
        func readUInt32(at address: HostPhysicalAddress) -> UInt32 { 0 }
        func writeUInt32(_ value: UInt32, at address: HostPhysicalAddress) {}
        func compareExchange(at address: HostPhysicalAddress, expected: UInt64, desired: UInt64) -> Bool { false }
    }

    @Test func `every port exits, and every MSR but those that pass, for what they pass`() {
        let memory = Frames()
        IOPermissionMap.fill(HostPhysicalAddress(0x1000), in: memory)
        #expect(memory.words.count == 0x3000 / 8 && memory.words.allSatisfy { $0.value == .max })
        #expect(memory.words.keys.min() == 0x1000 && memory.words.keys.max() == 0x3FF8)
        memory.words = [:]
        let permissions = MSRPermissions(map: HostPhysicalAddress(0x4000), memory: memory)
        #expect(memory.words.count == 0x2000 / 8 && memory.words.allSatisfy { $0.value == .max })
        permissions.pass(.timeStampCounter, reads: true, writes: false)  // 10H
        permissions.pass(.longSTAR, reads: true, writes: true)  // C000_0082H
        permissions.pass(.predictionCommand, reads: false, writes: true)  // 49H
        permissions.pass(.init(0x4000_0000), reads: true, writes: true)
        let changed = memory.words.filter { $0.value != .max }
        let expected: [UInt64: UInt64] = [0x4000: ~(1 << 32), 0x4010: ~(1 << 19), 0x4820: ~(3 << 4)]
        #expect(changed == expected)
    }

    // MARK: Other tables

    @Test func `shadow tables translate instead of nested ones from paging with CR0.WP on, and are left again`() {
        let test = TestProcessor(hasOtherTables: true)
        let before = test.processor.guestState
        #expect(test.processor.canUseShadowTables && !test.processor.usesShadowTables)
        test.processor.useShadowTables(HostPhysicalAddress(0x7000_0000), for: 0x1000)
        #expect(test.processor.usesShadowTables && test.vmcb[.nestedControl].isEmpty)
        #expect(test.processor.cr3 == 0x1000 && test.processor.loadedCR3 == 0x7000_0000)
        for code in [SVMExitCode.exceptionPF, .cr3Read, .cr3Write, .invlpg, .invpcid] { #expect(test.vmcb.isIntercepted(code)) }
        // The root is where the guest's own is.
        test.processor.useShadowTables(HostPhysicalAddress(0x2000), for: 0x2005)
        #expect(test.processor.loadedCR3 == 0x2005 && !test.vmcb.isIntercepted(.cr3Read))
        test.processor.useShadowTables(HostPhysicalAddress(0x7000_0000), for: 0x1000)
        test.processor.useNestedTables()
        #expect(test.processor.guestState == before && test.vmcb[.nestedControl] == .nestedPaging)
        for code in [SVMExitCode.exceptionPF, .cr3Read, .cr3Write, .invlpg, .invpcid] { #expect(!test.vmcb.isIntercepted(code)) }
        test.processor.cr0 = .protectionEnable | .paging
        #expect(!test.processor.canUseShadowTables)
    }

    @Test func `under 32-bit paging shadow tables are PAE's, which the guest does not see`() {
        let test = TestProcessor(hasOtherTables: true)
        test.processor.extendedFeatures = .none
        test.processor.cr4 = .pageSizeExtensions
        test.processor.useShadowTables(HostPhysicalAddress(0x7000_0000), for: 0x1000)
        #expect(test.processor.cr4 == .pageSizeExtensions && test.vmcb[.cr4].contains(.physicalAddressExtension))
        test.processor.useNestedTables()
        #expect(!test.vmcb[.cr4].contains(.physicalAddressExtension))
    }

    @Test func `the guest's own tables translate alone where it is made for that`() {
        let test = TestProcessor(hasOtherTables: true)
        test.processor.translateDirectly(HostPhysicalAddress(0x4000_0000))
        #expect(test.processor.translatesDirectly && test.vmcb[.nestedControl].isEmpty && test.vmcb.isIntercepted(.cr3Write))
        let other = TestProcessor()
        other.processor.translateDirectly(HostPhysicalAddress(0x4000_0000))
        other.processor.useShadowTables(HostPhysicalAddress(0x7000_0000), for: 0x1000)
        #expect(!other.processor.translatesDirectly && !other.processor.usesShadowTables)
        #expect(other.vmcb[.nestedControl] == .nestedPaging)
    }
}
