import Text
import Support
import Testing

@testable import X86

@Suite struct RegisterTests {
    @Test func `flags print by the manual's names, unnamed bits by number, none as none`() {
        #expect(words(ControlRegister0(rawValue: 0x8000_0011)) == "PE, ET, PG")
        #expect(words(ControlRegister0(rawValue: 1 << 7)) == "bit 7")
        #expect(words(ControlRegister0.none) == "none")
        #expect(words(ControlRegister4(rawValue: 0x4_2020)) == "PAE, VMXE, OSXSAVE")
        #expect(words(ExtendedFeatureEnable(rawValue: 0xD01)) == "SCE, LME, LMA, NXE")
        #expect(words(RFlags(rawValue: 0x4_0246)) == "1, PF, ZF, IF, AC")
        #expect(words(ControlRegister0(rawValue: 1 << 63)) == "bit 63")
    }

    @Test func `set operations`() {
        let some: RFlags = .carry | .zero
        #expect(some.rawValue == 0x41 && some.contains(.carry) && !some.contains(.carry | .sign))
        #expect(some.intersects(.carry | .sign) && !some.intersects(.sign) && !some.isEmpty && RFlags.none.isEmpty)
        #expect(some.subtracting(.zero | .sign) == .carry && (some ^ .carry) == .zero && (some & .zero) == .zero)
        #expect(some.setting(.sign, to: true).rawValue == 0xC1 && some.setting(.carry, to: false) == .zero)
        #expect(some.contains(.none))
    }

