import Machine
import Memory
import Text
import VMX
import Virtualization
import X86

// Segment registers, loaded as instructions of the guest's would load them.

extension GuestRegisters {
    /// Loads a segment register with its descriptor, or in real and virtual-8086 mode with the base alone. The descriptor's
    /// accessed bit in memory stays as it is: the guest has not loaded it.
    func load(_ register: SegmentRegister, _ selector: SegmentSelector) throws(Complaint) {
        guard processor.mode != .real, processor.mode != .virtual8086 else {
            let fields = SegmentFields(register)
            processor.vmcs.setBits(of: fields.selector, to: UInt64(selector.rawValue))
            return processor.vmcs.setBits(of: fields.base, to: UInt64(selector.rawValue) << 4)
        }
        guard !selector.isNull else { return try loadNull(register, selector) }
        let descriptor = try descriptor(selector)
        let attributes = descriptor.attributes
        guard attributes.isPresent, attributes.isCodeOrData else {
            throw Complaint("descriptor \(hex: descriptor.rawValue) is of no segment that is there")
        }
        var selector = selector
        switch register {
        case .cs:
            try check(selector, ofCode: attributes)
            // What CS has there is the privilege level that it executes at.
            selector.rawValue = selector.rawValue & ~3 | UInt16(processor.privilegeLevel)
        case .ss: try check(selector, ofStack: attributes)
        default: try check(selector, ofData: attributes)
        }
        processor.setSegment(
            register,
            Segment(
                selector: selector.rawValue, base: descriptor.base, limit: descriptor.limit, attributes: attributes.accessed))
    }

    private func loadNull(_ register: SegmentRegister, _ selector: SegmentSelector) throws(Complaint) {
        guard register != .cs, register != .ss || processor.mode.is64Bit && processor.privilegeLevel == 0 else {
            throw Complaint("\(register.name) cannot do without a segment here")
        }
        var none = Segment.unusable
        none.selector = selector
        processor.setSegment(register, none)
    }

    /// A far JMP (SDM volume 3, 6.8.1 "Direct Calls or Jumps to Code Segments").
    private func check(_ selector: SegmentSelector, ofCode attributes: SegmentAttributes) throws(Complaint) {
        guard attributes.isCode else { throw Complaint("selector \(hex: selector.rawValue) is of data, and CS needs code") }
        let level = processor.privilegeLevel
        guard
            attributes.isConforming
                ? attributes.privilegeLevel <= level
                : attributes.privilegeLevel == level && selector.requestedPrivilegeLevel <= level
        else { throw Complaint("selector \(hex: selector.rawValue) is of code that no jump from privilege level \(level) reaches") }
    }

    /// MOV to SS (SDM volume 3, 6.7 "Privilege Level Checking When Loading the SS Register").
    private func check(_ selector: SegmentSelector, ofStack attributes: SegmentAttributes) throws(Complaint) {
        guard !attributes.isCode, attributes.isWritableOrReadable else {
            throw Complaint("selector \(hex: selector.rawValue) is of no data to be written, which SS needs")
        }
        let level = processor.privilegeLevel
        guard attributes.privilegeLevel == level, selector.requestedPrivilegeLevel == level else {
            throw Complaint("selector \(hex: selector.rawValue) is not of privilege level \(level), which SS needs")
        }
    }

    /// MOV to DS, ES, FS or GS (SDM volume 3, 6.6 "Privilege Level Checking When Accessing Data Segments").
    private func check(_ selector: SegmentSelector, ofData attributes: SegmentAttributes) throws(Complaint) {
        guard !attributes.isCode || attributes.isWritableOrReadable else {
            throw Complaint("selector \(hex: selector.rawValue) is of code that cannot be read")
        }
        guard
            attributes.isConforming
                || attributes.privilegeLevel >= max(processor.privilegeLevel, selector.requestedPrivilegeLevel)
        else {
            throw Complaint(
                "selector \(hex: selector.rawValue) is of privilege level \(attributes.privilegeLevel): not to be had from here")
        }
    }

    /// The descriptor that a selector names, as the processor would read it, whatever the guest may read.
    private func descriptor(_ selector: SegmentSelector) throws(Complaint) -> SegmentDescriptor {
        let vmcs = processor.vmcs
        let base: UInt64
        let limit: UInt32
        if selector.usesLocalTable {
            guard !vmcs[.guestLDTRAccessRights].isUnusable else { throw Complaint("there is no local descriptor table") }
            (base, limit) = (vmcs[.guestLDTRBase], vmcs[.guestLDTRLimit])
        } else {
            (base, limit) = (vmcs[.guestGDTRBase], vmcs[.guestGDTRLimit])
        }
        guard selector.offset + 7 <= UInt64(limit) else {
            throw Complaint("selector \(hex: selector.rawValue) is beyond its table, whose last byte is \(hex: limit)")
        }
        let start = base &+ selector.offset
        let isLong = vmcs[.guestEFER].contains(.longModeActive)
        var value: UInt64 = 0
        for position in 0..<UInt64(8) {
            let address = (start &+ position) & (isLong ? .max : 0xFFFF_FFFF)
            guard let place = cpu.pointee.locate(GuestVirtualAddress(address)), let byte = cpu.pointee.guestMemory.readUInt8(at: place)
            else { throw Complaint("the guest's page tables map no memory at \(hex: address), where the descriptor is") }
            value |= UInt64(byte) << (8 * position)
        }
        return SegmentDescriptor(rawValue: value)
    }
}
