import Memory
import SVM
import StudyTools
import Text
import X86

/// What a field's value means, in few words; nil for one that is a number and nothing else.
struct VMCBFieldWords {
    let field: VMCBFieldName
    let value: UInt64

    var words: String? {
        switch field {
        case .interceptVector0: intercepts(InterceptVector<0>.self)
        case .interceptVector1: intercepts(InterceptVector<1>.self)
        case .interceptVector2: intercepts(InterceptVector<2>.self)
        case .interceptVector3: intercepts(InterceptVector<3>.self)
        case .interceptVector4: intercepts(InterceptVector<4>.self)
        case .interceptVector5: intercepts(InterceptVector<5>.self)
        case .tlbControl: "\(TLBControl(rawValue: UInt8(truncatingIfNeeded: value)).words)"
        case .virtualInterrupts: virtualInterrupts
        case .interruptShadow: flags(InterruptShadow(rawValue: value))
        case .exitIntInfo, .eventInjection: SVMEventExplanation.words(of: SVMEvent(rawValue: value))
        case .nestedControl: flags(NestedControl(rawValue: value))
        case .virtualizationControl: flags(VirtualizationControl(rawValue: value))
        case .cleanBits: flags(VMCBCleanBits(rawValue: UInt32(truncatingIfNeeded: value) & 0x1FFF))
        case .esAttributes, .csAttributes, .ssAttributes, .dsAttributes, .fsAttributes, .gsAttributes, .ldtrAttributes,
            .trAttributes:
            VMCBSegmentAttributes(rawValue: UInt16(truncatingIfNeeded: value)).words
        case .efer: flags(ExtendedFeatureEnable(rawValue: value))
        case .cr0: flags(ControlRegister0(rawValue: value))
        case .cr4: flags(ControlRegister4(rawValue: value))
        case .rflags: flags(RFlags(rawValue: value))
        default: nil
        }
    }

    private func flags(_ flags: some FlagSet) -> String { Text.words(flags) }

    private func intercepts<Flags: FlagSet>(_ kind: Flags.Type) -> String where Flags.RawValue == UInt32 {
        Text.words(Flags(rawValue: UInt32(truncatingIfNeeded: value)))
    }

    private var virtualInterrupts: String {
        let control = VirtualInterruptControl(rawValue: value)
        let named = VirtualInterruptControl(rawValue: value & 0xFFFF_FF00 & ~0xF_0000)
        let number = "V_TPR \(control.taskPriority), V_INTR_PRIO \(control.priority)"
        return "\(flags(named)), \(number), V_INTR_VECTOR 0x\(String(control.vector, radix: 16))"
    }
}

extension VMCBSegmentAttributes {
    /// The kind of segment, its privilege level and its width.
    var words: String {
        let attributes = descriptorAttributes
        guard attributes.isPresent else { return "not present" }
        let kind = attributes.isCodeOrData ? attributes.isCode ? "code" : "data" : "system segment of type \(rawValue & 15)"
        let width = isLong ? ", 64-bit" : is32Bit ? ", 32-bit" : ""
        return "\(kind), DPL \(attributes.privilegeLevel)\(width)"
    }
}
