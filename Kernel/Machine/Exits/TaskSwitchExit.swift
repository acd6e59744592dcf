import Memory
import Virtualization
import X86

// Hardware task switches (SDM volume 3, "Task Switching"), all of which exit. The privilege levels, the task gate, and the
// descriptor of the new task-state segment were checked before the exit ("Treatment of Task Switches").

/// Why a task switch, or a part of it, fails.
struct TaskSwitchFault: Error {
    let outcome: Outcome

    init(_ outcome: Outcome) { self.outcome = outcome }

    /// - Parameter selector: the error code names it; nil for error code 0.
    init(_ vector: ExceptionVector, _ selector: SegmentSelector?, isExternal: Bool) {
        let code = UInt32(selector?.rawValue ?? 0) & 0xFFFC | (isExternal ? 1 : 0)
        outcome = .inject(.exception(vector, errorCode: code))
    }
}

/// The state of a task as its segment holds it.
private struct TaskState {
    var layout: TaskStateLayout
    var fields: [16 of UInt32] = .init(repeating: 0)
    var table = SegmentSelector(rawValue: 0)
    var cr3: UInt32 = 0
    var traps = false
}

extension VirtualCPU {
    /// - Returns: `resume` with the new task's state; an exception, in the old task's or in the new one's.
    @inline(never)
    mutating func switchTask(_ request: TaskSwitch) -> Outcome {
        let event = request.source == .taskGate ? processor.interruptedEvent : nil
        // Error codes say whether something outside the program made the processor use the gate.
        let isExternal = event.map { !$0.kind.isSoftware } ?? false
        let new: TaskState
        do throws(TaskSwitchFault) {
            new = try leaveTask(request, event, isExternal: isExternal)
        } catch {
            guard case .inject(let fault) = error.outcome else { return error.outcome }
            return raise(fault, during: event)
        }
        // From here on exceptions are the new task's.
        do throws(TaskSwitchFault) {
            try enterTask(new, isExternal: isExternal)
            if let code = event?.errorCode { try pushErrorCode(code, size: new.layout.unit) }
        } catch {
            return error.outcome
        }
        guard new.traps else { return .resume }
        host.loadDebugStatus(host.readDebugStatus() | DebugStatus.taskSwitch)
        processor.debugRegister7 = processor.debugRegister7.without(.generalDetect)
        return .inject(.exception(.debug))
    }

    // MARK: The old task

    /// Saves the state of the old task and reads that of the new one: whatever may fail comes before anything is changed.
    private mutating func leaveTask(
        _ request: TaskSwitch, _ event: Event?, isExternal: Bool
    ) throws(TaskSwitchFault) -> TaskState {
        let selector = SegmentSelector(rawValue: request.selector)
        let nests = request.source == .call || request.source == .taskGate
        let old = processor.segment(.tr)
        let global = processor.globalDescriptorTable
        let newEntry = global.base &+ selector.offset
        let newDescriptor = SegmentDescriptor(rawValue: try read(table: newEntry, count: 8))
        guard let oldLayout = TaskStateLayout(old.attributes), let layout = TaskStateLayout(newDescriptor.attributes) else {
            throw TaskSwitchFault(.invalidTSS, selector, isExternal: isExternal)
        }
        guard newDescriptor.limit >= layout.size - 1 else {
            throw TaskSwitchFault(.invalidTSS, selector, isExternal: isExternal)
        }
        guard old.limit >= oldLayout.first + oldLayout.unit * oldLayout.savedCount - 1 else {
            throw TaskSwitchFault(.invalidTSS, old.selector, isExternal: isExternal)
        }
        let saved = try place(
            old.base &+ UInt64(oldLayout.first), size: oldLayout.unit * oldLayout.savedCount, .write)
        let place = try place(newDescriptor.base, size: layout.size, .read)
        let link = nests ? try self.place(newDescriptor.base, size: 2, .write) : nil
        let oldType = nests ? nil : try self.place(global.base &+ old.selector.offset &+ 5, size: 1, .write)
        let newType = request.source == .iret ? nil : try self.place(newEntry &+ 5, size: 1, .write)

        // After an instruction, the address of the next is saved; an interrupt or exception comes where the task stands.
        var pointer = processor.instructionPointer
        if event?.kind.isSoftware ?? true { pointer &+= UInt64(processor.instructionLength) }
        var flags = processor.flags
        if request.source == .iret { flags = flags.subtracting(.nestedTask) }
        save(oldLayout, in: saved, UInt32(truncatingIfNeeded: pointer), flags)

        var new = read(layout, at: place)
        if nests {
            new.fields[TaskStateLayout.flags] |= UInt32(truncatingIfNeeded: RFlags.nestedTask.rawValue)
            if let link { write(link, count: 2, UInt64(old.selector.rawValue)) }
        }
        if let oldType { write(oldType, count: 1, read(oldType, count: 1) & ~2) }
        if let newType { write(newType, count: 1, read(newType, count: 1) | 2) }
        // It was present when the processor looked, and it is busy now.
        processor.setSegment(
            .tr, Segment(selector, newDescriptor, .init(rawValue: newDescriptor.attributes.rawValue | 0x82)))
        processor.endBlocking()
        // IRET ends the blocking of NMIs, and an NMI begins it.
        if request.source == .iret { processor.blockNonMaskableInterrupts(false) }
        if event?.kind == .nonMaskableInterrupt { processor.blockNonMaskableInterrupts(true) }
        return new
    }

