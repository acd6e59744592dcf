import Devices
import Memory
import Virtualization
import X86

extension VirtualCPU {
    /// All RAM is mapped, so a nested page fault is an access to memory that is not there: it reads as ones and swallows
    /// writes, counted. The instruction is decoded and emulated; the processor does not tell its length.
    @inline(__always)
    mutating func resolve(_ fault: NestedPageFault) -> Outcome {
        if fault.duringWalk { return .end(.unsupported(.tableInAbsentMemory)) }
        if fault.isFetch { return .end(.unsupported(.fetchFromAbsentMemory)) }
        // Delivering an event touched absent memory: its stack or a descriptor table lies there.
        if processor.isDeliveringEvent { return .end(.unsupported(.tableInAbsentMemory)) }
        if isDevice(fault.address) { return accessDevice(fault.address) }
        absentMemoryAccesses &+= 1
        // The same twice, so that the compiler knows the frequent mode.
        return processor.executes64BitCode ? emulate(fault, in: .long64) : emulateOutside64BitMode(fault)
    }

    /// An access to a device: done whole, with what the device asks for, so that no other access pays for that.
    @inline(never)
    private mutating func accessDevice(_ address: GuestPhysicalAddress) -> Outcome {
        let mode = processor.mode
        let bytes = fetchInstruction(in: mode)
        guard let instruction = InstructionDecoder.decode(bytes, in: mode), !instruction.isString else {
            return .end(.unsupported(.instruction))
        }
        let old = instruction.readsMemory ? readDevice(address, size: instruction.size) : 0
        let new = newValue(instruction, old: old)
        finish(instruction, old: old)
        if let new { writeDevice(address, size: instruction.size, new) }
        let step = Outcome.stepLength(UInt8(truncatingIfNeeded: instruction.length))
        return applyAndAttend(step) ? .resume : pending
    }

    @inline(never)
    private mutating func emulateOutside64BitMode(_ fault: NestedPageFault) -> Outcome {
        emulate(fault, in: processor.mode)
    }

    @inline(__always)
    private mutating func emulate(_ fault: NestedPageFault, in mode: ProcessorMode) -> Outcome {
        let bytes = fetchInstruction(in: mode)
        guard let move = InstructionDecoder.decodePlainMove(bytes, in: mode), isSurelyWhole(fault, move) else {
            return mode.is64Bit ? emulateAtPageStart(bytes, fault) : emulateAny(bytes, fault, in: mode)
        }
        return emulate(move)
    }

    @inline(__always)
    private mutating func emulate(_ move: MemoryInstruction) -> Outcome {
        finish(move, old: ones(move.size))
        return .stepLength(UInt8(truncatingIfNeeded: move.length))
    }

    /// Whether the operand lies in one page, and the fault's address says so: at a page's start the processor may report the
    /// second part of an operand that begins in the page before.
    @inline(__always)
    private mutating func isSurelyWhole(_ fault: NestedPageFault, _ instruction: MemoryInstruction) -> Bool {
        let offset = fault.address.rawValue & 0xFFF
        return offset != 0 && offset &+ UInt64(truncatingIfNeeded: instruction.size) <= 0x1000
    }

    /// A MOV in 64-bit code whose operand is plainly seen to begin where the fault is, at a page's start; kept apart, since
    /// most are not.
    @inline(never)
    private mutating func emulateAtPageStart(_ bytes: InstructionBytes, _ fault: NestedPageFault) -> Outcome {
        guard let move = InstructionDecoder.decodePlainMove(bytes, in: .long64), let base = move.operand.simpleBase,
            fault.address.rawValue & 0xFFF == 0,
            (registers.value(of: RegisterNumber(base)) &+ UInt64(bitPattern: move.operand.displacement)) & 0xFFF == 0
        else { return emulateAny(bytes, fault, in: .long64) }
        return emulate(move)
    }

