import Memory
import Virtualization
import X86

// Real-mode instructions that virtual-8086 mode refuses with #GP: each does what its own exit would have done, if it has one.

extension VirtualCPU {
    /// Whether an exception is the refusal of HLT; the guest then stands as at HLT's exit.
    @inline(never)
    mutating func standsAtHalt(_ exception: ExceptionExit) -> Bool {
        guard exception.vector == .generalProtection,
            let instruction = InstructionDecoder.decodeSystem(fetchInstruction(in: .real)),
            instruction.operation == .halt
        else { return false }
        // This exit does not give the length that the end of the instruction needs.
        let told = UInt64(processor.instructionLength)
        processor.instructionPointer = processor.instructionPointer &+ UInt64(instruction.length) &- told
        return true
    }

    /// A #GP or #SS of a guest whose real mode is virtual-8086 mode for the processor.
    @inline(never)
    mutating func executeInRealMode(_ event: Event) -> Outcome {
        let bytes = fetchInstruction(in: .real)
        guard event.vector == ExceptionVector.generalProtection.number, let instruction = InstructionDecoder.decodeSystem(bytes)
        else {
            return accessBeyond64KiB(bytes) ?? .inject(event)
        }
        let length = UInt8(truncatingIfNeeded: instruction.length)
        let outcome: Outcome
        if let access = controlRegisterAccess(instruction) {
            outcome = accessControlRegister(access)
        } else {
            outcome = execute(instruction, length) ?? .inject(event)
        }
        return outcome == .step ? .stepLength(length) : outcome
    }

    /// - Returns: what follows; nil if real mode does not have it either.
    private mutating func execute(_ instruction: SystemInstruction, _ length: UInt8) -> Outcome? {
        switch instruction.operation {
        case .clearInterruptFlag: processor.flags = processor.flags.subtracting(.interruptEnable)
        case .setInterruptFlag: return allowInterrupts(length)
        case .pushFlags: push(processor.flags.rawValue & ~Self.flagsNotPushed, size: instruction.operandSize)
        case .popFlags:
            let value = pop(size: instruction.operandSize)
            endInstruction(length)
            return goOn(withFlags: value, size: instruction.operandSize)
        case .interrupt(let vector):
            return .inject(Event(kind: .softwareInterrupt, vector: vector, instructionLength: length))
        case .interruptReturn: return returnFromInterrupt(instruction)
        case .port(let port, let isInput, let size):
            return access(
                port: port.map { UInt16($0) } ?? UInt16(truncatingIfNeeded: registers.rdx), isInput: isInput, size: size)
        case .string(let isInput, let size):
            let access = IOAccess(
                port: UInt16(truncatingIfNeeded: registers.rdx), size: size, isInput: isInput, isString: true,
                isRepeated: instruction.isRepeated)
            return performStringIO(
                access, StringIOOperand(segment: instruction.segmentOverride ?? .ds, addressSize: instruction.addressSize))
        case .loadDescriptorTable(let ofInterrupts): return loadDescriptorTable(instruction, ofInterrupts: ofInterrupts)
        case .readControlRegister(let number, let general): return readControlRegister(number, to: RegisterNumber(general))
        case .writeControlRegister(2, let general): host.loadPageFaultAddress(readGeneral(RegisterNumber(general)))
        case .readDebugRegister(let number, let general):
            return accessDebugRegister(number, RegisterNumber(general), isRead: true)
        case .writeDebugRegister(let number, let general):
            return accessDebugRegister(number, RegisterNumber(general), isRead: false)
        case .readMSR: return readMSRInRealMode()
        case .writeMSR: return writeMSRInRealMode()
        case .setExtendedControlRegister: return setExtendedControlRegister()
        case .invalidate: break
        case .writeControlRegister: return .inject(.invalidOpcode)
        case .halt, .loadMachineStatus, .clearTaskSwitched: return nil
        }
        return .step
    }

    /// Ends the instruction before its change of the flags: single-stepping begins with the next instruction.
    private mutating func endInstruction(_ length: UInt8) {
        if !processor.stepPastInstruction(length: UInt64(length)) {
            unmasked.insert(.debugTrap, if: processor.endInstruction())
        }
    }

    private mutating func access(port: UInt16, isInput: Bool, size: Int) -> Outcome {
        if hasBreakpoints { meetBreakpoints(.port, at: UInt64(port), size: size) }
        if isInput { return input(port, size) }
        writePort(port, size)
        return answerBoard()
    }

    // MARK: Flags

    /// VM and RF are pushed as 0.
    private static var flagsNotPushed: UInt64 { (RFlags.virtual8086 | .resume).rawValue }
    /// What POPF and IRET load in real mode: of 32 bits AC and ID too.
    private static var loadedFlags: UInt64 { 0x7FD5 }
    private static var loadedWideFlags: UInt64 { 0x24_7FD5 }

    private mutating func goOn(withFlags value: UInt64, size: Int) -> Outcome {
        let loaded = size == 2 ? Self.loadedFlags : Self.loadedWideFlags
        processor.flags = RFlags(rawValue: processor.flags.rawValue & ~loaded | value & loaded)
        attention.insert(.interrupts)
        return .resume
    }

