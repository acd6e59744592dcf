import Memory
import Support
import Testing
import Virtualization
import X86

@testable import SVM

/// The end of an instruction, the events that come between two, and those whose delivery an exit interrupted.
@Suite struct StepAndEventTests {
    static let singleStep: UInt64 = 1 << 14
    static let code = TestProcessor.code

    /// The end of an instruction of two bytes that exited.
    static func end(_ test: TestProcessor) -> Bool {
        test.put([0x0F, 0xA2])
        test.exit(.cpuid, next: test.processor.instructionPointer + 2)
        return test.processor.stepPastInstruction() ? test.processor.isDebugTrapPending : test.processor.endInstruction()
    }

    @Test(arguments: [TestProcessor.rich, TestProcessor.plain])
    func `an instruction's end lifts the interrupt shadow, clears RF and raises the trap of TF`(features: UInt32) {
        let test = TestProcessor(features)
        #expect(!Self.end(test))
        test.vmcb[.interruptShadow] = .init(rawValue: 3)
        test.processor.flags = .alwaysSet | .resume
        #expect(!Self.end(test))
        #expect(test.vmcb[.interruptShadow].rawValue == 2 && test.processor.flags == .alwaysSet)
        test.processor.flags = .alwaysSet | .trap
        test.vmcb[.dr6] = 0xFFFF_0FF3
        #expect(Self.end(test))
        #expect(test.vmcb[.dr6] == 0xFFFF_4FF0 && test.vmcb[.eventInjection] == SVMEvent(kind: .exception, vector: 1))
        #expect(test.processor.instructionPointer == Self.code + 6)
        // DBGCTL.BTF traps branches alone.
        let branches = TestProcessor(features)
        branches.processor.flags = .alwaysSet | .trap
        branches.processor.debugControl = 2
        #expect(!Self.end(branches))
    }

    @Test func `RIP wraps at 4 GiB outside 64-bit mode`() {
        let test = TestProcessor()
        test.processor.setSegment(.cs, .init(selector: 8, base: 0, limit: .max, attributes: .code32))
        test.processor.instructionPointer = 0xFFFF_FFFE
        test.exit(.cpuid, next: 0x1_0000_0000)
        #expect(!test.processor.stepPastInstruction() && !test.processor.endInstruction())
        #expect(test.processor.instructionPointer == 0)
        let long = TestProcessor()
        long.processor.instructionPointer = 0xFFFF_FFFE
        long.exit(.cpuid, next: 0x1_0000_0000)
        #expect(!long.processor.stepPastInstruction() && !long.processor.endInstruction())
        #expect(long.processor.instructionPointer == 0x1_0000_0000)
    }

    @Test func `an iteration leaves RIP and sets RF`() {
        let test = TestProcessor()
        test.vmcb[.interruptShadow] = .shadow
        #expect(!test.processor.endIteration())
        #expect(test.processor.flags == .alwaysSet | .resume && test.vmcb[.interruptShadow].isEmpty)
        #expect(test.processor.instructionPointer == Self.code)
    }

    @Test func `breakpoints trap behind the instruction, unless that faults`() {
        let test = TestProcessor()
        test.vmcb[.dr6] = 0xFFFF_0FF8
        test.processor.addBreakpointTraps(0xF2)
        #expect(test.processor.isDebugTrapPending && test.vmcb[.dr6] == 0xFFFF_0FF2)
        test.processor.addBreakpointTraps(1)
        #expect(test.vmcb[.dr6] == 0xFFFF_0FF3)
        test.processor.inject(.exception(.pageFault, errorCode: 2))
        #expect(!test.processor.isDebugTrapPending && test.vmcb[.dr6] == 0xFFFF_0FF8)
    }

    // MARK: Injection

