import Memory
import Virtualization
import X86

// Direct paging: once the guest turns paging on, the processor walks only the guest's own tables, which hold machine
// addresses. Memory's DirectTables vets them, and hypercalls 6 to 13 change them (Docs/Memory.md).

extension VirtualCPU {
    /// Functions 6 to 13.
    /// - Returns: 0, a DirectRefusal in numbers, or all ones.
    @inline(never)
    mutating func answerDirectPaging() -> UInt64 {
        guard let direct = machine.pointee.direct, processor.privilegeLevel == 0 else { return Hypercall.refused }
        let address = registers.rbx
        if registers.rax == 6 {
            registers.rbx = direct.pointee.ram.start.rawValue
            registers.rcx = direct.pointee.ram.count.wholeFrames
            registers.rdx = registers.rbx >> 32
            return 0
        }
        guard processor.translatesDirectly else { return Hypercall.refused }
        direct.pointee.hasExecuteDisable = processor.extendedFeatures.contains(.executeDisable)
        var refusal: DirectRefusal?
        switch registers.rax {
        case 7: refusal = direct.pointee.register(address, level: registers.rcx)
        case 8: refusal = direct.pointee.unregister(address)
        case 9: refusal = direct.pointee.pin(address, true)
        case 10: refusal = direct.pointee.pin(address, false)
        case 11:
            let update = direct.pointee.update(address, count: registers.rcx)
            (registers.rcx, refusal) = (update.done, update.refusal)
            return UInt64(refusal?.rawValue ?? 0)
        case 12: refusal = loadDirectRoot(address)
        default: direct.pointee.flush()
        }
        followDirectTables()
        return UInt64(refusal?.rawValue ?? 0)
    }

    /// The processor drops what it has cached of pages that have ceased to be tables or become tables. An update alone does not
    /// need that: what the guest may still reach by the old entry is still a page of its own.
    private mutating func followDirectTables() {
        if let direct = machine.pointee.direct, direct.pointee.takeFlush() { processor.flushTranslations() }
    }

    /// MOV to CR3, or hypercall 12.
    /// - Returns: why not: it is not a pinned root.
    mutating func loadDirectRoot(_ cr3: UInt64) -> DirectRefusal? {
        guard let direct = machine.pointee.direct else { return .wrongTable }
        if let refusal = direct.pointee.load(cr3) { return refusal }
        processor.cr3 = cr3
        followDirectTables()
        return nil
    }

    /// The guest changed CR0, or starts: direct paging begins with paging, and lasts as long as the guest.
    /// - Returns: how the guest ends, or the end of the instruction.
    @inline(never)
    @_optimize(speed)
    mutating func followDirectPaging() -> Outcome {
        guard let direct = machine.pointee.direct else { return .step }
        let cr0 = processor.cr0
        guard cr0.contains(.paging) else { return processor.translatesDirectly ? obstruct(.pagingOff) : .step }
        let efer = processor.extendedFeatures
        guard efer.contains(.longModeActive), !processor.cr4.contains(.fiveLevelPaging) else { return obstruct(.otherMode) }
        guard cr0.contains(.writeProtect) else { return obstruct(.noWriteProtection) }
        if processor.translatesDirectly { return .step }
        guard processor.canUseShadowTables else { return obstruct(.segments) }
        direct.pointee.hasExecuteDisable = efer.contains(.executeDisable)
        if let refusal = direct.pointee.adopt(processor.cr3) {
            return obstruct(DirectObstacle(rawValue: refusal.rawValue) ?? .wrongTable)
        }
        processor.translateDirectly(direct.pointee.ram.start)
        followDirectTables()
        return .step
    }

    private func obstruct(_ obstacle: DirectObstacle) -> Outcome { .end(.unsupported(.directPaging(obstacle))) }
}
