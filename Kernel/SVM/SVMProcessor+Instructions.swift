import Memory
import Virtualization
import X86

// The instruction at which the guest stands, as its bytes in memory say: where the processor tells neither where the next one
// begins (APM volume 2, "State Saved on Exit") nor its operands ("Decode Assists").
//
// Another processor may have changed the bytes since the guest's has fetched them. Then the instruction there is not the one
// that exited, and its length is not known: the guest stays where it is, and executes what is there now.

extension SVMProcessor {
    /// The bytes at RIP, as far as they can be read.
    private func fetchInstruction(in mode: ProcessorMode) -> InstructionBytes {
        var result = InstructionBytes()
        let mask: UInt64 = mode.is64Bit ? .max : 0xFFFF_FFFF
        let start = (mode.is64Bit ? 0 : vmcb[.csBase]) &+ vmcb[.rip]
        let paging = paging(context.pointee.abilities)
        let kind = GuestAccess.explicit(
            .fetch, privilegeLevel: Int(privilegeLevel), alignmentCheck: vmcb[.rflags].contains(.alignmentCheck))
        var physical = GuestPhysicalAddress(0)
        for place in 0..<UInt64(InstructionBytes.capacity) {
            let linear = (start &+ place) & mask
            if place == 0 || linear & 0xFFF == 0 {
                guard case .page(let page) = paging.translate(GuestVirtualAddress(linear), for: kind, in: access.ram) else {
                    return result
                }
                physical = page.address
            }
            guard let byte = readByte(at: physical) else { return result }
            result.append(byte)
            physical = physical.advanced(by: ByteCount(1))
        }
        return result
    }

    private func readByte(at address: GuestPhysicalAddress) -> UInt8? {
        guard let word = access.ram.readUInt32(at: GuestPhysicalAddress(address.rawValue & ~3)) else { return nil }
        return UInt8(truncatingIfNeeded: word >> UInt32(truncatingIfNeeded: 8 * (address.rawValue & 3)))
    }

    /// The instruction at RIP; nil if it is none that an intercept knows.
    @inline(never)
    func decodeInstruction() -> InterceptedInstruction? {
        let mode = mode
        return InstructionDecoder.decodeIntercepted(fetchInstruction(in: mode), in: mode)
    }

    /// The length of the instruction that exited; 0 if that is not known, and undefined for nested page faults.
    @inline(never)
    @_optimize(speed)
    public var instructionLength: UInt8 {
        guard let code = exitCode else { return 0 }
        let pointer = vmcb[.rip]
        if code == .ioio { return UInt8(truncatingIfNeeded: vmcb[.exitInfo2] &- pointer) }
        if context.pointee.hasNextRIP, code.tellsNextRIP { return UInt8(truncatingIfNeeded: vmcb[.nextRIP] &- pointer) }
        guard let instruction = decodeInstruction(), code.isRaised(by: instruction.kind) else { return 0 }
        return UInt8(truncatingIfNeeded: instruction.length)
    }

    /// APM volume 2, "IN and OUT Behavior": the segment with decode assists; not every processor tells the width of addresses.
    @_optimize(speed)
    public func stringIOOperand() -> StringIOOperand {
        let information = IOIOInformation(rawValue: vmcb[.exitInfo1])
        if context.pointee.hasDecodeAssists, information.addressWidth != 0 {
            return .init(segment: information.segment ?? .ds, addressSize: information.addressWidth / 8)
        }
        guard let instruction = decodeInstruction(), instruction.kind == .string else {
            return .init(segment: .ds, addressSize: mode.defaultAddressSize)
        }
        return .init(segment: instruction.segmentOverride ?? .ds, addressSize: instruction.addressSize)
    }

    /// The operands of INVPCID, of which EXITINFO1 has the linear address alone.
    public func invalidationOperand() -> InvalidationOperand {
        guard let instruction = decodeInstruction(), let operand = instruction.operand else {
            return .init(
                kind: RegisterNumber(0), segment: .ds, base: nil, index: nil, scale: 0, displacement: 0, addressSize: 8)
        }
        return .init(
            kind: RegisterNumber(instruction.register), segment: instruction.segmentOverride ?? operand.defaultSegment,
            base: operand.base.map { RegisterNumber($0) }, index: operand.index.map { RegisterNumber($0) },
            scale: UInt64(operand.scale), displacement: displacement(instruction, operand), addressSize: instruction.addressSize)
    }

    private func displacement(_ instruction: InterceptedInstruction, _ operand: MemoryInstruction.Operand) -> UInt64 {
        let displacement = UInt64(bitPattern: operand.displacement)
        return operand.isRIPRelative ? displacement &+ vmcb[.rip] &+ UInt64(instruction.length) : displacement
    }