    @inline(never)
    private mutating func emulateAny(
        _ bytes: InstructionBytes, _ fault: NestedPageFault, in mode: ProcessorMode
    ) -> Outcome {
        guard let instruction = InstructionDecoder.decode(bytes, in: mode) else { return .end(.unsupported(.instruction)) }
        if instruction.isString { return emulateString(instruction, in: mode) }
        guard isWholly(absent: fault, instruction, in: mode) else { return emulateByAddress(instruction, in: mode) }
        finish(instruction, old: ones(instruction.size))
        return .stepLength(UInt8(truncatingIfNeeded: instruction.length))
    }

    /// Whether the operand ends in the page that it begins in. Of one that begins in the page before, the processor reports
    /// the second part, at the page's start.
    private mutating func isWholly(
        absent fault: NestedPageFault, _ instruction: MemoryInstruction, in mode: ProcessorMode
    ) -> Bool {
        let offset = fault.address.rawValue & 0xFFF
        guard offset == 0 else { return offset &+ UInt64(truncatingIfNeeded: instruction.size) <= 0x1000 }
        return linearAddress(of: instruction, in: mode).rawValue & 0xFFF == 0
    }

    @inline(__always)
    private mutating func ones(_ size: Int) -> UInt64 {
        UInt64.max &>> UInt64(truncatingIfNeeded: 64 &- 8 &* size)
    }

    /// The operand lies in two pages: by linear addresses, since a part of it may be RAM.
    private mutating func emulateByAddress(_ instruction: MemoryInstruction, in mode: ProcessorMode) -> Outcome {
        let address = linearAddress(of: instruction, in: mode)
        var old: UInt64 = 0
        if instruction.readsMemory, let outcome = readGuest(address, size: instruction.size, into: &old) { return outcome }
        if let new = newValue(instruction, old: old),
            let outcome = writeGuest(address, size: instruction.size, { _ in new })
        {
            return outcome
        }
        finish(instruction, old: old)
        return .stepLength(UInt8(truncatingIfNeeded: instruction.length))
    }

    private mutating func linearAddress(of instruction: MemoryInstruction, in mode: ProcessorMode) -> GuestVirtualAddress {
        let operand = instruction.operand
        var offset = UInt64(bitPattern: operand.displacement)
        if let base = operand.base { offset &+= value(of: RegisterNumber(base)) }
        if let index = operand.index { offset &+= value(of: RegisterNumber(index)) << UInt64(operand.scale) }
        if operand.isRIPRelative { offset &+= processor.instructionPointer &+ UInt64(instruction.length) }
        let mask: UInt64 = instruction.addressSize == 8 ? .max : 1 << UInt64(8 * instruction.addressSize) - 1
        return linear(offset & mask, in: instruction.segmentOverride ?? operand.defaultSegment, mode)
    }

    /// What the instruction writes to memory that holds `old`; nil if it only reads.
    private mutating func newValue(_ instruction: MemoryInstruction, old: UInt64) -> UInt64? {
        switch instruction.operation {
        case .store(let register), .exchange(let register): return read(register)
        case .storeImmediate(let value): return value
        case .computeMemory(let arithmetic, let register) where arithmetic.writesResult:
            return arithmetic.apply(old, read(register), size: instruction.size, flags: processor.flags).result
        case .computeMemoryImmediate(let arithmetic, let value) where arithmetic.writesResult:
            return arithmetic.apply(old, value, size: instruction.size, flags: processor.flags).result
        default: return nil
        }
    }

    /// What the instruction does to registers and flags after it read `old` from memory.
    @inline(__always)
    private mutating func finish(_ instruction: MemoryInstruction, old: UInt64) {
        switch instruction.operation {
        case .load(let register, let destinationSize, let signExtends):
            let unused = UInt64(truncatingIfNeeded: 64 &- 8 &* instruction.size)
            let extended = UInt64(bitPattern: Int64(bitPattern: old &<< unused) &>> Int64(bitPattern: unused))
            write(signExtends ? extended : old, to: register, size: destinationSize)
        case .store, .storeImmediate: break
        default: compute(instruction, old: old)
        }
    }

