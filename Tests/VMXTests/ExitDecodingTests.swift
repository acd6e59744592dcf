import Text
import Memory
import Support
import Testing
import Virtualization
import X86

@testable import VMX

@Suite struct ExitDecodingTests {
    /// A decoded exit, with fields set by encoding.
    static func decode(_ reason: UInt64, _ fields: [UInt32: UInt64] = [:]) -> Exit {
        let set = CapabilitySet.skylakeX.capabilities
        let access = SimulatedVMCS(set)
        access[0x4402] = reason
        for (field, value) in fields { access[field] = value }
        let constants = UnsafeMutablePointer<VMXConstants>.allocate(capacity: 1)
        defer { constants.deallocate() }
        constants.initialize(to: .simple(set))
        let exit = VMXProcessor(access, constants).decodeExit()
        #expect(access.refusals == [])
        #expect(access.writeCount == 0)
        return exit
    }

    @Test func `I/O qualifications give port, size, direction, string and REP`() {
        #expect(Self.decode(30, [0x6400: 0x03F8_0000]) == .io(.init(port: 0x3F8, size: 1, isInput: false)))
        #expect(Self.decode(30, [0x6400: 0xFFFF_0009]) == .io(.init(port: 0xFFFF, size: 2, isInput: true)))
        #expect(
            Self.decode(30, [0x6400: 0x0060_003B])
                == .io(.init(port: 0x60, size: 4, isInput: true, isString: true, isRepeated: true)))
        // Bit 6, immediate operand, and what lies above the port change nothing.
        #expect(Self.decode(30, [0x6400: 0xFFFF_FFFF_0080_0040]) == .io(.init(port: 0x80, size: 1, isInput: false)))
    }

    @Test func `control-register qualifications give all four kinds`() {
        #expect(Self.decode(28, [0x6400: 0xF00]) == .controlRegister(.write(register: 0, from: RegisterNumber(15))))
        #expect(Self.decode(28, [0x6400: 0x304]) == .controlRegister(.write(register: 4, from: RegisterNumber(3))))
        #expect(Self.decode(28, [0x6400: 0x413]) == .controlRegister(.read(register: 3, to: RegisterNumber(4))))
        #expect(Self.decode(28, [0x6400: 0x20]) == .controlRegister(.clearTaskSwitched))
        #expect(Self.decode(28, [0x6400: 0xABCD_0070]) == .controlRegister(.loadMachineStatus(0xABCD)))
    }

    @Test func `debug-register qualifications give register and direction`() {
        #expect(Self.decode(29, [0x6400: 0x017]) == .debugRegister(.init(register: 7, isRead: true, general: RegisterNumber(0))))
        #expect(
            Self.decode(29, [0x6400: 0xA00]) == .debugRegister(.init(register: 0, isRead: false, general: RegisterNumber(10))))
    }

    @Test(arguments: [(0, .call), (1, .iret), (2, .jump), (3, .taskGate)] as [(UInt64, TaskSwitch.Source)])
    func `task-switch qualifications give selector and source`(value: UInt64, source: TaskSwitch.Source) {
        #expect(Self.decode(9, [0x6400: value << 30 | 0x28]) == .taskSwitch(.init(selector: 0x28, source: source)))
    }

    @Test func `EPT-violation qualifications give access, rights and the guest's own walk`() {
        func fault(_ qualification: UInt64) -> NestedPageFault? {
            guard case .nestedPageFault(let fault) = Self.decode(48, [0x6400: qualification, 0x2400: 0x12_3456_7890]) else {
                return nil
            }
            #expect(fault.address == GuestPhysicalAddress(0x12_3456_7890))
            return fault
        }
        let read = fault(0x181)
        #expect(read?.isRead == true && read?.isWrite == false && read?.isFetch == false && read?.isMapped == false)
        #expect(read?.duringWalk == false)
        #expect(fault(0x182)?.isWrite == true && fault(0x184)?.isFetch == true && fault(0x183)?.isRead == true)
        for right in [8, 16, 32] as [UInt64] { #expect(fault(0x181 | right)?.isMapped == true) }
        #expect(fault(0x081)?.duringWalk == true)
        #expect(fault(0x001)?.duringWalk == false)  // no linear address: not a walk for one
    }

    @Test func `exceptions and NMIs share a reason and are told apart`() {
        #expect(Self.decode(0, [0x4404: 0x8000_0202]) == .nonMaskableInterrupt)
        #expect(
            Self.decode(0, [0x4404: 0x8000_0B0E, 0x4406: 3, 0x6400: 0x1000])
                == .exception(.init(vector: .pageFault, errorCode: 3, qualification: 0x1000)))
        #expect(
            Self.decode(0, [0x4404: 0x8000_0306, 0x4406: 99])
                == .exception(.init(vector: .invalidOpcode, errorCode: nil, qualification: 0)))
    }

    @Test func `an external interrupt has a vector only if it was acknowledged`() {
        #expect(Self.decode(1, [0x4404: 0x8000_0041]) == .externalInterrupt(vector: 0x41))
        #expect(Self.decode(1, [0x4404: 0x41]) == .externalInterrupt(vector: nil))
    }

    @Test func `the other payloads`() {
        #expect(Self.decode(4, [0x6400: 0x9A]) == .startupIPI(vector: 0x9A))
        #expect(Self.decode(14, [0x6400: 0xFFFF_8000_0000_1000]) == .invalidatePage(GuestVirtualAddress(0xFFFF_8000_0000_1000)))
        #expect(Self.decode(44, [0x6400: 0x10B0]) == .virtualAPIC(.access(offset: 0xB0, isWrite: true, isFetch: false)))
        #expect(Self.decode(44, [0x6400: 0x0020]) == .virtualAPIC(.access(offset: 0x20, isWrite: false, isFetch: false)))
        #expect(Self.decode(44, [0x6400: 0x3020]) == .virtualAPIC(.accessDuringDelivery(offset: 0x20)))
        #expect(Self.decode(45, [0x6400: 0x55]) == .virtualAPIC(.endOfInterrupt(vector: 0x55)))
        #expect(Self.decode(49, [0x2400: 0x5000]) == .nestedPageMisconfiguration(GuestPhysicalAddress(0x5000)))
        #expect(Self.decode(56, [0x6400: 0x300]) == .virtualAPIC(.write(offset: 0x300)))
        #expect(Self.decode(13) == .invalidateCaches(writesBack: false) && Self.decode(54) == .invalidateCaches(writesBack: true))
        #expect(Self.decode(16) == .readTimeStamp(withAuxiliary: false) && Self.decode(51) == .readTimeStamp(withAuxiliary: true))
        #expect(Self.decode(46) == .descriptorTable && Self.decode(47) == .descriptorTable)
        #expect(Self.decode(57) == .random(seed: false) && Self.decode(61) == .random(seed: true))
    }

    @Test func `decoding reads only what the reason needs`() {
        let set = CapabilitySet.skylakeX.capabilities
        let constants = UnsafeMutablePointer<VMXConstants>.allocate(capacity: 1)
        defer { constants.deallocate() }
        constants.initialize(to: .simple(set))
        for (reason, fields) in [(10, []), (12, []), (30, [0x6400]), (48, [0x2400, 0x6400]), (31, [])] as [(UInt64, Set<UInt32>)]
        {
            let access = SimulatedVMCS(set)
            access[0x4402] = reason
            _ = VMXProcessor(access, constants).decodeExit()
            #expect(Set(access.reads.keys) == fields.union([0x4402]))
            #expect(access.readCount == fields.count + 1)
        }
    }

    // MARK: Names and values

    @Test func `every basic reason of the manual has its own name, and no other number has one`() {
        let reserved: Set<UInt16> = [35, 38, 42, 71, 82, 83]
        var names: Set<String> = []
        for reason in UInt16(0)...BasicExitReason.highest.rawValue {
            #expect(ExitReason(rawValue: UInt32(reason)).basic?.rawValue == reason)
            let name = words(ExitReason(rawValue: UInt32(reason)))
            #expect((name == "reserved reason") == reserved.contains(reason), "\(reason)")
            if !reserved.contains(reason) { #expect(names.insert(name).inserted, "\(name) twice") }
        }
        for reason in [86, 87, 0xFFFF] as [UInt32] { #expect(words(ExitReason(rawValue: reason)) == "reserved reason") }
        let known: [(UInt32, String)] = [
            (10, "CPUID"), (12, "HLT"), (18, "VMCALL"), (28, "control-register access"), (30, "I/O instruction"),
            (48, "EPT violation"), (55, "XSETBV"), (0x8000_0021, "entry failure, guest state"),
        ]
        for (reason, name) in known { #expect(words(ExitReason(rawValue: reason)) == name) }
    }

    @Test func `the basic reason has 16 bits, and bit 31 is the failed entry`() {
        #expect(ExitReason(rawValue: 0x8000_0030).basic == .eptViolation)
        for flags in [1 << 31, 1 << 27, 1 << 16, 1 << 8] as [UInt32] {
            #expect(ExitReason(rawValue: flags | 0x30).unflagged == nil)
        }
        #expect(ExitReason(rawValue: 0x30).unflagged == .eptViolation)
        #expect(ExitReason(rawValue: 0x8000_0021).isEntryFailure && !ExitReason(rawValue: 0x7FFF_FFFF).isEntryFailure)
    }

    @Test func `every cause names what makes the exit`() {
        #expect("\(ExitReason(.hlt).cause)".hasPrefix("\"HLT exiting\""))
        #expect("\(ExitReason(.cpuid).cause)".hasPrefix("always"))
        #expect("\(ExitReason(.ioInstruction).cause)".contains("I/O bitmaps"))
        #expect("\(ExitReason(.rdrand).cause)".hasPrefix("\"RDRAND exiting\""))
    }

    @Test func `instruction errors say what failed`() {
        let known: [(UInt32, String)] = [
            (4, "VMLAUNCH with non-clear VMCS"), (5, "VMRESUME with non-launched VMCS"),
            (7, "VM entry with invalid control fields"),
            (8, "VM entry with invalid host-state fields"), (12, "VMREAD or VMWRITE of an unsupported VMCS component"),
            (26, "VM entry with events blocked by MOV SS"), (28, "invalid operand to INVEPT or INVVPID"),
        ]
        for (number, text) in known { #expect("\(InstructionError(number).words)" == text) }
        for number in [0, 14, 21, 27, 29] as [UInt32] { #expect("\(InstructionError(number).words)".contains("reserves")) }
    }

    @Test func `interruption information goes together and comes apart`() {
        let kinds: [(InterruptionInformation.Kind, UInt32)] = [
            (.externalInterrupt, 0), (.nonMaskableInterrupt, 2), (.hardwareException, 3), (.softwareInterrupt, 4),
            (.privilegedSoftwareException, 5), (.softwareException, 6),
        ]
        for (kind, number) in kinds {
            let information = InterruptionInformation(kind: kind, vector: 0xFE, deliversErrorCode: false)
            #expect(information.rawValue == 0x8000_00FE | number << 8)
            #expect(
                information.kind == kind && information.vector == 0xFE && information.isValid && !information.deliversErrorCode)
        }
        #expect(InterruptionInformation(kind: .hardwareException, vector: 14, deliversErrorCode: true).rawValue == 0x8000_0B0E)
        #expect(!InterruptionInformation.none.isValid)
    }

    @Test func `the EPT pointer has memory type, walk length, accessed and dirty, and root in their places`() {
        let pointer = EPTPointer(
            root: HostPhysicalAddress(0x12_3456_7000), levelCount: 4, memoryType: .writeBack, usesAccessedAndDirty: true)
        #expect(pointer.rawValue == 0x12_3456_705E)
        #expect(pointer.memoryType == .writeBack && pointer.levelCount == 4 && pointer.usesAccessedAndDirty)
        #expect(pointer.root == HostPhysicalAddress(0x12_3456_7000) && !pointer.enforcesShadowStacks)
        let other = EPTPointer(
            root: HostPhysicalAddress(0x1000), levelCount: 5, memoryType: .uncacheable, usesAccessedAndDirty: false)
        #expect(other.rawValue == 0x1020)
        #expect(
            EPTPointer(rawValue: 7).memoryType == nil
                && EPTPointer(rawValue: 0x80).enforcesShadowStacks)
    }

    @Test func `access rights come apart, and a register without a segment is unusable`() {
        let code = SegmentAccessRights(.code64)
        #expect(code.rawValue == 0xA09B && code.type == 11 && code.isCodeOrData && code.isPresent && code.isLong)
        #expect(
            !code.is32Bit && code.hasPageGranularity && !code.isUnusable && code.privilegeLevel == 0 && code.reservedBits == 0)
        #expect(SegmentAccessRights(rawValue: 0xF3).privilegeLevel == 3)
        #expect(SegmentAccessRights(.init(rawValue: 0)).rawValue == 0x10000 && SegmentAccessRights.unusable.isUnusable)
        #expect(SegmentAccessRights(rawValue: .max).reservedBits == 0xFFFE_0F00)
    }

    @Test func `tags are never 0, and after the last the translations must go`() {
        var tags = VPIDAllocator()
        for expected in 1...65535 {
            let (tag, startsAnew) = tags.allocate()
            guard Int(tag) == expected, !startsAnew else { Issue.record("tag \(tag) for \(expected)"); return }
        }
        #expect(tags.allocate() == (1, true))
        #expect(tags.allocate() == (2, false))
    }

    @Test func `translations are dropped by tag where the processor can, else all`() {
        let single = TranslationInvalidator(EPTAndVPIDCapabilities(rawValue: 1 << 41 | 1 << 42)) { _, _ in }
        let all = TranslationInvalidator(EPTAndVPIDCapabilities(rawValue: 1 << 42)) { _, _ in }
        #expect(single.kind == 1 && all.kind == 2)
    }
}

extension VMXConstants {
    /// For a virtual CPU without VPID whose local APIC follows no mode.
    static func simple(_ set: VMXCapabilities) -> Self {
        VMXConstants(
            set, tag: 0, invalidator: TranslationInvalidator(set.eptAndVPID) { _, _ in },
            localAPIC: LocalAPICVirtualization(
                try! VMXControls(set, wantsVPID: true), msrBitmaps: HostPhysicalAddress(0x3000),
                accessEntry: HostPhysicalAddress(0x7000), accessEntryValue: 0x6037))
    }
}
