import Memory
import Virtualization
import X86

// Memory instructions that the processor could not finish: part of the operand is a device, or not there at all.
//
// The processor has made the checks that precede a memory access: that the instruction exists and is allowed, the
// alignment of operands that must be aligned (#GP and #AC), and the operand's segment.

extension VirtualCPU {
    @inline(never)
    @_optimize(speed)
    mutating func emulate(_ instruction: MemoryInstruction, _ fault: NestedPageFault, in mode: ProcessorMode) -> Outcome {
        switch instruction.operation {
        // The processor has checked the alignment of one of two operands.
        case .storeString, .loadString, .moveString, .compareString, .scanString, .push, .pop:
            if checksAlignment { return .execute }
        default: break
        }
        switch instruction.operation {
        case .storeString, .loadString, .moveString, .compareString, .scanString:
            return emulateString(instruction, in: mode)
        case .push: return emulatePush(instruction, in: mode)
        case .pop: return emulatePop(instruction, in: mode)
        case .loadVector(let move): return emulateVectorLoad(instruction, move, fault, in: mode)
        case .storeVector(let move): return emulateVectorStore(instruction, move, fault, in: mode)
        case .compareExchangePair: return emulateCompareExchangePair(instruction, fault, in: mode)
        default: break
        }
        let place: OperandPlace
        switch locate(instruction, instruction.writesMemory ? .write : .read, fault, in: mode) {
        case .place(let found): place = found
        case .outcome(let outcome): return outcome
        }
        let old = instruction.readsMemory ? read(place, count: instruction.size) : 0
        if let new = perform(instruction, old) { write(place, count: instruction.size, new) }
        return .stepLength(UInt8(truncatingIfNeeded: instruction.length))
    }

    // MARK: The operand

    /// Where an instruction's only operand lies. The fault tells the guest-physical address, unless that may belong to the
    /// operand's second part, at a page's start, or the guest's tables were not asked about a write.
    @_optimize(speed)
    mutating func locate(
        _ instruction: MemoryInstruction, _ kind: GuestAccess.Kind, _ fault: NestedPageFault, in mode: ProcessorMode
    ) -> LocatedOperand {
        let segment = instruction.segmentOverride ?? instruction.operand.defaultSegment
        let address = uncheckedLinear(offset(of: instruction), in: segment, mode)
        if isWhole(at: address, size: instruction.size, kind, fault) { return .place(OperandPlace(fault.address)) }
        return locate(address, size: instruction.size, kind, through: segment)
    }

    /// Whether a fault's address is that of a whole operand, and valid for the access.
    @inline(__always)
    func isWhole(at address: GuestVirtualAddress, size: Int, _ kind: GuestAccess.Kind, _ fault: NestedPageFault) -> Bool {
        let place = address.rawValue & 0xFFF
        return place == fault.address.rawValue & 0xFFF && place + UInt64(size) <= 0x1000 && (fault.isWrite || kind == .read)
    }

    /// The same for one of two operands, where the fault may tell the other's address.
    @_optimize(speed)
    mutating func locate(
        _ instruction: MemoryInstruction, _ kind: GuestAccess.Kind, in mode: ProcessorMode
    ) -> LocatedOperand {
        locate(
            offset: offset(of: instruction), size: instruction.size,
            in: instruction.segmentOverride ?? instruction.operand.defaultSegment, kind, mode)
    }

    /// The offset of a ModRM operand in its segment.
    mutating func offset(of instruction: MemoryInstruction) -> UInt64 {
        let operand = instruction.operand
        var offset = UInt64(bitPattern: operand.displacement)
        if let base = operand.base { offset &+= value(of: RegisterNumber(base)) }
        if let index = operand.index { offset &+= value(of: RegisterNumber(index)) << UInt64(operand.scale) }
        if operand.isRIPRelative { offset &+= processor.instructionPointer &+ UInt64(instruction.length) }
        if case .testBit(_, .register(let register)) = instruction.operation {
            offset &+= bytesBefore(bit: read(register), size: instruction.size)
        }
        return offset & addressMask(instruction.addressSize)
    }

    /// A bit offset in a register is signed and counts from the operand's address, in steps of the operand's size (SDM
    /// volume 1, "Register Operands in 64-Bit Mode" and volume 2, "BT - Bit Test").
    private func bytesBefore(bit: UInt64, size: Int) -> UInt64 {
        let unused = UInt64(64 - 8 * size)
        let signed = Int64(bitPattern: bit << unused) >> Int64(unused)
        return UInt64(bitPattern: signed >> 3) & ~UInt64(size - 1)
    }

    @inline(__always)
    func addressMask(_ size: Int) -> UInt64 { UInt64.max >> UInt64(64 - 8 * size) }