    /// The linear address of an operand in memory.
    func linearAddress(_ instruction: InterceptedInstruction) -> GuestVirtualAddress? {
        guard let operand = instruction.operand else { return nil }
        var offset = displacement(instruction, operand)
        if let base = operand.base { offset &+= general(RegisterNumber(base)) }
        if let index = operand.index { offset &+= general(RegisterNumber(index)) << UInt64(operand.scale) }
        switch instruction.addressSize {
        case 2: offset &= 0xFFFF
        case 4: offset &= 0xFFFF_FFFF
        default: break
        }
        let register = instruction.segmentOverride ?? operand.defaultSegment
        guard executes64BitCode else { return GuestVirtualAddress((offset &+ segment(register).base) & 0xFFFF_FFFF) }
        return GuestVirtualAddress(register == .fs || register == .gs ? offset &+ segment(register).base : offset)
    }

    /// The 16 bits of LMSW's operand; nil if it cannot be read.
    func operandWord(_ instruction: InterceptedInstruction) -> UInt16? {
        guard instruction.operand != nil else {
            return UInt16(truncatingIfNeeded: general(RegisterNumber(instruction.general)))
        }
        guard let linear = linearAddress(instruction), let low = operandByte(linear),
            let high = operandByte(GuestVirtualAddress(linear.rawValue &+ 1))
        else { return nil }
        return UInt16(high) << 8 | UInt16(low)
    }

    private func operandByte(_ address: GuestVirtualAddress) -> UInt8? {
        let kind = GuestAccess.explicit(
            .read, privilegeLevel: Int(privilegeLevel), alignmentCheck: vmcb[.rflags].contains(.alignmentCheck))
        guard case .page(let page) = paging(context.pointee.abilities).translate(address, for: kind, in: access.ram) else {
            return nil
        }
        return readByte(at: page.address)
    }

    private func general(_ number: RegisterNumber) -> UInt64 {
        number == .rsp ? vmcb[.rsp] : context.pointee.registers.pointee.value(of: number)
    }
}

extension SVMExitCode {
    /// Whether nRIP holds where the next instruction begins: it does for the intercepts of instructions (APM volume 2, "State
    /// Saved on Exit").
    var tellsNextRIP: Bool { exceptionVector == nil && self != .taskSwitch }

    /// Whether an instruction makes this exit.
    func isRaised(by kind: InterceptedInstruction.Kind) -> Bool {
        switch kind {
        case .cpuid: self == .cpuid
        case .halt: self == .hlt || self == .idleHLT
        case .pause: self == .pause
        case .resumeFromSystemManagement: self == .rsm
        case .invalidateCaches: self == .invd
        case .writeBackCaches: self == .wbinvd
        case .readMSR, .writeMSR: self == .msr
        case .readTimeStamp: self == .rdtsc
        case .readTimeStampWithAuxiliary: self == .rdtscp
        case .readPerformanceCounter: self == .rdpmc
        case .readProcessorRegister: self == .rdpru
        case .setExtendedControlRegister: self == .xsetbv
        case .invalidatePage: self == .invlpg
        case .invalidateByPCID: self == .invpcid
        case .invalidatePageOfASID: self == .invlpga
        case .broadcastInvalidation: self == .invlpgb || self == .invlpgbIllegal
        case .synchronizeInvalidation: self == .tlbsync
        case .run: self == .vmrun
        case .call: self == .vmmcall
        case .callOfIntel: self == .exceptionUD
        case .load: self == .vmload
        case .save: self == .vmsave
        case .setGlobalInterrupts: self == .stgi
        case .clearGlobalInterrupts: self == .clgi
        case .secureInit: self == .skinit
        case .monitor: self == .monitor
        case .wait: self == .mwait || self == .mwaitConditional
        case .commit: self == .mcommit
        case .debugBreak: self == .icebp || self == .taskSwitch
        case .breakpoint: self == .exceptionBP || self == .taskSwitch
        case .overflow: self == .exceptionOF || self == .taskSwitch
        case .softwareInterrupt: self == .softwareInterrupt || self == .taskSwitch
        case .pushFlags: self == .pushf
        case .popFlags: self == .popf
        case .interruptReturn: self == .iret || self == .taskSwitch
        case .farCall, .farJump: self == .taskSwitch
        case .port, .string: self == .ioio
        case .readControlRegister: rawValue <= SVMExitCode.cr15Read.rawValue
        case .writeControlRegister:
            self == .cr0SelectiveWrite || rawValue >= SVMExitCode.cr0Write.rawValue && rawValue <= SVMExitCode.cr15Write.rawValue
        case .readDebugRegister: rawValue >= SVMExitCode.dr0Read.rawValue && rawValue <= SVMExitCode.dr15Read.rawValue
        case .writeDebugRegister: rawValue >= SVMExitCode.dr0Write.rawValue && rawValue <= SVMExitCode.dr15Write.rawValue
        case .clearTaskSwitched: self == .cr0Write
        case .loadMachineStatus: self == .cr0Write || self == .cr0SelectiveWrite
        case .storeMachineStatus: self == .cr0Read
        case .storeGlobalTable: self == .gdtrRead
        case .storeInterruptTable: self == .idtrRead
        case .storeLocalTable: self == .ldtrRead
        case .storeTaskRegister: self == .trRead
        case .loadGlobalTable: self == .gdtrWrite
        case .loadInterruptTable: self == .idtrWrite
        case .loadLocalTable: self == .ldtrWrite
        case .loadTaskRegister: self == .trWrite
        }
    }
}
