import Testing
import Virtualization
import X86

@testable import Machine
@testable import VMX

/// The guest's breakpoints and alignment checks, where Martlet makes the access.
@Suite struct BreakpointTests {
    /// The pending debug exceptions behind IN or OUT of a byte at port 80H.
    private static func pending(
        _ control: UInt64, at place: UInt64 = 0x80, isInput: Bool = false, size: Int = 1, hasExtensions: Bool = true
    ) -> UInt64 {
        let machine = TestMachine()
        if hasExtensions { machine.processor.cr4 = machine.processor.cr4 | .debuggingExtensions }
        machine.host.loadDebugAddress(0, place)
        machine.processor.debugRegister7.rawValue = control
        #expect(
            machine.exit(.ioInstruction, qualification: portQualification(0x80, size: size, isInput: isInput), length: 1) == .step
        )
        return machine.vmcs[0x6822]
    }

    @Test(arguments: [false, true]) func `a port's breakpoint traps behind IN and OUT`(isInput: Bool) {
        #expect(Self.pending(0x0002_0402, isInput: isInput) == 0x1001)
        #expect(Self.pending(0x0002_0401, isInput: isInput) == 0x1001)
    }

    @Test func `it does not where it is not enabled, of another kind, or elsewhere`() {
        #expect(Self.pending(0x0002_0400) == 0)
        #expect(Self.pending(0x0003_0402) == 0)
        #expect(Self.pending(0x0002_0402, hasExtensions: false) == 0)
        #expect(Self.pending(0x0002_0402, at: 0x81) == 0)
        #expect(Self.pending(0x0002_0402, at: 0x81, size: 2) == 0x1001)
        #expect(Self.pending(0x000E_0402, at: 0x82) == 0x1001)  // four bytes, aligned
    }

    /// INS or OUTS at port 80H with memory at an address.
    private static func string(_ machine: TestMachine, isInput: Bool, size: Int, at address: UInt64, count: UInt64? = nil)
        -> Outcome
    {
        machine.cpu.registers.rsi = address
        machine.cpu.registers.rdi = address
        if let count { machine.cpu.registers.rcx = count }
        return machine.exit(
            .ioInstruction,
            qualification: portQualification(0x80, size: size, isInput: isInput, isString: true, isRepeated: count != nil),
            length: 1, details: 3 << 15 | 2 << 7)
    }

    @Test func `memory and port of a string instruction meet breakpoints, and it stops behind the element`() {
        for (isInput, control, met) in [
            (true, 0x00D0_0408, 0x1002), (true, 0x00F0_0408, 0x1002), (false, 0x00F0_0408, 0x1002), (false, 0x00D0_0408, 0),
            (false, 0x00F2_040A, 0x1003),
        ] as [(Bool, UInt64, UInt64)] {
            let machine = TestMachine()
            machine.processor.cr4 = machine.processor.cr4 | .debuggingExtensions
            machine.host.loadDebugAddress(0, 0x80)
            machine.host.loadDebugAddress(1, 0x2_0000)
            machine.processor.debugRegister7.rawValue = control
            #expect(Self.string(machine, isInput: isInput, size: 1, at: 0x2_0003, count: 5) == .iterate)
            #expect(machine.vmcs[0x6822] == met && machine.cpu.registers.rcx == 4)
        }
    }

    @Test(arguments: [false, true]) func `an operand in memory is checked for its alignment in ring 3 with AM and AC`(
        isInput: Bool
    ) {
        for (size, offset, faults) in [(1, 1, false), (2, 1, true), (2, 2, false), (4, 2, true)] as [(Int, UInt64, Bool)] {
            let machine = TestMachine()
            machine.processor.cr0 = machine.processor.cr0 | .alignmentMask
            machine.rflags |= 1 << 18 | 3 << 12
            machine.enterUserMode()
            let outcome = Self.string(machine, isInput: isInput, size: size, at: 0x2_0000 + offset)
            #expect(outcome == (faults ? .inject(.exception(.alignmentCheck, errorCode: 0)) : .step))
        }
    }
}