    private mutating func save(_ layout: TaskStateLayout, in place: OperandPlace, _ pointer: UInt32, _ flags: RFlags) {
        for number in 0..<layout.savedCount {
            let value: UInt64
            var size = layout.unit
            switch number {
            case 0: value = UInt64(pointer)
            case TaskStateLayout.flags: value = flags.rawValue
            case ..<TaskStateLayout.segments:
                value = self.value(of: RegisterNumber(UInt8(number - TaskStateLayout.registers)))
            default:
                value = UInt64(processor.segment(Self.segmentRegister(number)).selector.rawValue)
                size = 2
            }
            write(place, at: number * layout.unit, count: size, value & addressMask(size))
        }
    }

    /// The segment register of a field.
    private static func segmentRegister(_ number: Int) -> SegmentRegister {
        SegmentRegister(rawValue: UInt8(number - TaskStateLayout.segments)) ?? .ds
    }

    @_optimize(speed)
    private mutating func read(_ layout: TaskStateLayout, at place: OperandPlace) -> TaskState {
        var state = TaskState(layout: layout)
        for number in 0..<layout.savedCount {
            state.fields[number] = UInt32(
                truncatingIfNeeded: read(place, at: layout.first + number * layout.unit, count: layout.unit))
            // The upper halves of what a 16-bit task loads are undefined; processors and emulators set them.
            let isRegister = number >= TaskStateLayout.registers && number < TaskStateLayout.segments
            if !layout.isWide, isRegister { state.fields[number] |= 0xFFFF_0000 }
        }
        state.table.rawValue = UInt16(
            truncatingIfNeeded: read(place, at: layout.first + layout.savedCount * layout.unit, count: 2))
        if layout.isWide {
            state.cr3 = UInt32(truncatingIfNeeded: read(place, at: TaskStateLayout.cr3, count: 4))
            state.traps = read(place, at: TaskStateLayout.trap, count: 1) & 1 != 0
        }
        return state
    }

    // MARK: The new task

    /// Loads the state of the new task.
    private mutating func enterTask(_ new: TaskState, isExternal: Bool) throws(TaskSwitchFault) {
        let flags = RFlags(rawValue: UInt64(new.fields[TaskStateLayout.flags]) & 0x3F_7FD5) | .alwaysSet
        let code = SegmentSelector(rawValue: UInt16(truncatingIfNeeded: new.fields[TaskStateLayout.segments + 1]))
        let isVirtual8086 = flags.contains(.virtual8086)
        let level = isVirtual8086 ? 3 : code.requestedPrivilegeLevel
        processor.cr0 = processor.cr0 | .taskSwitched
        processor.debugRegister7 = processor.debugRegister7.without(.local)
        processor.instructionPointer = UInt64(new.fields[0])
        processor.flags = flags
        for number in 0..<8 {
            let register = RegisterNumber(UInt8(number))
            let value = UInt64(new.fields[TaskStateLayout.registers + number])
            if register == .rsp { processor.stackPointer = value } else { registers.set(register, to: value) }
        }
        // All selectors come first; what cannot be loaded holds no segment. Code and stack are already at the new level.
        for number in 0..<6 {
            let field = TaskStateLayout.segments + number
            let register = Self.segmentRegister(field)
            let selector = UInt16(truncatingIfNeeded: new.fields[field])
            var segment = Segment(selector: selector, base: 0, limit: 0xFFFF_FFFF, attributes: .init(rawValue: 0))
            if isVirtual8086 {
                segment = Segment(
                    selector: selector, base: UInt64(selector) << 4, limit: 0xFFFF, attributes: .init(rawValue: 0xF3))
            } else if register == .cs || register == .ss {
                let plain: SegmentAttributes = register == .cs ? .code32 : .data32
                segment.attributes.rawValue = plain.rawValue | UInt16(level) << 5
            }
            processor.setSegment(register, segment)
        }
        var none = Segment.unusable
        none.selector = new.table
        processor.setSegment(.ldtr, none)
        if new.layout.isWide, processor.cr0.contains(.paging) {
            guard writeCR3(UInt64(new.cr3)) == .step else {
                throw TaskSwitchFault(.generalProtection, nil, isExternal: isExternal)
            }
        }
        try loadLocalTable(new.table, isExternal: isExternal)
        if isVirtual8086 { return }
        let registers: [6 of SegmentRegister] = [.cs, .ss, .es, .ds, .fs, .gs]
        for index in 0..<6 {
            let register = registers[index]
            let selector = SegmentSelector(
                rawValue: UInt16(truncatingIfNeeded: new.fields[TaskStateLayout.segments + Int(register.rawValue)]))
            try load(register, selector, level: level, isExternal: isExternal)
        }
    }