    /// Interrupts wait for one more instruction, if they were off before.
    private mutating func allowInterrupts(_ length: UInt8) -> Outcome {
        let flags = processor.flags
        endInstruction(length)
        processor.flags = processor.flags | .interruptEnable
        if !flags.contains(.interruptEnable) { processor.blockInterrupts() }
        attention.insert(.interrupts)
        return .resume
    }

    private mutating func returnFromInterrupt(_ instruction: SystemInstruction) -> Outcome {
        let size = instruction.operandSize
        let pointer = pop(size: size)
        let selector = UInt16(truncatingIfNeeded: pop(size: size))
        let flags = pop(size: size)
        endInstruction(0)
        jump(to: pointer, in: selector)
        processor.blockNonMaskableInterrupts(false)
        return goOn(withFlags: flags, size: size)
    }

    // MARK: System registers

    /// The access of an instruction that has an exit of its own.
    private mutating func controlRegisterAccess(_ instruction: SystemInstruction) -> ControlRegisterAccess? {
        switch instruction.operation {
        case .clearTaskSwitched: return .clearTaskSwitched
        case .writeControlRegister(let number, let general) where number == 0 || number == 3 || number == 4:
            return .write(register: number, from: RegisterNumber(general))
        case .loadMachineStatus(let register?):
            return .loadMachineStatus(UInt16(truncatingIfNeeded: readGeneral(RegisterNumber(register))))
        case .loadMachineStatus(nil):
            guard let memory = instruction.memory, case .place(let place) = locate(memory, .read, in: .real) else { return nil }
            return .loadMachineStatus(UInt16(truncatingIfNeeded: read(place, count: 2)))
        default: return nil
        }
    }

    private mutating func loadDescriptorTable(_ instruction: SystemInstruction, ofInterrupts: Bool) -> Outcome? {
        guard let memory = instruction.memory, case .place(let place) = locate(memory, .read, in: .real) else { return nil }
        let limit = UInt32(truncatingIfNeeded: read(place, count: 2))
        let base = read(place, at: 2, count: 4) & (instruction.operandSize == 2 ? 0xFF_FFFF : 0xFFFF_FFFF)
        if ofInterrupts {
            processor.setInterruptDescriptorTable(base: base, limit: limit)
        } else {
            processor.setGlobalDescriptorTable(base: base, limit: limit)
        }
        return .step
    }

    private mutating func readControlRegister(_ number: UInt8, to general: RegisterNumber) -> Outcome {
        let value: UInt64
        switch number {
        case 0: value = processor.cr0.rawValue
        case 2: value = host.readPageFaultAddress()
        case 3: value = processor.cr3
        case 4: value = processor.cr4.rawValue
        default: return .inject(.invalidOpcode)
        }
        writeGeneral(general, value & 0xFFFF_FFFF)
        return .step
    }

    /// DR4 and DR5 are DR6 and DR7, unless CR4.DE is set (SDM volume 3, "Debug Registers DR4 and DR5").
    private mutating func accessDebugRegister(_ number: UInt8, _ general: RegisterNumber, isRead: Bool) -> Outcome {
        if number & 6 == 4, processor.cr4.contains(.debuggingExtensions) { return .inject(.invalidOpcode) }
        let value = readGeneral(general)
        let held: UInt64
        switch (number, number & 1) {
        case (0...3, _):
            if !isRead { host.loadDebugAddress(Int(number), value) }
            held = host.readDebugAddress(Int(number))
        case (_, 0):
            if !isRead { host.loadDebugStatus(DebugStatus.written(value)) }
            held = host.readDebugStatus()
        default:
            if !isRead { processor.debugRegister7 = DebugRegister7(written: value) }
            held = processor.debugRegister7.rawValue
        }
        if isRead { writeGeneral(general, held & 0xFFFF_FFFF) }
        return .step
    }

    // MARK: MSRs

    /// Of the MSRs that other modes access without an exit, those that a guest may want while still in real mode.
    private mutating func readMSRInRealMode() -> Outcome? {
        let value: UInt64
        switch namedMSR {
        case .timeStampCounter: value = host.timeStamp() &+ processor.timeStampOffset
        default: return readMSR(namedMSR) ?? readKeptMSR()
        }
        registers.rax = value & 0xFFFF_FFFF
        registers.rdx = value >> 32
        return .step
    }

    private mutating func writeMSRInRealMode() -> Outcome? {
        let value = registers.rdx << 32 | registers.rax & 0xFFFF_FFFF
        switch namedMSR {
        case .extendedFeatureEnable: return writeExtendedFeatures(ExtendedFeatureEnable(rawValue: value)) ? .step : nil
        default: return writeMSR(namedMSR) ?? writeKeptMSR()
        }
    }

    // MARK: Segments longer than real mode's

    /// An access through a segment register that protected mode has left with a limit above 64 KiB.
    private mutating func accessBeyond64KiB(_ bytes: InstructionBytes) -> Outcome? {
        guard let instruction = InstructionDecoder.decode(bytes, in: .real) else { return nil }
        let register = instruction.segmentOverride ?? instruction.operand.defaultSegment
        let segment = processor.segment(register)
        let offset = offset(of: instruction)
        guard segment.limit > 0xFFFF, segment.contains(offset, size: instruction.size) else { return nil }
        let kind: GuestAccess.Kind = instruction.writesMemory ? .write : .read
        let address = GuestPhysicalAddress((segment.base &+ offset) & 0xFFFF_FFFF)
        return emulate(instruction, .ofPageFault(address, kind), in: .real)
    }
}
