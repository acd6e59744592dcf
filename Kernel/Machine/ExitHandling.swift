import Devices
import Memory
import Trace
import Virtualization
import X86

// One exit, from its reason to the next VM entry. Every kind of exit has one implementation, in Exits, Interrupts and
// Emulation, observed or not: it decides on an outcome, and one place carries that out.
//
// Each path is a separate function, which the switch calls last: so no exit saves registers for another.

/// Where an exit ends. (In the form that the world switch tests: each exit would have to convert a Bool.)
public struct Continuation: Equatable, Sendable {
    public let rawValue: UInt32

    /// The guest goes on at once.
    public static var resume: Self { .init(rawValue: 1) }
    /// The run loop has something to do, which is `pending`.
    public static var leave: Self { .init(rawValue: 0) }
}

extension VirtualCPU {
    public typealias Pointer = UnsafeMutablePointer<VirtualCPU<Processor, Host>>

    /// Handles the exit at which the guest stands: what the world switch calls.
    @inline(__always)
    public static func handleExit(_ cpu: Pointer) -> Continuation { handle(cpu.pointee.processor.decodeExit(), cpu) }

    /// The same for a decoded exit, where someone wants to see what became of it.
    @inline(never)
    public static func handleExit(_ exit: Exit, _ cpu: Pointer) -> Outcome {
        cpu.pointee.pending = .resume
        cpu.pointee.attention.insert(.observer)
        _ = handle(exit, cpu)
        return cpu.pointee.observed
    }

    /// What happens on each exit. Every case is named: the compiler proves that none is forgotten.
    @inline(__always)
    private static func handle(_ exit: Exit, _ cpu: Pointer) -> Continuation {
        cpu.pointee.exitCount &+= 1
        switch exit {
        case .cpuid: return answerCPUID(cpu)
        case .hypercall: return answerHypercall(cpu)
        case .io(let access):
            if cpu.pointee.hasBreakpoints { return performWatchedIO(cpu, access) }
            if access.isString { return performStringIO(cpu, access) }
            return access.isInput ? input(cpu, access.port, access.size) : output(cpu, access.port, access.size)
        case .readMSR: return readMSR(cpu)
        case .writeMSR: return writeMSR(cpu)
        case .nestedPageFault(let fault): return resolve(cpu, fault)
        case .timerExpired: return serveTimer(cpu)
        case .halt: return halt(cpu)
        case .interruptWindow: return openInterruptWindow(cpu)
        case .controlRegister(let access): return accessControlRegister(cpu, access)
        case .debugRegister(let access): return accessDebugRegister(cpu, access)
        case .setExtendedControlRegister: return setExtendedControlRegister(cpu)
        case .exception(let exception): return reflect(cpu, exception)
        case .externalInterrupt(let vector): return finishHostInterrupt(cpu, vector)
        case .nonMaskableInterrupt: return finishHostNonMaskableInterrupt(cpu)
        case .nonMaskableInterruptWindow: return openNonMaskableInterruptWindow(cpu)
        case .virtualAPIC(let exit): return serve(cpu, exit)
        case .monitorTrap: return endTrappedInstruction(cpu)
        case .invalidatePage(let address): return invalidatePage(cpu, address)
        case .invalidateByPCID: return invalidateByPCID(cpu)
        case .modificationLogFull, .random, .readTimeStamp, .pause, .descriptorTable:
            return complete(.end(.unsupported(.controlNotSet)), cpu)
        // Guest RAM is coherent, and no guest device bypasses the caches.
        case .invalidateCaches: return complete(.step, cpu)
        case .readPerformanceCounter: return complete(.inject(.generalProtection), cpu)  // no counters are offered
        case .monitor, .wait, .virtualizationInstruction, .unofferedInstruction: return complete(.inject(.invalidOpcode), cpu)
        case .tripleFault: return complete(.end(.tripleFault), cpu)
        case .initSignal: return complete(.end(.unsupported(.initSignal)), cpu)
        case .startupIPI: return complete(.end(.unsupported(.startupIPI)), cpu)
        case .systemManagementInterrupt: return complete(.end(.unsupported(.systemManagementInterrupt)), cpu)
        case .taskSwitch(let request): return switchTask(cpu, request)
        case .nestedPageMisconfiguration: return complete(.end(.unsupported(.nestedPageMisconfiguration)), cpu)
        case .failedEntry(let reason): return complete(.end(.entryFailure(reason: reason)), cpu)
        case .unexpected(let reason): return complete(.end(.unsupported(.unknownReason(reason))), cpu)
        }
    }

