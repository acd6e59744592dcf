import Memory
import Virtualization
import X86

// Shadow paging: the processor translates by Martlet's tables, which follow the guest's (Memory, ShadowTables), from the time the
// guest turns paging on with CR0.WP set until it turns one of them off. Before that, and for an instruction that the processor
// executes on pages that stand in for devices, nested tables translate.

extension VirtualCPU {
    /// The guest changed how it translates: the processor follows.
    @inline(never)
    @_optimize(speed)
    public mutating func followPaging() {
        guard let shadow = machine.pointee.shadow else { return }
        if processor.emulatesRealMode { attention.insert(.realMode) }
        guard processor.canUseShadowTables else {
            // What the guest does to its tables meanwhile goes unseen.
            if processor.usesShadowTables { shadow.pointee.reset() }
            processor.useNestedTables()
            processor.flushTranslations()
            // With paging on, the obstacle is segments that it has not loaded yet.
            awaitSegments(processor.cr0.contains(.paging | .writeProtect))
            return
        }
        awaitSegments(false)
        shadow.pointee.load(paging, hasIdentifiers: processor.cr4.contains(.processContextIdentifiers))
        shadow.pointee.synchronize()
        shadow.pointee.flushOthers()
        _ = shadow.pointee.takeFlush()
        use(shadow, for: processor.cr3)
        processor.flushTranslations()
    }

    @inline(__always)
    private mutating func use(_ shadow: UnsafeMutablePointer<ShadowTables<GuestMemory>>, for cr3: UInt64) {
        processor.useShadowTables(shadow.pointee.rootAddress, for: cr3)
        allowLoads(shadow)
    }

    /// Lets the guest load what it may without an exit.
    @inline(__always)
    private mutating func allowLoads(_ shadow: UnsafeMutablePointer<ShadowTables<GuestMemory>>) {
        if let allowed = shadow.pointee.twins.takeChange() { processor.allowLoads(of: allowed.values, count: allowed.count) }
    }

    /// The shadow tables, if there are any, for the address space that the guest has loaded.
    var shadowTables: UnsafeMutablePointer<ShadowTables<GuestMemory>>? {
        mutating get {
            guard let shadow = machine.pointee.shadow else { return nil }
            shadow.pointee.follow(processor.cr3)
            return shadow
        }
    }

    private mutating func awaitSegments(_ waits: Bool) {
        guard waits != awaitsSegments else { return }
        awaitsSegments = waits
        _ = processor.trapInstruction(waits)
    }

    /// The trap after each instruction of a guest whose segments are awaited; or a debugger's.
    mutating func endTrappedInstruction() -> Outcome {
        if awaitsSegments { followPaging() }
        return .resume
    }

    /// A load of CR3 that drops cached translations. (For shadow tables in long mode, see `loadShadowRoot`.)
    mutating func followAddressSpace() {
        guard processor.usesShadowTables else { return processor.flushTranslations() }
        followPaging()
    }

    /// A load of CR3 in long mode, if shadow tables translate.
    /// - Returns: nil, with nothing changed, if they do not.
    @inline(__always)
    mutating func loadShadowRoot(_ value: UInt64) -> Outcome? {
        guard let shadow = machine.pointee.shadow, processor.usesShadowTables, shadow.pointee.paging.shadowLevelCount > 3 else {
            return nil
        }
        let keepsTranslations = value & ControlRegister3.keepsTranslations != 0 && shadow.pointee.hasIdentifiers
        let cr3 = keepsTranslations ? value & ~ControlRegister3.keepsTranslations : value
        guard cr3 >> UInt64(features.physicalAddressWidth) == 0 else { return .inject(.generalProtection) }
        shadow.pointee.loadRoot(cr3, keepsTranslations: keepsTranslations)
        if shadow.pointee.takeFlush() || !keepsTranslations { processor.flushTranslations() }
        use(shadow, for: cr3)
        return .step
    }

    /// A task switch may have loaded segments with which only nested tables can enter the guest.
    mutating func followSegments() {
        if processor.usesShadowTables, !processor.canUseShadowTables { followPaging() }
    }