    // MARK: Registers

    mutating func value(of number: RegisterNumber) -> UInt64 {
        number == .rsp ? processor.stackPointer : registers.value(of: number)
    }

    @_optimize(speed)
    mutating func read(_ register: MemoryInstruction.Register) -> UInt64 {
        let value = value(of: RegisterNumber(register.number))
        return register.isHighByte ? value >> 8 & 0xFF : value
    }

    @_optimize(speed)
    mutating func read(_ source: MemoryInstruction.Source) -> UInt64 {
        switch source {
        case .register(let register): read(register)
        case .constant(let value): value
        }
    }

    @inline(__always)
    mutating func write(_ value: UInt64, to register: MemoryInstruction.Register, size: Int) {
        let number = RegisterNumber(register.number)
        let old = self.value(of: number)
        let new = register.isHighByte ? old & ~0xFF00 | value << 8 & 0xFF00 : old.replacing(size: size, with: value)
        if number == .rsp { processor.stackPointer = new } else { registers.set(number, to: new) }
    }

    // MARK: Effects

    /// Does to registers and flags what the instruction does when it finds `old` in memory.
    /// - Returns: what it writes to memory; nil if nothing.
    private mutating func perform(_ instruction: MemoryInstruction, _ old: UInt64) -> UInt64? {
        let size = instruction.size
        switch instruction.operation {
        case .load(let register, let destinationSize, let signExtends):
            let unused = UInt64(64 - 8 * size)
            let extended = UInt64(bitPattern: Int64(bitPattern: old << unused) >> Int64(unused))
            write(signExtends ? extended : old, to: register, size: destinationSize)
        case .loadSwapped(let register): write(swapped(old, size: size), to: register, size: size)
        case .loadConditionally(let condition, let register):
            // A doubleword register loses its upper half in any case.
            write(condition.holds(processor.flags) ? old : read(register), to: register, size: size)
        case .store(let register): return read(register)
        case .storeImmediate(let value): return value
        case .storeSwapped(let register): return swapped(read(register), size: size)
        case .storeSegment(let segment): return UInt64(processor.segment(segment).selector.rawValue)
        case .storeCondition(let condition): return condition.holds(processor.flags) ? 1 : 0
        case .computeRegister(let arithmetic, let register):
            let (result, flags) = arithmetic.apply(read(register), old, size: size, flags: processor.flags)
            if arithmetic.writesResult { write(result, to: register, size: size) }
            processor.flags = flags
        case .computeMemory(let arithmetic, let source):
            let (result, flags) = arithmetic.apply(old, read(source), size: size, flags: processor.flags)
            processor.flags = flags
            return arithmetic.writesResult ? result : nil
        case .modify(let modification):
            let (result, flags) = modification.apply(old, size: size, flags: processor.flags)
            processor.flags = flags
            return result
        case .shift(let shift, let count):
            let (result, flags) = shift.apply(old, count: read(count), size: size, flags: processor.flags)
            processor.flags = flags
            return result
        case .testBit(let test, let offset):
            let (result, flags) = test.apply(old, offset: read(offset), size: size, flags: processor.flags)
            processor.flags = flags
            return test == .keep ? nil : result
        case .exchange(let register):
            let new = read(register)
            write(old, to: register, size: size)
            return new
        case .exchangeAdd(let register):
            let (sum, flags) = MemoryInstruction.Arithmetic.add.apply(old, read(register), size: size, flags: processor.flags)
            write(old, to: register, size: size)
            processor.flags = flags
            return sum
        case .compareExchange(let register): return compareExchange(register, old, size: size)
        case .countBits(let count, let register):
            let (result, flags) = supported(count).apply(old, size: size, flags: processor.flags)
            if let result { write(result, to: register, size: size) }
            processor.flags = flags
        case .multiply(let register): multiply(read(register), old, to: register, size: size)
        case .multiplyByConstant(let value, let register): multiply(old, value, to: register, size: size)
        case .multiplyAccumulator(let isSigned): multiplyAccumulator(old, isSigned: isSigned, size: size)
        case .compareExchangePair, .push, .pop, .storeString, .loadString, .moveString, .compareString, .scanString,
            .loadVector, .storeVector:
            break  // handled separately
        }
        return nil
    }

    private func swapped(_ value: UInt64, size: Int) -> UInt64 { value.byteSwapped >> UInt64(64 - 8 * size) }

    /// Memory is always written, with its old value if they were not equal.
    private mutating func compareExchange(_ register: MemoryInstruction.Register, _ old: UInt64, size: Int) -> UInt64 {
        let (_, flags) = MemoryInstruction.Arithmetic.compare.apply(registers.rax, old, size: size, flags: processor.flags)
        processor.flags = flags
        if flags.contains(.zero) { return read(register) }
        registers.rax = registers.rax.replacing(size: size, with: old)
        return old
    }