    // MARK: The paths

    @inline(never)
    @_optimize(speed)
    private static func answerCPUID(_ cpu: Pointer) -> Continuation { finish(cpu.pointee.answerCPUID(), cpu) }
    @inline(never)
    @_optimize(speed)
    private static func answerHypercall(_ cpu: Pointer) -> Continuation {
        cpu.pointee.registers.rax == 0 ? finish(cpu.pointee.answerSignature(), cpu) : performHypercall(cpu)
    }
    @inline(never)
    @_optimize(speed)
    private static func performHypercall(_ cpu: Pointer) -> Continuation { finish(cpu.pointee.performHypercall(), cpu) }
    @inline(never)
    @_optimize(speed)
    private static func input(_ cpu: Pointer, _ port: UInt16, _ size: Int) -> Continuation {
        size == 1 ? finish(cpu.pointee.input(port, 1), cpu) : inputWide(cpu, port, size)
    }
    @inline(never)
    @_optimize(speed)
    private static func inputWide(_ cpu: Pointer, _ port: UInt16, _ size: Int) -> Continuation {
        finish(cpu.pointee.input(port, size), cpu)
    }
    @inline(never)
    @_optimize(speed)
    private static func output(_ cpu: Pointer, _ port: UInt16, _ size: Int) -> Continuation {
        guard size == 1 else { return outputWide(cpu, port, size) }
        let board = cpu.pointee.board
        board.pointee.writeByte(port, UInt8(truncatingIfNeeded: cpu.pointee.registers.rax), at: cpu.pointee.clock.now)
        return board.pointee.asksNothing ? finish(.step, cpu) : answerBoard(cpu)
    }
    @inline(never)
    private static func outputWide(_ cpu: Pointer, _ port: UInt16, _ size: Int) -> Continuation {
        cpu.pointee.writePort(port, size)
        return answerBoard(cpu)
    }
    @inline(never)
    private static func answerBoard(_ cpu: Pointer) -> Continuation { finish(cpu.pointee.answerBoard(), cpu) }
    @inline(never)
    @_optimize(speed)
    private static func resolve(_ cpu: Pointer, _ fault: NestedPageFault) -> Continuation {
        finish(cpu.pointee.resolve(fault), cpu)
    }
    @inline(never)
    @_optimize(speed)
    private static func serveTimer(_ cpu: Pointer) -> Continuation {
        cpu.pointee.host.look()
        let stamp = cpu.pointee.host.timeStamp()
        guard stamp < cpu.pointee.dueMoment, !cpu.pointee.host.isToldToStop else { return bringAboutWhatIsDue(cpu) }
        cpu.pointee.run(at: stamp)
        return cpu.pointee.attention == .none ? .resume : conclude(.resume, isOver: true, cpu)
    }
    @inline(never)
    @_optimize(speed)
    private static func bringAboutWhatIsDue(_ cpu: Pointer) -> Continuation {
        finish(cpu.pointee.bringAboutWhatIsDue(at: cpu.pointee.clock.now), cpu)
    }
    @inline(never)
    @_optimize(speed)
    private static func halt(_ cpu: Pointer) -> Continuation { finish(cpu.pointee.halt(), cpu) }
    @inline(never)
    @_optimize(speed)
    private static func openInterruptWindow(_ cpu: Pointer) -> Continuation { finish(cpu.pointee.openInterruptWindow(), cpu) }

    @inline(never)
    @_optimize(speed)
    private static func readMSR(_ cpu: Pointer) -> Continuation {
        let register = cpu.pointee.namedMSR
        switch register {
        case .timeStampDeadline, .debugControl: return readProcessorMSR(cpu)
        case _ where register.isInX2APICRange: return readProcessorMSR(cpu)
        default:
            if let outcome = cpu.pointee.readMSR(register) { return finish(outcome, cpu) }
            return readKeptMSR(cpu)
        }
    }
    @inline(never)
    private static func readKeptMSR(_ cpu: Pointer) -> Continuation { complete(cpu.pointee.readKeptMSR(), cpu) }
    @inline(never)
    private static func writeKeptMSR(_ cpu: Pointer) -> Continuation { complete(cpu.pointee.writeKeptMSR(), cpu) }
    @inline(never)
    private static func readProcessorMSR(_ cpu: Pointer) -> Continuation { finish(cpu.pointee.readProcessorMSR(), cpu) }

