import X86

/// Virtual interrupts: the quadword at offset 060H of the VMCB (APM volume 2, "Injecting Virtual (INTR) Interrupts" and
/// "NMI Virtualization").
public struct VirtualInterruptControl: FlagSet, VMCBValue {
    public typealias Bits = UInt64
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// V_IRQ: a virtual interrupt waits.
    public static var request: Self { .init(bit: 8) }
    /// V_IGN_TPR: it waits for no lower V_TPR.
    public static var ignoresTaskPriority: Self { .init(bit: 20) }
    /// V_INTR_MASKING: the guest's RFLAGS.IF and CR8 are for virtual interrupts alone, the host's RFLAGS.IF for physical ones.
    public static var masking: Self { .init(bit: 24) }
    /// V_NMI_ENABLE: virtual NMIs, with a mask of their own.
    public static var nmiEnable: Self { .init(bit: 26) }
    /// x2AVIC: the guest's local APIC is in x2APIC mode.
    public static var x2AVICEnable: Self { .init(bit: 30) }
    /// AVIC: the processor works the guest's local APIC.
    public static var avicEnable: Self { .init(bit: 31) }

    /// V_TPR, bits 3:0.
    public var taskPriority: UInt8 { UInt8(truncatingIfNeeded: rawValue) & 15 }
    /// V_INTR_PRIO, bits 19:16.
    public var priority: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 16) & 15 }
    /// V_INTR_VECTOR, bits 39:32.
    public var vector: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 32) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 8: "V_IRQ"
        case 9: "VGIF"
        case 11: "V_NMI"
        case 12: "V_NMI_MASK"
        case 20: "V_IGN_TPR"
        case 24: "V_INTR_MASKING"
        case 25: "virtual GIF enable"
        case 26: "V_NMI_ENABLE"
        case 30: "x2AVIC enable"
        case 31: "AVIC enable"
        default: nil
        }
    }
}

/// What holds interrupts off in the guest: the quadword at offset 068H of the VMCB (APM volume 2, "Interrupt Shadows").
public struct InterruptShadow: FlagSet, VMCBValue {
    public typealias Bits = UInt64
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The instruction before was STI, MOV SS or POP SS.
    public static var shadow: Self { .init(bit: 0) }

    public static func name(ofBit bit: Int) -> StaticString? {
        switch bit {
        case 0: "INTERRUPT_SHADOW"
        case 1: "GUEST_INTERRUPT_MASK"
        default: nil
        }
    }
}
