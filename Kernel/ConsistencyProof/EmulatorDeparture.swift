import Memory
import SVM
import SVMChecks
import X86

/// An emulator whose departures from the manual are known.
public enum Emulator: Sendable {
    /// Version 3.0.
    case bochs
    /// Version 7.2, without KVM.
    case qemu
}

/// Where Bochs and QEMU are known to depart from the manual's checks. On a processor none of them counts.
enum EmulatorDeparture: UInt8 {
    case reservedVectors, exceptionsByMode, mapEnd, guestPAT, nestedCR3, absentCR4Bits, absentFastFXSAVE
    case refusedFeatures, refusedCR3, refusedCodeSize, refusedLastPages

    static var count: Int { Int(EmulatorDeparture.refusedLastPages.rawValue) + 1 }

    /// A broken rule that the emulator does not check.
    init?(unchecked finding: ConsistencyFinding, _ capabilities: SVMCapabilities, by emulator: Emulator) {
        let value = finding.value
        switch (finding.rule, emulator) {
        case (.eventVector, _):
            let vector = SVMEvent(rawValue: value).vector
            guard vector != 2, vector < (emulator == .qemu ? 31 : 32) else { return nil }
            self = .reservedVectors
        case (.eventInMode, _): self = .exceptionsByMode
        case (.permissionMap, .bochs):
            guard value >> UInt64(capabilities.physicalAddressWidth) == 0 else { return nil }
            self = .mapEnd
        case (.guestPAT, .qemu): self = .guestPAT
        case (.nestedCR3, .qemu): self = .nestedCR3
        case (.cr4ReservedBits, .qemu):
            let unchecked: ControlRegister4 =
                .virtual8086Extensions | .protectedVirtualInterrupts | .processContextIdentifiers
            guard (capabilities.cr4 | unchecked).contains(ControlRegister4(rawValue: value)) else { return nil }
            self = .absentCR4Bits
        case (.eferReservedBits, .qemu):
            let unchecked: ExtendedFeatureEnable = .fastFXSAVE
            guard (capabilities.efer | unchecked).contains(ExtendedFeatureEnable(rawValue: value)) else { return nil }
            self = .absentFastFXSAVE
        default: return nil
        }
    }

    /// Something that the emulator refuses although it breaks no rule.
    init?(refusedBy emulator: Emulator, _ vmcb: VMCB, _ capabilities: SVMCapabilities) {
        let unknown: ExtendedFeatureEnable =
            emulator == .qemu ? .longModeSegmentLimit : .longModeSegmentLimit | .translationCacheExtension
        let code = vmcb[.csAttributes]
        let isLong = vmcb[.efer].contains(.longModeEnable) && vmcb[.cr0].contains(.paging)
        let width = UInt64(capabilities.physicalAddressWidth)
        if vmcb[.efer].intersects(unknown) {
            self = .refusedFeatures
        } else if emulator == .bochs, code.isLong, code.is32Bit, !isLong {
            self = .refusedCodeSize
        } else if emulator == .qemu, !isLong, vmcb[.cr3] >> width != 0 {
            self = .refusedCR3
        } else if emulator == .qemu, vmcb[.msrPermissionMap].rawValue & ~0xFFF == 1 << width - MSRPermissionMap.size {
            self = .refusedLastPages
        } else {
            return nil
        }
    }

    /// What is not as the manual has it, and where it stands (APM volume 2).
    var words: StaticString {
        switch self {
        case .reservedVectors:
            "an exception may have a vector that stands for none, up to 31 (QEMU: 30) (\"Event Injection\")"
        case .exceptionsByMode: "#OF and #BR may be injected in 64-bit mode (\"Event Injection\")"
        case .mapEnd: "of the permission maps the beginning alone is checked (\"Canonicalization and Consistency Checks\")"
        case .guestPAT: "G_PAT is not checked (\"Nested Paging and VMRUN/#VMEXIT\")"
        case .nestedCR3: "N_CR3 is not checked (\"Nested Paging and VMRUN/#VMEXIT\")"
        case .absentCR4Bits:
            "VME, PVI and PCIDE of CR4 are taken without the features (\"Canonicalization and Consistency Checks\")"
        case .absentFastFXSAVE: "FFXSR of EFER is taken without the feature (\"Canonicalization and Consistency Checks\")"
        case .refusedFeatures:
            "LMSLE (Bochs: and TCE) of EFER are refused, which CPUID says are there (\"Canonicalization and Consistency Checks\")"
        case .refusedCR3:
            "high bits of CR3 are refused outside long mode, too (\"Canonicalization and Consistency Checks\")"
        case .refusedCodeSize:
            "D and L of CS together are refused outside long mode, too (\"Canonicalization and Consistency Checks\")"
        case .refusedLastPages: "the MSR permissions map may not end with the physical addresses (\"MSR Intercepts\")"
        }
    }
}