    /// Martlet itself has written to the guest's RAM.
    public mutating func noteWrite(at address: GuestPhysicalAddress) {
        guard let shadow = machine.pointee.shadow else { return }
        shadow.pointee.noteWrite(at: address)
        allowLoads(shadow)
    }

    /// For an instruction that the processor is to execute on nested tables.
    /// - Returns: whether shadow tables were in use.
    mutating func leaveShadowTables() -> Bool {
        guard processor.usesShadowTables, processor.hasNestedTables else { return false }
        processor.useNestedTables()
        processor.flushTranslations()
        return true
    }

    /// The guest may have written to its tables meanwhile.
    mutating func returnToShadowTables() {
        machine.pointee.shadow?.pointee.distrustAll()
        followPaging()
    }

    // MARK: Page faults

    /// A page fault under shadow tables: the guest's own, one for lack of an entry, or an access to something other than RAM.
    @inline(never)
    @_optimize(speed)
    mutating func resolvePageFault(_ exception: ExceptionExit) -> Outcome {
        let request = requestedAccess(exception)
        let (address, kind, access) = (request.address, request.access.kind, request.access)
        if kind == .read, !PageFaultErrorCode(rawValue: exception.errorCode ?? 0).isUser, fillsForFetch(address) {
            processor.beginAnew()
            return .resume
        }
        switch paging.translate(address, for: access, in: memory) {
        case .page(let page):
            guard !isNoRAM(page.address) else {
                // The processor has translated the operand, but not yet checked its alignment.
                if checksAlignment, kind != .fetch, !processor.isDeliveringEvent { return .execute }
                return resolve(.ofPageFault(page.address, kind))
            }
            return fillShadow(address, isWrite: kind == .write, isUser: access.isUser, exception)
        case .fault(let code): return deliverPageFault(address, code)
        case .notCanonical: return deliverPageFault(address, PageFaultErrorCode(rawValue: exception.errorCode ?? 0))
        case .tableOutsideRAM: return .end(.unsupported(.tableInAbsentMemory))
        }
    }

    /// The access that a page fault reports.
    @inline(__always)
    mutating func requestedAccess(_ exception: ExceptionExit) -> (address: GuestVirtualAddress, access: GuestAccess) {
        let code = PageFaultErrorCode(rawValue: exception.errorCode ?? 0)
        let kind: GuestAccess.Kind = code.isWrite ? .write : code.isFetch ? .fetch : .read
        // A supervisor access in user mode is the processor's own, to a descriptor table or task-state segment.
        let access: GuestAccess =
            !code.isUser && processor.privilegeLevel == 3
            ? .implicit(kind)
            : .explicit(kind, privilegeLevel: code.isUser ? 3 : 0, alignmentCheck: processor.flags.contains(.alignmentCheck))
        return (GuestVirtualAddress(exception.qualification), access)
    }

    @inline(__always)
    mutating func isNoRAM(_ address: GuestPhysicalAddress) -> Bool { !memory.contains(address, count: 1) || isHidden(address) }

    /// Without execute-disable and SMEP, an error code does not tell a fetch, which SMAP allows, from a read, which it stops. A
    /// read from where instructions are fetched faults again once that is filled.
    private mutating func fillsForFetch(_ address: GuestVirtualAddress) -> Bool {
        let cr4 = processor.cr4
        guard cr4.contains(.supervisorAccessPrevention), !cr4.contains(.supervisorExecutionPrevention),
            !processor.extendedFeatures.contains(.executeDisable), let shadow = shadowTables
        else { return false }
        let start = processor.instructionPointer &+ (processor.executes64BitCode ? 0 : processor.segment(.cs).base)
        guard (address.rawValue &- start) & linearMask < UInt64(InstructionBytes.capacity),
            case .page(let page) = paging.translate(address, for: access(.fetch), in: memory),
            memory.contains(page.address, count: 1), !isHidden(page.address)
        else { return false }
        let hasChanged = shadow.pointee.fill(address, isWrite: false)
        followTables()
        if hasChanged { fruitlessFault = nil }
        return hasChanged
    }

