import Virtualization
import X86

extension SVMProcessor {
    /// The bits of a register without a segment are as they happen to be. The DPL of SS and the busy bit of TR need not be what
    /// they stand for (APM volume 2, "VMRUN Instruction", "Segment State in the VMCB").
    @_optimize(speed)
    public func segment(_ register: SegmentRegister) -> Segment {
        let fields = SegmentFields(register)
        var attributes = vmcb[fields.attributes].descriptorAttributes
        if !attributes.isPresent {
            attributes.rawValue = 0
        } else if register == .ss {
            attributes.privilegeLevel = vmcb[.cpl]
        } else if register == .tr {
            attributes.rawValue |= 2
        }
        return Segment(
            selector: vmcb[fields.selector].rawValue, base: vmcb[fields.base], limit: vmcb[fields.limit], attributes: attributes)
    }

    /// The privilege level goes with SS: its DPL, or, in a register without a segment, the RPL.
    public func setSegment(_ register: SegmentRegister, _ segment: Segment) {
        let fields = SegmentFields(register)
        vmcb[fields.selector] = segment.selector
        vmcb[fields.base] = segment.base
        vmcb[fields.limit] = segment.limit
        vmcb[fields.attributes] = VMCBSegmentAttributes(segment.attributes)
        guard register == .ss else { return }
        vmcb[.cpl] =
            segment.attributes.rawValue == 0 ? segment.selector.requestedPrivilegeLevel : segment.attributes.privilegeLevel
    }

    public var globalDescriptorTable: (base: UInt64, limit: UInt32) { (vmcb[.gdtrBase], vmcb[.gdtrLimit]) }

    public func setGlobalDescriptorTable(base: UInt64, limit: UInt32) {
        vmcb[.gdtrBase] = base
        vmcb[.gdtrLimit] = limit
    }

    public var interruptDescriptorTable: (base: UInt64, limit: UInt32) { (vmcb[.idtrBase], vmcb[.idtrLimit]) }

    public func setInterruptDescriptorTable(base: UInt64, limit: UInt32) {
        vmcb[.idtrBase] = base
        vmcb[.idtrLimit] = limit
    }
}

/// The fields of a segment register.
private struct SegmentFields {
    let selector: VMCBField<SegmentSelector, VMCBWritable>
    let attributes: VMCBField<VMCBSegmentAttributes, VMCBWritable>
    let limit: VMCBField<UInt32, VMCBWritable>
    let base: VMCBField<UInt64, VMCBWritable>

    @inline(__always)
    init(_ register: SegmentRegister) {
        switch register {
        case .es: (selector, attributes, limit, base) = (.esSelector, .esAttributes, .esLimit, .esBase)
        case .cs: (selector, attributes, limit, base) = (.csSelector, .csAttributes, .csLimit, .csBase)
        case .ss: (selector, attributes, limit, base) = (.ssSelector, .ssAttributes, .ssLimit, .ssBase)
        case .ds: (selector, attributes, limit, base) = (.dsSelector, .dsAttributes, .dsLimit, .dsBase)
        case .fs: (selector, attributes, limit, base) = (.fsSelector, .fsAttributes, .fsLimit, .fsBase)
        case .gs: (selector, attributes, limit, base) = (.gsSelector, .gsAttributes, .gsLimit, .gsBase)
        case .ldtr: (selector, attributes, limit, base) = (.ldtrSelector, .ldtrAttributes, .ldtrLimit, .ldtrBase)
        case .tr: (selector, attributes, limit, base) = (.trSelector, .trAttributes, .trLimit, .trBase)
        }
    }
}