    @inline(never)
    private mutating func compute(_ instruction: MemoryInstruction, old: UInt64) {
        switch instruction.operation {
        case .computeRegister(let arithmetic, let register):
            let (result, flags) = arithmetic.apply(read(register), old, size: instruction.size, flags: processor.flags)
            if arithmetic.writesResult { write(result, to: register, size: instruction.size) }
            processor.flags = flags
        case .computeMemory(let arithmetic, let register):
            let source = read(register)
            processor.flags = arithmetic.apply(old, source, size: instruction.size, flags: processor.flags).flags
        case .computeMemoryImmediate(let arithmetic, let value):
            processor.flags = arithmetic.apply(old, value, size: instruction.size, flags: processor.flags).flags
        case .exchange(let register): write(old, to: register, size: instruction.size)
        case .load, .store, .storeImmediate, .storeString, .loadString, .moveString: break
        }
    }

    private mutating func value(of number: RegisterNumber) -> UInt64 {
        number == .rsp ? processor.stackPointer : registers.value(of: number)
    }

    private mutating func read(_ register: MemoryInstruction.Register) -> UInt64 {
        let value = value(of: RegisterNumber(register.number))
        return register.isHighByte ? value >> 8 & 0xFF : value
    }

    @inline(__always)
    private mutating func write(_ value: UInt64, to register: MemoryInstruction.Register, size: Int) {
        let number = RegisterNumber(register.number)
        let old = self.value(of: number)
        let new = register.isHighByte ? old & ~0xFF00 | value << 8 & 0xFF00 : old.replacing(size: size, with: value)
        if number == .rsp { processor.stackPointer = new } else { registers.set(number, to: new) }
    }

    // MARK: String instructions

    /// One element of STOS, LODS or MOVS; with REP the instruction then runs again for the next.
    private mutating func emulateString(_ instruction: MemoryInstruction, in mode: ProcessorMode) -> Outcome {
        let size = instruction.addressSize
        let mask: UInt64 = size == 8 ? .max : 1 << UInt64(8 * size) - 1
        if instruction.isRepeated, registers.rcx & mask == 0 {
            return .stepLength(UInt8(truncatingIfNeeded: instruction.length))
        }
        let step = processor.flags.contains(.direction) ? 0 &- UInt64(instruction.size) : UInt64(instruction.size)
        var value = registers.rax
        if instruction.operation != .storeString {
            let source = linear(registers.rsi & mask, in: instruction.segmentOverride ?? .ds, mode)
            if let outcome = readGuest(source, size: instruction.size, into: &value) { return outcome }
        }
        if instruction.operation == .loadString {
            registers.rax = registers.rax.replacing(size: instruction.size, with: value)
        } else {
            let destination = linear(registers.rdi & mask, in: .es, mode)
            if let outcome = writeGuest(destination, size: instruction.size, { _ in value }) { return outcome }
            registers.rdi = registers.rdi.replacing(size: size, with: registers.rdi &+ step)
        }
        if instruction.operation != .storeString {
            registers.rsi = registers.rsi.replacing(size: size, with: registers.rsi &+ step)
        }
        guard instruction.isRepeated else { return .stepLength(UInt8(truncatingIfNeeded: instruction.length)) }
        let remaining = (registers.rcx &- 1) & mask
        registers.rcx = registers.rcx.replacing(size: size, with: remaining)
        return remaining == 0 ? .stepLength(UInt8(truncatingIfNeeded: instruction.length)) : .resume
    }

    /// In 64-bit mode only FS and GS have a base.
    private mutating func linear(
        _ offset: UInt64, in register: SegmentRegister, _ mode: ProcessorMode
    ) -> GuestVirtualAddress {
        let hasBase = !mode.is64Bit || register == .fs || register == .gs
        let address = offset &+ (hasBase ? processor.segment(register).base : 0)
        return GuestVirtualAddress(mode.is64Bit ? address : address & 0xFFFF_FFFF)
    }
}