    @inline(never)
    @_optimize(speed)
    private static func writeMSR(_ cpu: Pointer) -> Continuation {
        let register = cpu.pointee.namedMSR
        switch register {
        case .endOfInterrupt where cpu.pointee.endsInterruptQuietly: return finish(cpu.pointee.endInterrupt(), cpu)
        case _ where register.isInX2APICRange: return writeLocalAPICRegister(cpu)
        case .timeStampDeadline: return writeDeadline(cpu)
        case .apicBase, .debugControl, .extendedFeatureEnable, .timeStampCounter, .timeStampAdjust:
            return writeProcessorMSR(cpu)
        default:
            if let outcome = cpu.pointee.writeMSR(register) { return finish(outcome, cpu) }
            return writeKeptMSR(cpu)
        }
    }
    @inline(never)
    @_optimize(speed)
    private static func writeLocalAPICRegister(_ cpu: Pointer) -> Continuation {
        switch cpu.pointee.namedMSR {
        case .interruptCommand: requestHere(isForSelf: false, cpu)
        case .selfInterrupt: requestHere(isForSelf: true, cpu)
        default: writeLocalAPIC(cpu)
        }
    }
    @inline(__always)
    private static func requestHere(isForSelf: Bool, _ cpu: Pointer) -> Continuation {
        cpu.pointee.requestsHere(isForSelf: isForSelf)
            ? finish(cpu.pointee.requestHere(isForSelf: isForSelf), cpu) : sendInterrupt(cpu)
    }
    @inline(never)
    @_optimize(speed)
    private static func writeLocalAPIC(_ cpu: Pointer) -> Continuation { finish(cpu.pointee.writeLocalAPIC(), cpu) }
    @inline(never)
    private static func sendInterrupt(_ cpu: Pointer) -> Continuation { finish(cpu.pointee.writeInterruptCommand(), cpu) }
    @inline(never)
    @_optimize(speed)
    private static func writeDeadline(_ cpu: Pointer) -> Continuation { finish(cpu.pointee.writeDeadline(), cpu) }
    @inline(never)
    @_optimize(speed)
    private static func writeProcessorMSR(_ cpu: Pointer) -> Continuation { finish(cpu.pointee.writeProcessorMSR(), cpu) }

    /// A port instruction of a guest with breakpoints.
    @inline(never)
    private static func performWatchedIO(_ cpu: Pointer, _ access: IOAccess) -> Continuation {
        if access.isString { return performStringIO(cpu, access) }
        cpu.pointee.meetBreakpoints(.port, at: UInt64(access.port), size: access.size)
        return access.isInput ? input(cpu, access.port, access.size) : output(cpu, access.port, access.size)
    }

    // These are rare enough to share the code that carries out their outcome.

    @inline(never)
    @_optimize(speed)
    private static func performStringIO(_ cpu: Pointer, _ access: IOAccess) -> Continuation {
        complete(cpu.pointee.performStringIO(access), cpu)
    }
    @inline(never)
    @_optimize(speed)
    private static func accessControlRegister(_ cpu: Pointer, _ access: ControlRegisterAccess) -> Continuation {
        complete(cpu.pointee.accessControlRegister(access), cpu)
    }
    @inline(never)
    private static func accessDebugRegister(_ cpu: Pointer, _ access: DebugRegisterAccess) -> Continuation {
        complete(cpu.pointee.accessDebugRegister(access), cpu)
    }
    @inline(never)
    private static func setExtendedControlRegister(_ cpu: Pointer) -> Continuation {
        complete(cpu.pointee.setExtendedControlRegister(), cpu)
    }
    @inline(never)
    private static func endTrappedInstruction(_ cpu: Pointer) -> Continuation {
        complete(cpu.pointee.endTrappedInstruction(), cpu)
    }
    @inline(never)
    @_optimize(speed)
    private static func invalidatePage(_ cpu: Pointer, _ address: GuestVirtualAddress) -> Continuation {
        complete(cpu.pointee.invalidatePage(address), cpu)
    }
    @inline(never)
    private static func invalidateByPCID(_ cpu: Pointer) -> Continuation { complete(cpu.pointee.invalidateByPCID(), cpu) }
    @inline(never)
    private static func reflect(_ cpu: Pointer, _ exception: ExceptionExit) -> Continuation {
        if cpu.pointee.processor.emulatesRealMode, cpu.pointee.standsAtHalt(exception) { return halt(cpu) }
        return complete(cpu.pointee.reflect(exception), cpu)
    }
    @inline(never)
    private static func finishHostInterrupt(_ cpu: Pointer, _ vector: UInt8?) -> Continuation {
        complete(cpu.pointee.finishHostInterrupt(vector), cpu)
    }
    @inline(never)
    private static func finishHostNonMaskableInterrupt(_ cpu: Pointer) -> Continuation {
        complete(cpu.pointee.finishHostNonMaskableInterrupt(), cpu)
    }
    @inline(never)
    private static func openNonMaskableInterruptWindow(_ cpu: Pointer) -> Continuation {
        complete(cpu.pointee.openNonMaskableInterruptWindow(), cpu)
    }
    @inline(never)
    private static func switchTask(_ cpu: Pointer, _ request: TaskSwitch) -> Continuation {
        let outcome = cpu.pointee.switchTask(request)
        cpu.pointee.followSegments()
        cpu.pointee.processor.fitSegmentsOfTask()
        return complete(outcome, cpu)
    }
    @inline(never)
    private static func serve(_ cpu: Pointer, _ exit: VirtualAPICExit) -> Continuation {
        complete(cpu.pointee.serve(exit), cpu)
    }