    @Test func `the bits of control registers are where the manual puts them`() {
        #expect(ControlRegister0.defined.rawValue == 0xE005_003F)
        let cr0: [(ControlRegister0, Int)] = [
            (.protectionEnable, 0), (.taskSwitched, 3), (.numericError, 5), (.writeProtect, 16), (.notWriteThrough, 29),
            (.cacheDisable, 30), (.paging, 31),
        ]
        for (flag, bit) in cr0 { #expect(flag.rawValue == 1 << UInt64(bit)) }
        let cr4: [(ControlRegister4, Int)] = [
            (.timeStampDisable, 2), (.pageSizeExtensions, 4), (.physicalAddressExtension, 5), (.pageGlobalEnable, 7),
            (.fxsave, 9), (.fiveLevelPaging, 12), (.vmxEnable, 13), (.fsgsbase, 16), (.processContextIdentifiers, 17),
            (.xsave, 18), (.supervisorExecutionPrevention, 20), (.supervisorAccessPrevention, 21), (.protectionKeys, 22),
            (.controlFlowEnforcement, 23),
        ]
        for (flag, bit) in cr4 { #expect(flag.rawValue == 1 << UInt64(bit)) }
        let efer: [(ExtendedFeatureEnable, Int)] = [
            (.systemCall, 0), (.longModeEnable, 8), (.longModeActive, 10), (.executeDisable, 11),
        ]
        for (flag, bit) in efer { #expect(flag.rawValue == 1 << UInt64(bit)) }
        let flags: [(RFlags, Int)] = [
            (.carry, 0), (.trap, 8), (.interruptEnable, 9), (.direction, 10), (.overflow, 11), (.resume, 16), (.virtual8086, 17),
            (.alignmentCheck, 18),
        ]
        for (flag, bit) in flags { #expect(flag.rawValue == 1 << UInt64(bit)) }
    }

    @Test func `model-specific registers print by name or number`() {
        #expect(words(ModelSpecificRegister.extendedFeatureEnable) == "IA32_EFER")
        #expect(words(ModelSpecificRegister(0x48B)) == "IA32_VMX_PROCBASED_CTLS2")
        #expect(words(ModelSpecificRegister(0xC001_0015)) == "MSR 0xc0010015")
    }

    @Test func `registers of which there are several have the manual's numbers`() {
        #expect(
            (0..<11).map { ModelSpecificRegister.memoryTypeFixed($0).number } == [0x250, 0x258, 0x259] + Array(0x268...0x26F))
        #expect(
            ModelSpecificRegister.memoryTypeBase(7).number == 0x20E && ModelSpecificRegister.memoryTypeMask(7).number == 0x20F)
        #expect(ModelSpecificRegister.machineCheckControl(bank: 9).number == 0x424)
        #expect(ModelSpecificRegister.machineCheckMiscellaneous(bank: 9).number == 0x427)
    }

    // MARK: Exceptions

    /// SDM volume 3, table "Conditions for Generating a Double Fault"; rows are the first exception, columns the second.
    @Test func `two exceptions combine as the manual's table says`() {
        let benign: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 32, 255]
        let contributory: [UInt8] = [0, 10, 11, 12, 13, 21]
        let pageFaults: [UInt8] = [14, 20]
        func all(_ first: [UInt8], _ second: [UInt8], _ expected: ExceptionVector.Combination) {
            for a in first {
                for b in second { #expect(ExceptionVector.combine(.init(a), then: .init(b)) == expected, "\(a), \(b)") }
            }
        }
        all(benign, benign + contributory + pageFaults, .serial)
        all(contributory + pageFaults, benign, .serial)
        all(contributory, contributory, .doubleFault)
        all(contributory, pageFaults, .serial)
        all(pageFaults, contributory + pageFaults, .doubleFault)
        all([8], contributory + pageFaults, .shutdown)
        all([8], benign, .serial)
    }

    @Test func `exceptions with an error code`() {
        let with = (UInt8(0)...31).filter { ExceptionVector($0).hasErrorCode }
        #expect(with == [8, 10, 11, 12, 13, 14, 17, 21])
    }

    @Test func `exceptions print by mnemonic or number`() {
        let names = [
            "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "exception 9", "#TS", "#NP", "#SS", "#GP", "#PF",
            "exception 15", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP", "exception 22",
        ]
        for (number, name) in names.enumerated() { #expect(words(ExceptionVector(UInt8(number))) == name) }
    }

    // MARK: Modes

    @Test func `the mode follows from CR0, EFER.LMA, RFLAGS.VM and the code segment`() {
        func mode(_ cr0: ControlRegister0, _ long: Bool, _ flags: RFlags, _ l: Bool, _ d: Bool) -> ProcessorMode {
            ProcessorMode(cr0: cr0, longModeActive: long, flags: flags, codeIsLong: l, codeIs32Bit: d)
        }
        #expect(mode(.none, false, .none, false, false) == .real)
        #expect(mode(.none, false, .none, true, true) == .real)
        #expect(mode(.protectionEnable, false, .virtual8086, false, true) == .virtual8086)
        #expect(mode(.protectionEnable, false, .none, false, false) == .protected16)
        #expect(mode(.protectionEnable, false, .none, true, true) == .protected32)
        #expect(mode(.protectionEnable, true, .none, false, false) == .compatibility16)
        #expect(mode(.protectionEnable, true, .virtual8086, false, true) == .compatibility32)
        #expect(mode(.protectionEnable, true, .none, true, false) == .long64)
    }

    @Test func `modes have their sizes`() {
        let sizes: [(ProcessorMode, Int)] = [
            (.real, 2), (.virtual8086, 2), (.protected16, 2), (.compatibility16, 2), (.protected32, 4), (.compatibility32, 4),
            (.long64, 8),
        ]
        for (mode, size) in sizes { #expect(mode.defaultAddressSize == size && mode.is64Bit == (size == 8)) }
    }

    // MARK: Address widths, instruction bytes

    @Test func `address widths come from CPUID, or from what old processors had`() {
        let host = SimulatedHost()
        #expect(host.physicalAddressWidth == 39 && host.linearAddressWidth == 48)
        host.leaves[0x8000_0000]![0]!.eax = 0x8000_0007
        #expect(host.physicalAddressWidth == 36 && host.linearAddressWidth == 48)
    }

    @Test func `instruction bytes keep fifteen and print as hexadecimal`() {
        var bytes = InstructionBytes()
        for byte in UInt8(0xF0)...0xFF { bytes.append(byte) }
        #expect(bytes.count == 15 && bytes[0] == 0xF0 && bytes[7] == 0xF7 && bytes[8] == 0xF8 && bytes[14] == 0xFE)
        #expect(words(bytes) == "bytes f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 fa fb fc fd fe")
        #expect(bytes == InstructionBytes(low: 0xF7F6_F5F4_F3F2_F1F0, high: 0xFFFE_FDFC_FBFA_F9F8))
        #expect(words(InstructionBytes()) == "bytes")
    }

    @Test(arguments: 1...8) func `bytes are taken from the beginning`(size: Int) {
        var bytes = InstructionBytes(low: 0x0807_0605_0403_0201, high: 0x000F_0E0D_0C0B_0A09)
        var next: UInt64 = 1
        while bytes.count >= size {
            var expected: UInt64 = 0
            for index in 0..<UInt64(size) { expected |= (next + index) << (8 * index) }
            #expect(bytes.take(size) == expected)
            next += UInt64(size)
        }
        let left = bytes.count
        #expect(bytes.take(size) == nil && bytes.count == left)
    }

    @Test func `selectors come apart`() {
        let selector = SegmentSelector(rawValue: 0x2F)
        #expect(
            selector.requestedPrivilegeLevel == 3 && selector.usesLocalTable && !SegmentSelector(rawValue: 0x28).usesLocalTable)
    }
}