    @Test func `events have their types and error codes, faults push RF`() {
        let events: [(Event, UInt64, Bool)] = [
            (.interrupt(0x31), 0x8000_0031, false), (.exception(.pageFault, errorCode: 6), 0x6_8000_0B0E, true),
            (.exception(.invalidOpcode), 0x8000_0306, true), (.exception(.debug), 0x8000_0301, false),
            (.init(kind: .nonMaskableInterrupt, vector: 2), 0x8000_0202, false),
            (.init(kind: .softwareInterrupt, vector: 0x80, instructionLength: 2), 0x8000_0480, false),
            (.init(kind: .softwareException, vector: 3, instructionLength: 1), 0x8000_0303, false),
            (.init(kind: .privilegedSoftwareException, vector: 1, instructionLength: 1), 0x8000_0301, false),
        ]
        for (event, value, pushesRF) in events {
            let test = TestProcessor()
            let isInterrupt = event.kind == .externalInterrupt
            if !isInterrupt { test.vmcb[.interruptShadow] = .shadow }
            test.processor.inject(event)
            #expect(
                test.vmcb[.eventInjection].rawValue == value && test.processor.entryEvent == UInt32(truncatingIfNeeded: value))
            #expect(test.processor.flags.contains(.resume) == pushesRF && test.vmcb[.interruptShadow].isEmpty)
            #expect(test.processor.instructionPointer == Self.code + UInt64(event.instructionLength), "behind the instruction")
            if event.kind.isSoftware { #expect(test.vmcb[.nextRIP] == test.processor.instructionPointer) }
            #expect(!test.processor.canTakeInterrupt && test.processor.takeEvent()?.vector == event.vector)
            #expect(test.processor.entryEvent == 0)
        }
    }

    @Test func `in real mode no exception has an error code`() {
        let test = TestProcessor()
        test.processor.cr0 = .extensionType
        test.processor.inject(.generalProtection)
        #expect(test.vmcb[.eventInjection].rawValue == 0x8000_030D)
    }

    @Test func `an exit clears what was injected, and lets the processor use what it has kept`() {
        for (features, clean, flush) in [(TestProcessor.rich, UInt32(0x1FFF), TLBControl.flushGuest), (1, 0, .flushAll)] {
            let test = TestProcessor(features)
            test.processor.inject(.interrupt(0x40))
            test.processor.flushTranslations()
            #expect(test.vmcb[.tlbControl] == flush)
            test.exit(.hlt)
            #expect(test.vmcb[.eventInjection] == .none && test.vmcb[.tlbControl] == .flushNothing)
            #expect(test.vmcb[.cleanBits].rawValue == clean)
        }
    }

    // MARK: Interrupted deliveries

    @Test func `an event whose delivery was interrupted is told, and injected again it is the same`() {
        let events: [(SVMEvent, Event, [UInt8])] = [
            (.init(kind: .interrupt, vector: 0x40), .interrupt(0x40), []),
            (.init(kind: .nonMaskableInterrupt, vector: 2), .init(kind: .nonMaskableInterrupt, vector: 2), []),
            (.init(kind: .exception, vector: 13, errorCode: 0x18), .exception(.generalProtection, errorCode: 0x18), []),
            (
                .init(kind: .softwareInterrupt, vector: 0x80),
                .init(kind: .softwareInterrupt, vector: 0x80, instructionLength: 3), [0x2E, 0xCD, 0x80]
            ),
            (.init(kind: .exception, vector: 3), .init(kind: .softwareException, vector: 3, instructionLength: 1), [0xCC]),
        ]
        for (told, expected, bytes) in events {
            for features in [TestProcessor.rich, TestProcessor.plain] {
                let test = TestProcessor(features)
                test.put(bytes)
                test.exit(.nestedPageFault, delivering: told)
                #expect(test.processor.isDeliveringEvent && test.processor.interruptedEvent == expected)
                test.processor.beginAnew()
                #expect(test.vmcb[.eventInjection] == told)
                let end = Self.code + UInt64(expected.instructionLength)
                #expect(test.processor.instructionPointer == end)
                // Interrupted again, it stands at the instruction again; delivered, RIP is the handler's.
                test.exit(.nestedPageFault, delivering: told)
                #expect(test.processor.instructionPointer == Self.code && test.processor.interruptedEvent == expected)
                test.processor.beginAnew()
                test.processor.instructionPointer = 0x4000
                test.exit(.hlt)
                #expect(test.processor.instructionPointer == 0x4000 && test.processor.interruptedEvent == nil)
            }
        }
    }

    // MARK: Windows

