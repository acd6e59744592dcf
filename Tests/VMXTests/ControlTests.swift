import Text
import Support
import Testing
import X86

@testable import VMX

@Suite struct ControlTests {
    // MARK: One field

    static let capability = ControlCapability<PrimaryControls>(0x0000_00FF_0000_0003, from: .vmxPrimaryControls)

    @Test func `required and forced controls are on, preferred ones where they are offered`() {
        let granted = Self.capability.adjust(require: .init(bit: 7), prefer: .init(bit: 4) | .init(bit: 9))
        #expect(granted.rawValue == 0b1001_0011)
    }

    @Test func `required controls that are not offered are missing by name`() {
        let missing = Self.capability.missing(of: .hltExiting | .useMSRBitmaps | .init(bit: 26))
        #expect(missing.missing.rawValue == 1 << 28 | 1 << 26)
        #expect(
            lines { missing.report("primary controls", to: $0) } == [
                "primary controls: \"bit 26\" is not offered (IA32_VMX_PROCBASED_CTLS, bit 58)",
                "primary controls: \"use MSR bitmaps\" is not offered (IA32_VMX_PROCBASED_CTLS, bit 60)",
            ])
    }

    @Test func `an absent field offers nothing and requires nothing`() {
        let absent = ControlCapability<SecondaryControls>.absent(.vmxSecondaryControls)
        #expect(absent.adjust(require: .none, prefer: .init(rawValue: .max)).isEmpty)
    }

    // MARK: All fields, on several processors

    @Test(arguments: [CapabilitySet.skylakeX, .nestedKVM, .arrandale])
    func `a processor with EPT and unrestricted guest gets controls that it accepts`(set: CapabilitySet) throws {
        let capabilities = set.capabilities
        let controls = try VMXControls(capabilities, wantsVPID: true)
        func accepts<Controls: FlagSet>(_ capability: ControlCapability<Controls>, _ granted: Controls) -> Bool
        where Controls.RawValue == UInt32 {
            granted.contains(capability.required) && granted.subtracting(capability.allowed).isEmpty
        }
        #expect(accepts(capabilities.pin, controls.pin))
        #expect(accepts(capabilities.primary, controls.primary))
        #expect(accepts(capabilities.secondary, controls.secondary))
        #expect(accepts(capabilities.exit, controls.exit))
        #expect(accepts(capabilities.entry, controls.entry))
        #expect(controls.pin.rawValue & 0x49 == 0x49)  // external interrupts, NMIs, preemption timer
        #expect(controls.primary.rawValue & 1 << 7 != 0 && controls.primary.rawValue >> 31 == 1)
        #expect(controls.secondary.rawValue & 0xA2 == 0xA2)  // EPT, VPID, unrestricted guest
        // What would make a guest's every day slow: no exit on CR3, INVLPG, RDTSC, PAUSE, MOV DR, CR8.
        #expect(controls.primary.rawValue & (1 << 9 | 1 << 12 | 1 << 15 | 1 << 16 | 1 << 19 | 1 << 20 | 1 << 23 | 1 << 30) == 0)
        #expect(controls.exit.rawValue & 1 << 9 != 0 && controls.entry.rawValue & 1 << 9 == 0)
    }

    @Test func `a processor without EPT gets controls that it accepts, with exits for shadow tables`() throws {
        let capabilities = CapabilitySet.penryn.capabilities
        #expect(!VMXControls.offersNestedTables(capabilities))
        let controls = try VMXControls(capabilities, wantsVPID: true, timer: .processorOrHost, needsNestedTables: false)
        #expect(controls.pin.contains(capabilities.pin.required) && controls.pin.subtracting(capabilities.pin.allowed).isEmpty)
        #expect(
            controls.primary.contains(capabilities.primary.required)
                && controls.primary.subtracting(capabilities.primary.allowed).isEmpty)
        #expect(
            controls.exit.contains(capabilities.exit.required) && controls.exit.subtracting(capabilities.exit.allowed).isEmpty)
        #expect(
            controls.entry.contains(capabilities.entry.required) && controls.entry.subtracting(capabilities.entry.allowed).isEmpty
        )
        #expect(controls.secondary.isEmpty && controls.localAPIC.isEmpty && controls.assistance == .taskPriority)
        #expect(
            !controls.hasNestedTables && !controls.switchesExtendedFeatures && !controls.switchesPAT
                && !controls.usesPreemptionTimer)
        #expect(controls.primary.contains(.cr3LoadExiting | .cr3StoreExiting | .invlpgExiting))
    }

    @Test func `no control is on whose page or field Martlet does not set`() throws {
        let controls = try VMXControls(CapabilitySet.skylakeX.capabilities, wantsVPID: true)
        #expect(!controls.pin.contains(.processPostedInterrupts))
        for control in [
            SecondaryControls.virtualizeAPICAccesses, .apicRegisterVirtualization, .virtualInterruptDelivery, .enableVMFunctions,
            .vmcsShadowing, .enablePML, .eptViolationException, .useTSCScaling, .virtualizeX2APICMode,
        ] {
            #expect(!controls.secondary.contains(control), "\(words(control))")
        }
    }

    @Test func `VPID is off if it is not wanted or cannot be invalidated`() throws {
        #expect(!(try VMXControls(CapabilitySet.skylakeX.capabilities, wantsVPID: false)).secondary.contains(.enableVPID))
        // INVVPID itself, or all of its useful kinds, missing.
        for mask in [1 << 32, 3 << 41] as [UInt64] {
            let set = CapabilitySet.skylakeX.replacing([0x48C: CapabilitySet.skylakeX.registers[0x48C]! & ~mask])
            #expect(!(try VMXControls(set.capabilities, wantsVPID: true)).secondary.contains(.enableVPID))
        }
        let none = CapabilitySet.skylakeX.replacing([0x48B: 0x0257_FFDF_0000_0000])
        #expect(!(try VMXControls(none.capabilities, wantsVPID: true)).secondary.contains(.enableVPID))
    }

    @Test func `preferred controls that are missing are left off`() throws {
        let arrandale = try VMXControls(CapabilitySet.arrandale.capabilities, wantsVPID: true)
        #expect(!arrandale.secondary.contains(.enableINVPCID) && arrandale.secondary.contains(.enableRDTSCP))
        let set = CapabilitySet.skylakeX.replacing([
            0x48F: 0x01F3_FFFF_0003_6DFB, 0x490: 0x3_BFFF_0000_11FB, 0x48D: 0x5F_0000_0016,
        ])
        let controls = try VMXControls(set.capabilities, wantsVPID: true)
        #expect(!controls.exit.intersects(.savePAT | .loadPAT) && !controls.entry.contains(.loadPAT))
        #expect(!controls.pin.contains(.virtualNMIs))
    }

    @Test func `without the preemption timer or its saving the host's timer serves, if there is one`() throws {
        let pin = CapabilitySet.skylakeX.registers[0x48D]! & ~(1 << 38)
        let exit = CapabilitySet.skylakeX.registers[0x48F]! & ~(1 << 54)
        for set in [CapabilitySet.skylakeX.replacing([0x48D: pin]), .skylakeX.replacing([0x48F: exit])] {
            let controls = try VMXControls(set.capabilities, wantsVPID: true, timer: .processorOrHost)
            #expect(!controls.usesPreemptionTimer && !controls.exit.contains(.savePreemptionTimer))
            #expect(Self.report(set).count == 1)
        }
        let wanted = try VMXControls(CapabilitySet.skylakeX.capabilities, wantsVPID: true, timer: .host)
        #expect(!wanted.usesPreemptionTimer && !wanted.exit.contains(.savePreemptionTimer))
    }

    @Test func `without a TPR shadow CR8 exits`() throws {
        let primary = CapabilitySet.skylakeX.registers[0x48E]! & ~(1 << 53)
        let controls = try VMXControls(CapabilitySet.skylakeX.replacing([0x48E: primary]).capabilities, wantsVPID: true)
        #expect(controls.primary.contains(.cr8LoadExiting | .cr8StoreExiting) && !controls.primary.contains(.useTPRShadow))
    }

    @Test func `a processor without true controls gets its default settings`() throws {
        let set = CapabilitySet.skylakeX.replacing([0x480: 0x005A_1000_0000_0001])
        let controls = try VMXControls(set.capabilities, wantsVPID: true)
        #expect(controls.primary.contains(.cr3LoadExiting | .cr3StoreExiting))
    }

    // MARK: What is missing

    static func report(_ set: CapabilitySet) -> [String] {
        do throws(MissingRequirements) {
            _ = try VMXControls(set.capabilities, wantsVPID: true)
            return []
        } catch {
            return lines { error.report(to: $0) }
        }
    }

    @Test func `a processor of the first years is refused with every missing control by name`() {
        #expect(
            Self.report(.penryn) == [
                "pin-based controls: \"activate VMX-preemption timer\" is not offered (IA32_VMX_PINBASED_CTLS, bit 38)",
                "primary controls: \"activate secondary controls\" is not offered (IA32_VMX_PROCBASED_CTLS, bit 63)",
                "secondary controls: \"enable EPT\" is not offered (IA32_VMX_PROCBASED_CTLS2, bit 33)",
                "secondary controls: \"unrestricted guest\" is not offered (IA32_VMX_PROCBASED_CTLS2, bit 39)",
                "VM-exit controls: \"save IA32_EFER\" is not offered (IA32_VMX_EXIT_CTLS, bit 52)",
                "VM-exit controls: \"load IA32_EFER\" is not offered (IA32_VMX_EXIT_CTLS, bit 53)",
                "VM-exit controls: \"save VMX-preemption timer value\" is not offered (IA32_VMX_EXIT_CTLS, bit 54)",
                "VM-entry controls: \"load IA32_EFER\" is not offered (IA32_VMX_ENTRY_CTLS, bit 47)",
            ])
    }

    @Test(
        arguments: [
            (6, "EPT: four-level tables are not offered (IA32_VMX_EPT_VPID_CAP, bit 6)"),
            (14, "EPT: write-back tables are not offered (IA32_VMX_EPT_VPID_CAP, bit 14)"),
            (20, "EPT: INVEPT for all contexts is not offered (IA32_VMX_EPT_VPID_CAP, bits 20 and 26)"),
            (26, "EPT: INVEPT for all contexts is not offered (IA32_VMX_EPT_VPID_CAP, bits 20 and 26)"),
        ] as [(UInt64, String)])
    func `each property of EPT that is needed is refused by its own words`(bit: UInt64, words: String) {
        let value = CapabilitySet.skylakeX.registers[0x48C]! & ~(1 << bit)
        #expect(Self.report(.skylakeX.replacing([0x48C: value])) == [words])
    }

    @Test func `controls from true registers are named after them`() {
        let value = CapabilitySet.skylakeX.registers[0x48E]! & ~(1 << 39)
        #expect(
            Self.report(.skylakeX.replacing([0x48E: value])) == [
                "primary controls: \"HLT exiting\" is not offered (IA32_VMX_TRUE_PROCBASED_CTLS, bit 39)"
            ])
    }

    @Test func `the report says of each control whether it was granted`() throws {
        let capabilities = CapabilitySet.arrandale.capabilities
        let report = lines { try! VMXControls(capabilities, wantsVPID: true).report(capabilities, to: $0) }
        #expect(report.contains("  primary     HLT exiting                           required    granted"))
        #expect(report.contains("  secondary   enable INVPCID                        preferred   not offered"))
        #expect(report.contains("  VM-entry    load debug controls                   required    granted"))
        let old = CapabilitySet.arrandale.replacing([0x480: 0x005A_0400_0000_000F]).capabilities
        let forced = lines { try! VMXControls(old, wantsVPID: false).report(old, to: $0) }
        #expect(forced.contains("  primary     CR3-load exiting                      not wanted  forced on"))
        #expect(forced.contains("  secondary   enable VPID                           preferred   left off"))
    }

    // MARK: Capability registers

    @Test(arguments: [CapabilitySet.skylakeX, .nestedKVM, .arrandale, .penryn])
    func `no capability register is read that the processor lacks`(set: CapabilitySet) {
        let host = set.host
        _ = set.capabilities(on: host)
        #expect(host.absentRegisters == [])
    }

    @Test func `the basic and miscellaneous registers come apart into their fields`() {
        let basic = VMXBasic(rawValue: 0x00DA_0400_8000_000F)
        #expect(basic.revisionIdentifier == 0xF && basic.memoryType == 6)
        #expect(!basic.addressesAre32Bit && basic.reportsStringIODetails && basic.hasTrueControls && !basic.errorCodeIsOptional)
        #expect(VMXBasic(rawValue: 1 << 48).addressesAre32Bit && VMXBasic(rawValue: 1 << 56).errorCodeIsOptional)
        let misc = VMXMiscellaneous(rawValue: 0x2004_0165)
        #expect(misc.preemptionTimerShift == 5 && misc.supportsHaltState)
        #expect(!misc.supportsShutdownState && misc.supportsWaitForStartupState && misc.cr3TargetCount == 4)
        #expect(!misc.allowsZeroLengthInjection && VMXMiscellaneous(rawValue: 1 << 30).allowsZeroLengthInjection)
    }

    @Test func `the largest page is what EPT offers`() {
        #expect(EPTAndVPIDCapabilities(rawValue: 3 << 16).largestPage == .oneGibibyte)
        #expect(EPTAndVPIDCapabilities(rawValue: 1 << 16).largestPage == .twoMebibytes)
        #expect(EPTAndVPIDCapabilities(rawValue: 0).largestPage == .fourKibibytes)
    }

    @Test func `a register is valid with all bits that must be 1 and none that must be 0`() {
        let fixed = FixedBits<ControlRegister0>(fixed0: 0x8000_0021, fixed1: 0xFFFF_FFFF)
        #expect(fixed.accepts(.init(rawValue: 0x8000_0021)))
        #expect(fixed.accepts(.init(rawValue: 0xFFFF_FFFF)))
        #expect(!fixed.accepts(.init(rawValue: 0x8000_0001)))
        #expect(!fixed.accepts(.init(rawValue: 0x1_8000_0021)))
        #expect(
            !fixed.accepts(.init(rawValue: 0x20)) && fixed.accepts(.init(rawValue: 0x20), exempt: .paging | .protectionEnable))
        #expect(fixed.adjust(.init(rawValue: 0x1_0000_0010)).rawValue == 0x8000_0031)
        #expect(fixed.adjust(.init(rawValue: 0x10), exempt: .paging | .protectionEnable).rawValue == 0x30)
    }

    // MARK: Turning VMX on

    static func enable(_ feature: UInt64?, ecx: UInt32 = 0xFFFF_FFFF, vendor: UInt32 = 0x756E_6547) -> (
        VMXUnavailable?, SimulatedHost
    ) {
        let host = SimulatedHost()
        host.leaves[0]![0]!.ebx = vendor
        host.leaves[1]![0]!.ecx = ecx
        if let feature { host.registers[0x3A] = feature }
        do throws(VMXUnavailable) {
            try VMXSupport.enable(host, host)
            return (nil, host)
        } catch {
            return (error, host)
        }
    }

    @Test(arguments: [(0, 5), (2, 7), (1 << 20, 1 << 20 | 5), (5, 5), (7, 7)] as [(UInt64, UInt64)])
    func `VMX is unlocked where the firmware left it open, and used where it is on`(before: UInt64, after: UInt64) {
        let (error, host) = Self.enable(before)
        #expect(error == nil && host.registers[0x3A] == after)
    }

    @Test(arguments: [1, 3] as [UInt64]) func `VMX that the firmware locked is refused`(value: UInt64) {
        let (error, host) = Self.enable(value)
        #expect(error == .lockedByFirmware && host.registers[0x3A] == value)
    }

    @Test func `without VMX the reason is told, and no register is read`() {
        let cases: [(UInt32, UInt32, VMXUnavailable)] = [
            (0, 0x756E_6547, .notOnThisProcessor), (1 << 31, 0x756E_6547, .hiddenByHypervisor),
            (0, 0x6874_7541, .notIntel), (1 << 31, 0x6874_7541, .notIntel), (0, 0x6F67_7948, .notIntel),
        ]
        for (ecx, vendor, expected) in cases {
            let (error, host) = Self.enable(nil, ecx: ecx, vendor: vendor)
            #expect(error == expected)
            #expect(host.absentRegisters == [])
        }
        #expect(words(VMXUnavailable.lockedByFirmware).hasPrefix("no VMX: the firmware has locked it"))
        #expect(words(VMXUnavailable.hiddenByHypervisor).contains("kvm_intel with nested=1"))
        #expect(words(VMXUnavailable.notIntel).contains("AMD"))
        #expect(words(VMXUnavailable.notOnThisProcessor).contains("CPUID.1:ECX bit 5"))
    }
}