    /// The processor drops what it has cached of changed tables.
    @_optimize(speed)
    private mutating func followTables() {
        guard let shadow = machine.pointee.shadow else { return }
        allowLoads(shadow)
        guard shadow.pointee.takeFlush() else { return }
        processor.useShadowTables(shadow.pointee.rootAddress, for: processor.cr3)
        processor.flushTranslations()
    }

    @_optimize(speed)
    private mutating func fillShadow(
        _ address: GuestVirtualAddress, isWrite: Bool, isUser: Bool, _ exception: ExceptionExit
    ) -> Outcome {
        guard let shadow = shadowTables else { return .resume }
        let hasChanged = shadow.pointee.fill(address, isWrite: isWrite, isUser: isUser)
        followTables()
        if !hasChanged {
            // The processor may have cached what the tables held before. If it still faults afterwards, the fault is the guest's.
            guard fruitlessFault != address else {
                fruitlessFault = nil
                return deliverPageFault(address, PageFaultErrorCode(rawValue: exception.errorCode ?? 0))
            }
            processor.flushTranslations()
        }
        fruitlessFault = hasChanged ? nil : address
        processor.beginAnew()
        return .resume
    }

    @_optimize(speed)
    private mutating func deliverPageFault(_ address: GuestVirtualAddress, _ code: PageFaultErrorCode) -> Outcome {
        host.loadPageFaultAddress(address.rawValue)
        return raise(.exception(.pageFault, errorCode: code.rawValue), during: processor.interruptedEvent)
    }

    // MARK: INVLPG and INVPCID

    @_optimize(speed)
    mutating func invalidatePage(_ address: GuestVirtualAddress) -> Outcome {
        guard let shadow = shadowTables else { return .end(.unsupported(.controlNotSet)) }
        shadow.pointee.invalidate(address)
        finishInvalidation()
        return .step
    }

    /// SDM volume 2, "INVPCID - Invalidate Process-Context Identifier".
    mutating func invalidateByPCID() -> Outcome {
        guard let shadow = shadowTables else { return .end(.unsupported(.controlNotSet)) }
        let operand = processor.invalidationOperand()
        let mode = processor.mode
        var offset = operand.displacement
        if let base = operand.base { offset &+= value(of: base) }
        if let index = operand.index { offset &+= value(of: index) << operand.scale }
        let place: OperandPlace
        switch locate(offset: offset & addressMask(operand.addressSize), size: 16, in: operand.segment, .read, mode) {
        case .place(let found): place = found
        case .outcome(let outcome): return outcome
        }
        let descriptor = (tag: read(place, count: 8), address: read(place, at: 8, count: 8))
        let kind = readGeneral(operand.kind)
        let tag = descriptor.tag
        guard kind <= 3, tag >> 12 == 0, kind > 1 || shadow.pointee.hasIdentifiers || tag == 0 else {
            return .inject(.generalProtection)
        }
        if kind == 0 {
            let address = descriptor.address
            let unused = UInt64(processor.cr4.contains(.fiveLevelPaging) ? 7 : 16)
            guard UInt64(bitPattern: Int64(bitPattern: address << unused) >> Int64(unused)) == address else {
                return .inject(.generalProtection)
            }
            if tag == shadow.pointee.tag { shadow.pointee.invalidate(GuestVirtualAddress(address)) }
        } else if kind > 1 || tag == shadow.pointee.tag {
            shadow.pointee.synchronize()
        }
        if kind > 1 {
            shadow.pointee.flushOthers()
        } else if tag != shadow.pointee.tag {
            // The next load compares what this one leaves.
            shadow.pointee.flushOther(tag)
        }
        finishInvalidation()
        return .step
    }

    @_optimize(speed)
    private mutating func finishInvalidation() {
        guard let shadow = machine.pointee.shadow else { return }
        _ = shadow.pointee.takeFlush()
        allowLoads(shadow)
        processor.flushTranslations()
    }
}

extension NestedPageFault {
    /// What a page fault under shadow tables would have been under nested tables.
    static func ofPageFault(_ address: GuestPhysicalAddress, _ kind: GuestAccess.Kind) -> NestedPageFault {
        NestedPageFault(
            address: address, isRead: kind == .read, isWrite: kind == .write, isFetch: kind == .fetch, isMapped: false,
            duringWalk: false)
    }
}
