import Memory
import Virtualization
import X86

// Which memory an instruction is about to read and write: for a monitor that watches memory, and asks before the processor
// or Martlet executes the instruction. Only a monitor asks.

extension VirtualCPU {
    /// Reports what Martlet will read and write of the guest's memory for an exit, up to where the guest faults; what the
    /// processor itself has read before the exit, such as the instruction's bytes, is not included.
    public mutating func foretellOwnAccesses(of exit: Exit, to report: (ForetoldAccess) -> Void) {
        guard !processor.isDeliveringEvent else { return }
        switch exit {
        case .io(let access) where access.isString: foretellStringIO(access, to: report)
        case .nestedPageFault(let fault) where !fault.duringWalk && !fault.isFetch: foretellEmulation(fault, to: report)
        case .virtualAPIC(.access(let offset, let isWrite, let isFetch)) where !isFetch:
            foretellEmulation(.ofLocalAPIC(offset, isWrite: isWrite, isFetch: false), to: report)
        case .controlRegister(let access): foretellPointers(access, to: report)
        case .hypercall: foretellHypercall(to: report)
        default: break
        }
    }

    /// Reports what the instruction at RIP reads and writes in memory; for a repeated one, its next element.
    /// - Parameter withFetch: the walk to the instruction itself, first of all.
    public mutating func foretellInstruction(withFetch: Bool, to report: (ForetoldAccess) -> Void) {
        let mode = processor.mode
        if withFetch {
            let base = mode.is64Bit ? 0 : processor.segment(.cs).base
            let address = GuestVirtualAddress((base &+ processor.instructionPointer) & linearMask)
            _ = walk(address, access(.fetch), isLater: false, marks: true, to: report)
        }
        guard let instruction = InstructionDecoder.decode(fetchInstruction(in: mode), in: mode) else { return }
        foretell(instruction, elements: 1, in: mode, to: report)
    }

    /// An instruction on a device or absent memory.
    private mutating func foretellEmulation(_ fault: NestedPageFault, to report: (ForetoldAccess) -> Void) {
        let mode = processor.mode
        guard let instruction = InstructionDecoder.decode(fetchInstruction(in: mode), in: mode),
            !instruction.isLocked || instruction.allowsLock
        else { return }
        let elements = instruction.repetition == .none ? 1 : iterationBudget(elementSize: instruction.size)
        foretell(instruction, elements: elements, fault, in: mode, to: report)
    }

    /// - Parameter fault: gives the place of an operand that lies wholly there: there is no RAM, and nothing is walked.
    private mutating func foretell(
        _ instruction: MemoryInstruction, elements: Int, _ fault: NestedPageFault? = nil, in mode: ProcessorMode,
        to report: (ForetoldAccess) -> Void
    ) {
        let size = instruction.size
        let use: OperandUse
        switch instruction.operation {
        case .storeString, .loadString, .moveString, .compareString, .scanString:
            return foretellString(instruction, elements: elements, in: mode, to: report)
        case .push:
            guard foretellOperand(instruction, .read, in: mode, to: report) else { return }
            let pointer = (processor.stackPointer &- UInt64(size)) & addressMask(stackAddressSize(mode))
            _ = foretell(offset: pointer, size: size, in: .ss, .write, mode, to: report)
            return
        case .pop:
            let pointer = processor.stackPointer & addressMask(stackAddressSize(mode))
            guard foretell(offset: pointer, size: size, in: .ss, .read, mode, to: report) else { return }
            _ = foretellOperand(instruction, .write, in: mode, to: report)
            return
        case .loadVector: use = .read
        case .storeVector: use = .write
        default: use = OperandUse(isRead: instruction.readsMemory, isWrite: instruction.writesMemory)
        }
        let address = uncheckedLinear(
            offset(of: instruction), in: instruction.segmentOverride ?? instruction.operand.defaultSegment, mode)
        if let fault, isWhole(at: address, size: size, use.kind, fault) { return }
        _ = foretell(address, size: size, use, to: report)
    }

    /// The ModRM operand of PUSH and POP.
    private mutating func foretellOperand(
        _ instruction: MemoryInstruction, _ use: OperandUse, in mode: ProcessorMode, to report: (ForetoldAccess) -> Void
    ) -> Bool {
        var place = offset(of: instruction)
        if instruction.operation == .pop, instruction.operand.base == RegisterNumber.rsp.value {
            place = (place &+ UInt64(instruction.size)) & addressMask(instruction.addressSize)
        }
        return foretell(
            offset: place, size: instruction.size, in: instruction.segmentOverride ?? instruction.operand.defaultSegment, use,
            mode,
            to: report)
    }

    private mutating func foretellString(
        _ instruction: MemoryInstruction, elements: Int, in mode: ProcessorMode, to report: (ForetoldAccess) -> Void
    ) {
        let mask = addressMask(instruction.addressSize)
        let count = instruction.repetition == .none ? 1 : min(registers.rcx & mask, UInt64(elements))
        let step = processor.flags.contains(.direction) ? 0 &- UInt64(instruction.size) : UInt64(instruction.size)
        let operation = instruction.operation
        let isWritten = operation == .storeString || operation == .moveString
        for element in 0..<count {
            let distance = step &* element
            if operation != .storeString, operation != .scanString {
                let offset = (registers.rsi &+ distance) & mask
                let use = OperandUse.read.later(element > 0)
                guard
                    foretell(
                        offset: offset, size: instruction.size, in: instruction.segmentOverride ?? .ds, use, mode, to: report)
                else { return }
            }
            if operation != .loadString {
                let offset = (registers.rdi &+ distance) & mask
                let use = (isWritten ? OperandUse.write : .read).later(element > 0)
                guard foretell(offset: offset, size: instruction.size, in: .es, use, mode, to: report) else { return }
            }
        }
    }

    private mutating func foretellStringIO(_ access: IOAccess, to report: (ForetoldAccess) -> Void) {
        let operand = processor.stringIOOperand()
        let mask = addressMask(operand.addressSize)
        let mode = processor.mode
        let step = processor.flags.contains(.direction) ? 0 &- UInt64(access.size) : UInt64(access.size)
        let budget = UInt64(iterationBudget(elementSize: access.size))
        let index = access.isInput ? registers.rdi : registers.rsi
        for element in 0..<(access.isRepeated ? min(registers.rcx & mask, budget) : 1) {
            let use = (access.isInput ? OperandUse.write : .read).later(element > 0)
            let offset = (index &+ step &* element) & mask
            guard
                foretell(
                    offset: offset, size: access.size, in: access.isInput ? .es : operand.segment, use, mode, to: report)
            else { return }
        }
    }

    /// The four entries that PAE paging starts from.
    private mutating func foretellPointers(_ access: ControlRegisterAccess, to report: (ForetoldAccess) -> Void) {
        guard let table = pageDirectoryPointers(loadedBy: access) else { return }
        report(ForetoldAccess(first: table.rawValue, last: table.rawValue &+ 31, isRead: true, isWrite: false, isTable: true))
    }

    /// Function 5 walks the guest's tables and marks nothing.
    private mutating func foretellHypercall(to report: (ForetoldAccess) -> Void) {
        let mask: UInt64 = processor.executes64BitCode ? .max : 0xFFFF_FFFF
        guard registers.rax & mask == 5, let access = accessAskedFor else { return }
        _ = walk(GuestVirtualAddress(registers.rbx & mask), access, isLater: false, marks: false, to: report)
    }
}