    @Test func `the interrupt window is a virtual interrupt that exits`() {
        let test = TestProcessor()
        #expect(test.vmcb[.virtualInterrupts] == .masking)
        test.vmcb[.cleanBits] = .init(rawValue: .max)
        test.processor.requestInterruptWindow(true)
        #expect(test.vmcb[.virtualInterrupts].rawValue == 0x11F_0100 && test.vmcb.isIntercepted(.virtualInterrupt))
        #expect(test.vmcb[.cleanBits].rawValue == ~0b1001)
        test.exit(.virtualInterrupt)
        #expect(test.processor.decodeExit() == .interruptWindow)
        test.processor.requestInterruptWindow(false)
        #expect(test.vmcb[.virtualInterrupts] == .masking && !test.vmcb.isIntercepted(.virtualInterrupt))
    }

    @Test func `interrupts wait for IF, the end of the shadow, and for what is injected`() {
        let test = TestProcessor()
        #expect(!test.processor.canTakeInterrupt)
        test.processor.flags = .alwaysSet | .interruptEnable
        #expect(test.processor.canTakeInterrupt && test.processor.blockedEvents == .none)
        test.processor.blockInterrupts()
        #expect(!test.processor.canTakeInterrupt)
        #expect(test.processor.blockedEvents.contains(.nonMaskableInterrupt) && test.processor.blockedEvents.contains(.interrupt))
        test.processor.endBlocking()
        #expect(test.processor.canTakeInterrupt)
        test.processor.addBreakpointTraps(1)
        #expect(!test.processor.canTakeInterrupt && !test.processor.blockedEvents.contains(.debugTrap))
        test.processor.inject(.invalidOpcode)
        #expect(test.processor.blockedEvents.contains(.debugTrap))
    }

    // MARK: Non-maskable interrupts

    /// The guest is in the handler of one, at IRET.
    static func atIRET(isAwaited: Bool, _ features: UInt32 = TestProcessor.rich) -> TestProcessor {
        let test = TestProcessor(features)
        test.processor.inject(.init(kind: .nonMaskableInterrupt, vector: 2))
        #expect(test.vmcb.isIntercepted(.iret) && test.processor.blockedEvents.contains(.nonMaskableInterrupt))
        test.exit(.hlt)
        #expect(test.processor.blockedEvents.contains(.nonMaskableInterrupt), "to the end of the handler")
        test.processor.requestNonMaskableInterruptWindow(isAwaited)
        #expect(test.processor.decodeExit() == .halt && !test.processor.flags.contains(.trap))
        test.put([0x48, 0xCF])
        test.exit(.iret)
        #expect(test.processor.decodeExit() == .nonMaskableInterruptWindow)
        test.processor.requestNonMaskableInterruptWindow(isAwaited)
        #expect(!test.vmcb.isIntercepted(.iret))
        return test
    }

    @Test func `IRET ends the blocking, and nothing stops the guest for it if nothing waits`() {
        let test = Self.atIRET(isAwaited: false)
        #expect(test.processor.flags == .alwaysSet)
        test.processor.instructionPointer = 0x3000
        test.exit(.cpuid)
        #expect(test.processor.decodeExit() == .cpuid && !test.processor.blockedEvents.contains(.nonMaskableInterrupt))
    }

