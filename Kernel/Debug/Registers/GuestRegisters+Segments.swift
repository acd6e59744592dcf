import Machine
import Memory
import VMX
import Virtualization
import X86

// Segment registers, loaded as guest instructions would load them.

extension GuestRegisters {
    /// Loads a segment register with its descriptor, or in real and virtual-8086 mode only with the base. The descriptor's
    /// accessed bit in memory stays as it is: the guest has not loaded it.
    func load(_ register: SegmentRegister, _ selector: SegmentSelector) throws(AgentFailure) {
        guard processor.mode != .real, processor.mode != .virtual8086 else {
            let fields = SegmentFields(register)
            processor.vmcs.setBits(of: fields.selector, to: UInt64(selector.rawValue))
            return processor.vmcs.setBits(of: fields.base, to: UInt64(selector.rawValue) << 4)
        }
        guard !selector.isNull else { return try loadNull(register, selector) }
        let descriptor = try descriptor(selector)
        let attributes = descriptor.attributes
        guard attributes.isPresent, attributes.isCodeOrData else {
            throw AgentFailure(.noSegment, descriptor.rawValue)
        }
        var selector = selector
        switch register {
        case .cs:
            try check(selector, ofCode: attributes)
            // CS holds its current privilege level there.
            selector.rawValue = selector.rawValue & ~3 | UInt16(processor.privilegeLevel)
        case .ss: try check(selector, ofStack: attributes)
        default: try check(selector, ofData: attributes)
        }
        processor.setSegment(
            register,
            Segment(
                selector: selector.rawValue, base: descriptor.base, limit: descriptor.limit, attributes: attributes.accessed))
    }

    private func loadNull(_ register: SegmentRegister, _ selector: SegmentSelector) throws(AgentFailure) {
        guard register != .cs, register != .ss || processor.mode.is64Bit && processor.privilegeLevel == 0 else {
            throw AgentFailure(.needsSegment)
        }
        var none = Segment.unusable
        none.selector = selector
        processor.setSegment(register, none)
    }

    /// A far JMP (SDM volume 3, "Direct Calls or Jumps to Code Segments").
    private func check(_ selector: SegmentSelector, ofCode attributes: SegmentAttributes) throws(AgentFailure) {
        guard attributes.isCode else { throw AgentFailure(.needsCode, UInt64(selector.rawValue)) }
        let level = processor.privilegeLevel
        guard
            attributes.isConforming
                ? attributes.privilegeLevel <= level
                : attributes.privilegeLevel == level && selector.requestedPrivilegeLevel <= level
        else { throw AgentFailure(.unreachableCode, UInt64(selector.rawValue)) }
    }

    /// MOV to SS (SDM volume 3, "Privilege Level Checking When Loading the SS Register").
    private func check(_ selector: SegmentSelector, ofStack attributes: SegmentAttributes) throws(AgentFailure) {
        guard !attributes.isCode, attributes.isWritableOrReadable else {
            throw AgentFailure(.needsWritableData, UInt64(selector.rawValue))
        }
        let level = processor.privilegeLevel
        guard attributes.privilegeLevel == level, selector.requestedPrivilegeLevel == level else {
            throw AgentFailure(.wrongPrivilegeLevel, UInt64(selector.rawValue))
        }
    }

    /// MOV to DS, ES, FS or GS (SDM volume 3, "Privilege Level Checking When Accessing Data Segments").
    private func check(_ selector: SegmentSelector, ofData attributes: SegmentAttributes) throws(AgentFailure) {
        guard !attributes.isCode || attributes.isWritableOrReadable else {
            throw AgentFailure(.unreadableCode, UInt64(selector.rawValue))
        }
        guard
            attributes.isConforming
                || attributes.privilegeLevel >= max(processor.privilegeLevel, selector.requestedPrivilegeLevel)
        else {
            throw AgentFailure(.tooPrivileged, UInt64(selector.rawValue))
        }
    }

    /// The descriptor that a selector names, as the processor would read it, whatever the guest may read.
    private func descriptor(_ selector: SegmentSelector) throws(AgentFailure) -> SegmentDescriptor {
        let vmcs = processor.vmcs
        let base: UInt64
        let limit: UInt32
        if selector.usesLocalTable {
            guard !vmcs[.guestLDTRAccessRights].isUnusable else { throw AgentFailure(.noLocalTable) }
            (base, limit) = (vmcs[.guestLDTRBase], vmcs[.guestLDTRLimit])
        } else {
            (base, limit) = (vmcs[.guestGDTRBase], vmcs[.guestGDTRLimit])
        }
        guard selector.offset + 7 <= UInt64(limit) else {
            throw AgentFailure(.beyondTable, UInt64(limit))
        }
        let start = base &+ selector.offset
        let isLong = vmcs[.guestEFER].contains(.longModeActive)
        var value: UInt64 = 0
        for position in 0..<UInt64(8) {
            let address = (start &+ position) & (isLong ? .max : 0xFFFF_FFFF)
            guard let place = cpu.pointee.locate(GuestVirtualAddress(address)),
                let byte = cpu.pointee.guestMemory.readUInt8(at: place)
            else { throw AgentFailure(.descriptorNotMapped, address) }
            value |= UInt64(byte) << (8 * position)
        }
        return SegmentDescriptor(rawValue: value)
    }
}