    private mutating func loadLocalTable(_ selector: SegmentSelector, isExternal: Bool) throws(TaskSwitchFault) {
        if selector.isNull { return }
        guard !selector.usesLocalTable, let (descriptor, _) = try descriptor(selector),
            descriptor.attributes.rawValue & 0x9F == SegmentAttributes.localDescriptorTable.rawValue
        else { throw TaskSwitchFault(.invalidTSS, selector, isExternal: isExternal) }
        processor.setSegment(.ldtr, Segment(selector, descriptor, descriptor.attributes))
    }

    /// SDM volume 3, table "Exception Conditions Checked During a Task Switch".
    private mutating func load(
        _ register: SegmentRegister, _ selector: SegmentSelector, level: UInt8, isExternal: Bool
    ) throws(TaskSwitchFault) {
        let isOrdinary = register != .cs && register != .ss
        if selector.isNull, isOrdinary { return }
        let invalid = TaskSwitchFault(.invalidTSS, selector, isExternal: isExternal)
        guard !selector.isNull, let (descriptor, entry) = try descriptor(selector) else { throw invalid }
        let attributes = descriptor.attributes
        let requested = selector.requestedPrivilegeLevel
        let own = attributes.privilegeLevel
        let isRight: Bool
        switch register {
        case .cs: isRight = attributes.isCode && (attributes.isConforming ? own <= requested : own == requested)
        case .ss: isRight = !attributes.isCode && attributes.isWritableOrReadable && own == level && requested == level
        default:
            isRight =
                (!attributes.isCode || attributes.isWritableOrReadable)
                && (attributes.isConforming || own >= max(level, requested))
        }
        guard attributes.isCodeOrData, isRight else { throw invalid }
        guard attributes.isPresent else {
            throw TaskSwitchFault(register == .ss ? .stackFault : .segmentNotPresent, selector, isExternal: isExternal)
        }
        if attributes.accessed != attributes {
            let type = try place(entry &+ 5, size: 1, .write)
            write(type, count: 1, read(type, count: 1) | 1)
        }
        processor.setSegment(register, Segment(selector, descriptor, attributes.accessed))
    }

    /// A descriptor and its linear address; nil if the table has no such entry.
    private mutating func descriptor(
        _ selector: SegmentSelector
    ) throws(TaskSwitchFault) -> (SegmentDescriptor, UInt64)? {
        var table = processor.globalDescriptorTable
        if selector.usesLocalTable {
            let local = processor.segment(.ldtr)
            guard local.attributes.isPresent else { return nil }
            table = (local.base, local.limit)
        }
        guard selector.offset + 7 <= UInt64(table.limit) else { return nil }
        let entry = table.base &+ selector.offset
        return (SegmentDescriptor(rawValue: try read(table: entry, count: 8)), entry)
    }

    private mutating func pushErrorCode(_ code: UInt32, size: Int) throws(TaskSwitchFault) {
        let mode = processor.mode
        let width = stackAddressSize(mode)
        let pointer = processor.stackPointer &- UInt64(size)
        switch locate(offset: pointer & addressMask(width), size: size, in: .ss, .write, mode) {
        case .place(let place): write(place, count: size, UInt64(code))
        case .outcome(let outcome): throw TaskSwitchFault(outcome)
        }
        processor.stackPointer = processor.stackPointer.replacing(size: width, with: pointer)
    }

    // MARK: The processor's own accesses

    @_optimize(speed)
    private mutating func read(table linear: UInt64, count: Int) throws(TaskSwitchFault) -> UInt64 {
        read(try place(linear, size: count, .read), count: count)
    }

    /// Where a processor structure lies, whatever the privilege level.
    private mutating func place(
        _ linear: UInt64, size: Int, _ kind: GuestAccess.Kind
    ) throws(TaskSwitchFault) -> OperandPlace {
        let address = linear & 0xFFFF_FFFF
        let first = try page(address, kind)
        let inFirst = Int(0x1000 - address & 0xFFF)
        if inFirst >= size { return OperandPlace(first) }
        return OperandPlace(first, count: inFirst, then: try page((address + UInt64(inFirst)) & 0xFFFF_FFFF, kind))
    }

    private mutating func page(_ address: UInt64, _ kind: GuestAccess.Kind) throws(TaskSwitchFault) -> GuestPhysicalAddress {
        switch translate(GuestVirtualAddress(address), .implicit(kind), through: .ds) {
        case .page(let page): return page
        case .outcome(let outcome): throw TaskSwitchFault(outcome)
        }
    }
}

extension Segment {
    fileprivate init(_ selector: SegmentSelector, _ descriptor: SegmentDescriptor, _ attributes: SegmentAttributes) {
        self.init(selector: selector.rawValue, base: descriptor.base, limit: descriptor.limit, attributes: attributes)
    }
}