    private mutating func emulateCompareExchangePair(
        _ instruction: MemoryInstruction, _ fault: NestedPageFault, in mode: ProcessorMode
    ) -> Outcome {
        let place: OperandPlace
        switch locate(instruction, .write, fault, in: mode) {
        case .place(let found): place = found
        case .outcome(let outcome): return outcome
        }
        let isWide = instruction.size == 16
        let half = instruction.size / 2
        let mask = addressMask(half)
        let first = read(place, count: 8)
        let low = first & mask
        let high = isWide ? read(place, at: 8, count: 8) : first >> 32
        let isEqual = low == registers.rax & mask && high == registers.rdx & mask
        let newLow = isEqual ? registers.rbx & mask : low
        let newHigh = isEqual ? registers.rcx & mask : high
        write(place, count: 8, isWide ? newLow : newLow | newHigh << 32)
        if isWide { write(place, at: 8, count: 8, newHigh) }
        if !isEqual {
            registers.rax = registers.rax.replacing(size: half, with: low)
            registers.rdx = registers.rdx.replacing(size: half, with: high)
        }
        processor.flags = processor.flags.setting(.zero, to: isEqual)
        return .stepLength(UInt8(truncatingIfNeeded: instruction.length))
    }

    /// TZCNT and LZCNT are BSF and BSR on a processor that does not have them.
    private mutating func supported(_ count: MemoryInstruction.BitCount) -> MemoryInstruction.BitCount {
        switch count {
        case .trailingZeros: host.has(.bmi1) ? count : .scanForward
        case .leadingZeros: host.has(.lzcnt) ? count : .scanReverse
        default: count
        }
    }

    private mutating func multiply(_ a: UInt64, _ b: UInt64, to register: MemoryInstruction.Register, size: Int) {
        let product = Multiplication.apply(a, b, isSigned: true, size: size, flags: processor.flags)
        write(product.low, to: register, size: size)
        processor.flags = product.flags
    }

    /// The product of bytes goes to AX, others to the accumulator and its extension.
    private mutating func multiplyAccumulator(_ value: UInt64, isSigned: Bool, size: Int) {
        let product = Multiplication.apply(registers.rax, value, isSigned: isSigned, size: size, flags: processor.flags)
        if size == 1 {
            registers.rax = registers.rax.replacing(size: 2, with: product.low | product.high << 8)
        } else {
            registers.rax = registers.rax.replacing(size: size, with: product.low)
            registers.rdx = registers.rdx.replacing(size: size, with: product.high)
        }
        processor.flags = product.flags
    }

    // MARK: PUSH and POP

    private mutating func emulatePush(_ instruction: MemoryInstruction, in mode: ProcessorMode) -> Outcome {
        let source: OperandPlace
        switch locate(instruction, .read, in: mode) {
        case .place(let found): source = found
        case .outcome(let outcome): return outcome
        }
        let size = stackAddressSize(mode)
        let pointer = processor.stackPointer &- UInt64(instruction.size)
        let destination: OperandPlace
        switch locate(offset: pointer & addressMask(size), size: instruction.size, in: .ss, .write, mode) {
        case .place(let found): destination = found
        case .outcome(let outcome): return outcome
        }
        write(destination, count: instruction.size, read(source, count: instruction.size))
        processor.stackPointer = processor.stackPointer.replacing(size: size, with: pointer)
        return .stepLength(UInt8(truncatingIfNeeded: instruction.length))
    }

    /// An operand with RSP as its base is addressed with RSP after the increment (SDM volume 2, "POP - Pop a Value From the
    /// Stack").
    private mutating func emulatePop(_ instruction: MemoryInstruction, in mode: ProcessorMode) -> Outcome {
        let size = stackAddressSize(mode)
        let old = processor.stackPointer
        let source: OperandPlace
        switch locate(offset: old & addressMask(size), size: instruction.size, in: .ss, .read, mode) {
        case .place(let found): source = found
        case .outcome(let outcome): return outcome
        }
        processor.stackPointer = old.replacing(size: size, with: old &+ UInt64(instruction.size))
        switch locate(instruction, .write, in: mode) {
        case .place(let destination):
            write(destination, count: instruction.size, read(source, count: instruction.size))
            return .stepLength(UInt8(truncatingIfNeeded: instruction.length))
        case .outcome(let outcome):
            processor.stackPointer = old
            return outcome
        }
    }

    mutating func stackAddressSize(_ mode: ProcessorMode) -> Int {
        mode.is64Bit ? 8 : processor.segment(.ss).attributes.is32Bit ? 4 : 2
    }
}