    // MARK: The end of every path

    /// Carries out what a handler decided: the one place that moves RIP and injects for an exit. Whatever else the devices and
    /// the local APIC ask for comes after that.
    @inline(__always)
    private static func finish(_ outcome: Outcome, _ cpu: Pointer) -> Continuation {
        let isOver: Bool
        switch outcome {
        case .step: isOver = cpu.pointee.processor.stepPastInstruction()
        case .stepLength(let length): isOver = cpu.pointee.processor.stepPastInstruction(length: UInt64(length))
        case .resume: isOver = true
        case .inject, .iterate, .execute, .wake, .wait, .end: return complete(outcome, cpu)
        }
        return isOver && cpu.pointee.goesOn ? .resume : conclude(outcome, isOver: isOver, cpu)
    }

    /// The same where there is more to the exit than the end of an instruction.
    @inline(never)
    @discardableResult
    @_optimize(speed)
    public static func complete(_ outcome: Outcome, _ cpu: Pointer) -> Continuation {
        switch outcome {
        case .step, .stepLength, .resume: return finish(outcome, cpu)
        case .inject(let event): cpu.pointee.processor.inject(event)
        case .iterate: cpu.pointee.unmasked.insert(.debugTrap, if: cpu.pointee.processor.endIteration())
        case .wake(let event): cpu.pointee.processor.inject(event)
        case .execute, .wait, .end: return cpu.pointee.leave(outcome)
        }
        cpu.pointee.note(outcome)
        return cpu.pointee.goesOn ? .resume : conclude(outcome, isOver: true, cpu)
    }

    /// What has to come before the guest goes on.
    /// - Parameter isOver: nothing depends on the end of the instruction any more.
    @inline(never)
    @_optimize(speed)
    private static func conclude(_ outcome: Outcome, isOver: Bool, _ cpu: Pointer) -> Continuation {
        if !isOver { cpu.pointee.endInstruction() }
        if cpu.pointee.records.isOn { cpu.pointee.noteResumption(outcome) }
        if cpu.pointee.isLookDue || cpu.pointee.attention.contains(.time) && cpu.pointee.isDue { cpu.pointee.lookAtClock() }
        let asked = cpu.pointee.attention
        if asked.contains(.observer) { cpu.pointee.observed = outcome }
        if asked.concernsDevices, let ending = cpu.pointee.attendToDevices() {
            cpu.pointee.end(ending)
            return .leave
        }
        cpu.pointee.attention = .none
        if asked.contains(.interrupts), let event = cpu.pointee.eventToInject() { cpu.pointee.processor.inject(event) }
        if asked.contains(.time) { cpu.pointee.armNow() }
        return asked.concernsMode ? concludeAside(asked, cpu) : .resume
    }

    @inline(never)
    private static func concludeAside(_ asked: Attention, _ cpu: Pointer) -> Continuation {
        if asked.contains(.realMode), !cpu.pointee.followRealMode() { return .leave }
        guard asked.contains(.memory) else { return .resume }
        cpu.pointee.pending = .resume
        return .leave
    }
}

extension VirtualCPU {
    /// Nothing needs attention before the guest goes on.
    private var goesOn: Bool {
        @inline(__always) mutating get { attention == .none && !isLookDue }
    }

    /// What else the end of an instruction brings; a debug trap then waits with the other events.
    @inline(never)
    private mutating func endInstruction() { unmasked.insert(.debugTrap, if: processor.endInstruction()) }

    /// The run loop has something to do.
    private mutating func leave(_ outcome: Outcome) -> Continuation {
        note(outcome)
        attention.remove(.observer)
        observed = outcome
        pending = outcome
        return .leave
    }
}
