import X86

/// What CPUID Fn8000_000A tells of SVM (APM volume 3, "Function 8000_000Ah—SVM Features").
public struct SVMIdentification: Equatable, Sendable {
    /// SvmRev.
    public let revision: UInt8
    /// NASID: how many address-space identifiers there are, that of the host among them, which is 0.
    public let asidCount: UInt32
    public let features: SVMFeatures
    /// x2AVIC_EXT: tables of physical APIC IDs may be longer than a page.
    public let offersExtendedX2AVIC: Bool

    /// - Parameter leaf: the answer of Fn8000_000A.
    public init(_ leaf: CPUIDResult) {
        revision = UInt8(truncatingIfNeeded: leaf.eax)
        asidCount = leaf.ebx
        features = SVMFeatures(rawValue: leaf.edx)
        offersExtendedX2AVIC = leaf.ecx & 1 << 6 != 0
    }
}

/// What the processor offers, as far as VMRUN looks at it.
public struct SVMCapabilities: Sendable {
    public let identification: SVMIdentification
    public let physicalAddressWidth: Int
    /// The bits that a guest's EFER may have.
    public let efer: ExtendedFeatureEnable
    /// The bits that a guest's CR4 may have.
    public let cr4: ControlRegister4
    /// Shadow stacks, and the exception #CP with them.
    public var offersShadowStacks: Bool { cr4.contains(.controlFlowEnforcement) }
    public var offersLongMode: Bool { efer.contains(.longModeEnable) }

    public init(
        _ identification: SVMIdentification, physicalAddressWidth: Int, efer: ExtendedFeatureEnable, cr4: ControlRegister4
    ) {
        self.identification = identification
        self.physicalAddressWidth = physicalAddressWidth
        self.efer = efer
        self.cr4 = cr4
    }

    /// What CPUID tells of a processor with SVM.
    public init(_ processor: some ProcessorIdentification) {
        let leaves = ExtendedLeaves(processor)
        self.init(
            SVMIdentification(leaves.svm), physicalAddressWidth: processor.physicalAddressWidth, efer: leaves.efer,
            cr4: ControlRegister4(offeredBy: processor))
    }
}

/// The extended leaves of CPUID that tell which bits EFER has (APM volume 2, "Extended Feature Enable Register (EFER)").
private struct ExtendedLeaves {
    let svm: CPUIDResult
    private(set) var efer: ExtendedFeatureEnable = .secureVirtualMachine

    /// Fn8000_0008, EBX.
    private struct Capacity: FlagSet {
        var rawValue: UInt32
        static var mcommit: Self { .init(bit: 8) }
        static var interruptibleWBINVD: Self { .init(bit: 13) }
        static var noSegmentLimits: Self { .init(bit: 20) }
        static func name(ofBit bit: Int) -> StaticString? { nil }
    }

    /// Fn8000_0021, EAX.
    private struct Later: FlagSet {
        var rawValue: UInt32
        static var upperAddressIgnore: Self { .init(bit: 7) }
        static var automaticIBRS: Self { .init(bit: 8) }
        static func name(ofBit bit: Int) -> StaticString? { nil }
    }

    init(_ processor: some ProcessorIdentification) {
        let highest = processor.cpuid(0x8000_0000, 0).eax
        func leaf(_ number: UInt32) -> CPUIDResult { highest >= number ? processor.cpuid(number, 0) : .zero }
        svm = leaf(0x8000_000A)
        let extended = leaf(0x8000_0001)
        let capacity = Capacity(rawValue: leaf(0x8000_0008).ebx)
        let later = Later(rawValue: leaf(0x8000_0021).eax)
        if extended.has(.syscall) { efer = efer | .systemCall }
        if extended.has(.nx) { efer = efer | .executeDisable }
        if extended.has(.ffxsr) { efer = efer | .fastFXSAVE }
        if extended.has(.tce) { efer = efer | .translationCacheExtension }
        if extended.has(.lm) {
            efer = efer | .longModeEnable | .longModeActive
            if !capacity.contains(.noSegmentLimits) { efer = efer | .longModeSegmentLimit }
        }
        if capacity.contains(.mcommit) { efer = efer | .mcommit }
        if capacity.contains(.interruptibleWBINVD) { efer = efer | .interruptibleWBINVD }
        if later.contains(.upperAddressIgnore) { efer = efer | .upperAddressIgnore }
        if later.contains(.automaticIBRS) { efer = efer | .automaticIBRS }
    }
}