    @Test func `if one waits, it comes right behind IRET`() {
        let test = Self.atIRET(isAwaited: true)
        #expect(test.processor.flags == .alwaysSet | .trap && test.vmcb[.interceptVector2].rawValue == 0x702F_7DFB)
        // IRET has loaded flags of the guest's.
        test.processor.instructionPointer = 0x3000
        test.processor.flags = .alwaysSet | .carry | .trap
        test.vmcb[.dr6] = 0xFFFF_4FF0
        test.exit(.exceptionDB)
        #expect(test.processor.decodeExit() == .nonMaskableInterruptWindow)
        #expect(test.processor.flags == .alwaysSet | .carry | .trap && test.vmcb[.dr6] == 0xFFFF_0FF0)
        #expect(
            test.vmcb[.interceptVector2].rawValue == 0x6_0042 && !test.processor.blockedEvents.contains(.nonMaskableInterrupt))
        test.processor.requestNonMaskableInterruptWindow(false)
        test.exit(.cpuid)
        #expect(test.processor.decodeExit() == .cpuid)
    }

    @Test func `an IRET that faults or is interrupted ends nothing`() {
        for code in [SVMExitCode.nestedPageFault, .interrupt, .exceptionGP] {
            let test = Self.atIRET(isAwaited: true)
            test.exit(code)
            #expect(test.processor.flags == .alwaysSet && test.vmcb.isIntercepted(.iret))
            #expect(test.processor.blockedEvents.contains(.nonMaskableInterrupt))
            #expect(test.processor.decodeExit() != .nonMaskableInterruptWindow)
            test.exit(.iret)
            #expect(test.processor.decodeExit() == .nonMaskableInterruptWindow)
        }
        // A trap that waits comes before it.
        let trapped = Self.atIRET(isAwaited: true)
        trapped.exit(.interrupt)
        trapped.exit(.iret)
        trapped.processor.addBreakpointTraps(1)
        trapped.processor.requestNonMaskableInterruptWindow(true)
        #expect(trapped.processor.flags == .alwaysSet && trapped.vmcb.isIntercepted(.iret))
        // An interrupt comes before it: its frame has no TF of Martlet's.
        let test = Self.atIRET(isAwaited: true)
        test.processor.inject(.interrupt(0x40))
        #expect(test.processor.flags == .alwaysSet && test.vmcb.isIntercepted(.iret))
        test.processor.instructionPointer = 0x5000
        test.exit(.hlt)
        #expect(test.processor.blockedEvents.contains(.nonMaskableInterrupt))
    }

    @Test func `behind an event that is injected, the next exit is the window`() {
        let test = TestProcessor()
        test.processor.inject(.invalidOpcode)
        test.processor.requestNonMaskableInterruptWindow(true)
        #expect(test.processor.flags == .alwaysSet | .resume)
        test.exit(.nestedPageFault, delivering: .init(kind: .exception, vector: 6))
        #expect(test.processor.decodeExit() != .nonMaskableInterruptWindow)
        for code in [SVMExitCode.exceptionDB, .shutdown, .invalid, .taskSwitch] {
            test.exit(code)
            #expect(test.processor.decodeExit() != .nonMaskableInterruptWindow)
        }
        for code in [SVMExitCode.cpuid, .ioio, .interrupt, .nestedPageFault, .cr8Write] {
            test.exit(code)
            #expect(test.processor.decodeExit() == .nonMaskableInterruptWindow)
        }
    }

    // MARK: One instruction

    @Test func `one instruction is executed with TF, which the guest does not see`() {
        let test = TestProcessor()
        test.vmcb[.dr6] = 0xFFFF_4FF1
        test.processor.debugControl = 3
        #expect(!test.processor.trapInstruction(true))
        #expect(test.processor.flags.contains(.trap) && test.processor.debugControl == 1 && test.vmcb[.dr6] == 0xFFFF_0FF0)
        test.vmcb[.dr6] = 0xFFFF_4FF2
        test.exit(.exceptionDB)
        #expect(test.processor.distinguishTrap(test.processor.decodeExit()) == .monitorTrap)
        _ = test.processor.trapInstruction(false)
        #expect(test.processor.flags == .alwaysSet && test.processor.debugControl == 3)
        #expect(test.processor.isDebugTrapPending && test.vmcb[.dr6] == 0xFFFF_4FF2, "a breakpoint that it has met")
        #expect(test.vmcb[.interceptVector2].rawValue == 0x6_0042)
        // A guest that has TF set gets the trap.
        let own = TestProcessor()
        own.processor.flags = .alwaysSet | .trap
        _ = own.processor.trapInstruction(true)
        own.vmcb[.dr6] = 0xFFFF_4FF0
        own.exit(.exceptionDB)
        let exit = own.processor.decodeExit()
        #expect(own.processor.distinguishTrap(exit) == exit)
        _ = own.processor.trapInstruction(false)
        #expect(own.processor.flags.contains(.trap))
    }

    @Test func `an exit before the instruction's end leaves everything as it was`() {
        let test = TestProcessor()
        _ = test.processor.trapInstruction(true)
        test.exit(.nestedPageFault, delivering: .init(kind: .interrupt, vector: 0x40))
        test.processor.beginAnew()
        #expect(!test.processor.flags.contains(.trap), "the delivery would store it")
        _ = test.processor.trapInstruction(false)
        #expect(test.processor.flags == .alwaysSet && test.vmcb[.dr6] == 0xFFFF_0FF0)
    }
}
