import ConsistencyProof
import Memory
import SVM
import SVMChecks
import Testing
import X86

/// One way to break a good VMCB, and what the checks must find then, and nothing else.
struct ConsistencyBreak: CustomTestStringConvertible, Sendable {
    let scenario: ConsistencyScenario
    let capabilities: SVMCapabilities
    let rule: ConsistencyRule
    let field: VMCBFieldName
    let apply: @Sendable (ConsistencyFixture) -> Void

    var testDescription: String { "\(scenario): \(rule) of \(field)" }

    init(
        _ scenario: ConsistencyScenario, _ field: VMCBFieldName, _ rule: ConsistencyRule,
        on capabilities: SVMCapabilities = .rich,
        _ apply: @escaping @Sendable (ConsistencyFixture) -> Void
    ) {
        self.scenario = scenario
        self.capabilities = capabilities
        self.rule = rule
        self.field = field
        self.apply = apply
    }
}

private let beyond: UInt64 = 1 << 40
private let last: UInt64 = beyond - 0x1000

/// Rules about the control area.
let controlBreaks: [ConsistencyBreak] = [
    .init(.long64, .interceptVector4, .vmrunIntercept) { $0.vmcb.setIntercept(.vmrun, to: false) },
    .init(.long64, .ioPermissionMap, .permissionMap) { $0.vmcb[.ioPermissionMap] = .init(last - 0x1000) },
    .init(.long64, .ioPermissionMap, .permissionMap) { $0.vmcb[.ioPermissionMap] = .init(.max) },
    .init(.long64, .msrPermissionMap, .permissionMap) { $0.vmcb[.msrPermissionMap] = .init(last) },
    .init(.long64, .msrPermissionMap, .permissionMap) { $0.vmcb[.msrPermissionMap] = .init(1 << 63) },
    .init(.long64, .guestASID, .guestASID) { $0.vmcb[.guestASID] = 0 },
    .init(.interrupt, .eventInjection, .eventType) { $0.vmcb[.eventInjection].rawValue |= 1 << 8 },
    .init(.softwareInterrupt, .eventInjection, .eventType) { $0.vmcb[.eventInjection].rawValue |= 1 << 8 },
    .init(.softwareInterrupt, .eventInjection, .eventType) { $0.vmcb[.eventInjection].rawValue |= 2 << 8 },
    .init(.exception, .eventInjection, .eventType) { $0.vmcb[.eventInjection].rawValue |= 4 << 8 },
    .init(.exception, .eventInjection, .eventVector) { $0.inject(2) },
    .init(.exception, .eventInjection, .eventVector) { $0.inject(9) },
    .init(.exception, .eventInjection, .eventVector) { $0.inject(15) },
    .init(.exception, .eventInjection, .eventVector) { $0.inject(20) },
    .init(.exception, .eventInjection, .eventVector) { $0.inject(27) },
    .init(.exception, .eventInjection, .eventVector) { $0.inject(31) },
    .init(.exception, .eventInjection, .eventVector) { $0.inject(255) },
    .init(.exception, .eventInjection, .eventVector, on: .old) { $0.inject(21) },
    .init(.exception, .eventInjection, .eventInMode) { $0.inject(4) },
    .init(.exception, .eventInjection, .eventInMode) { $0.inject(5) },
    .init(.long64, .virtualInterrupts, .virtualNMIsNeedIntercept) {
        $0.vmcb[.virtualInterrupts] = .nmiEnable
        $0.vmcb.setIntercept(.nonMaskableInterrupt, to: false)
    },
    .init(.nested, .virtualInterrupts, .x2AVICNeedsAVIC) { $0.vmcb[.virtualInterrupts] = .x2AVICEnable },
    .init(.nested, .avicBase, .avicPointer) { $0.withAVIC(.none).vmcb[.avicBase] = .init(beyond) },
    .init(.nested, .avicBackingPage, .avicPointer) { $0.withAVIC(.none).vmcb[.avicBackingPage] = .init(1 << 52) },
    .init(.nested, .avicLogicalTable, .avicPointer) { $0.withAVIC(.none).vmcb[.avicLogicalTable] = .init(beyond) },
    .init(.nested, .avicPhysicalTable, .avicPointer) { $0.withAVIC(.none).vmcb[.avicPhysicalTable].rawValue = beyond },
    .init(.nested, .avicPhysicalTable, .avicMaximumIndex) { $0.withAVIC(.none).vmcb[.avicPhysicalTable].rawValue = 256 },
    .init(.nested, .avicPhysicalTable, .avicMaximumIndex) { $0.withAVIC(.x2AVICEnable).vmcb[.avicPhysicalTable].rawValue = 512 },
    .init(.nested, .nestedCR3, .nestedCR3) { $0.vmcb[.nestedCR3] = .init(beyond) },
    .init(.nested, .guestPAT, .guestPAT) { $0.vmcb[.guestPAT] = .init(rawValue: 0x0207_0406_0007_0406) },
    .init(.real, .guestPAT, .guestPAT) { $0.vmcb[.guestPAT] = .init(rawValue: 0x0007_0406_0007_0446) },
]

/// Rules about the state save area.
let stateBreaks: [ConsistencyBreak] = [
    .init(.long64, .efer, .svmEnable) { $0.vmcb[.efer] = $0.vmcb[.efer].subtracting(.secureVirtualMachine) },
    .init(.long64, .efer, .eferReservedBits) { $0.vmcb[.efer].rawValue |= 1 << 9 },
    .init(.long64, .efer, .eferReservedBits) { $0.vmcb[.efer].rawValue |= 1 << 1 },
    .init(.long64, .efer, .eferReservedBits) { $0.vmcb[.efer].rawValue |= 1 << 63 },
    .init(.real, .efer, .eferReservedBits, on: .old) { $0.vmcb[.efer] = $0.vmcb[.efer] | .automaticIBRS },
    .init(.real, .efer, .longModeOffered, on: .rich.with(efer: 0x1801)) {
        $0.vmcb[.efer] = $0.vmcb[.efer] | .longModeEnable
    },
    .init(.real, .efer, .longModeOffered, on: .rich.with(efer: 0x1801)) {
        $0.vmcb[.efer] = $0.vmcb[.efer] | .longModeActive
    },
    .init(.long64, .cr4, .longModeNeedsPAE) { $0.vmcb[.cr4] = .none },
    .init(.long64, .cr0, .longModeNeedsProtection) { $0.vmcb[.cr0] = $0.vmcb[.cr0].subtracting(.protectionEnable) },
    .init(.long64, .csAttributes, .longCodeDefaultSize) { $0.vmcb[.csAttributes].rawValue |= 1 << 10 },
    .init(.long64, .cr0, .cr0CacheBits) { $0.vmcb[.cr0] = $0.vmcb[.cr0] | .notWriteThrough },
    .init(.long64, .cr0, .cr0HighBits) { $0.vmcb[.cr0].rawValue |= 1 << 32 },
    .init(.real, .cr0, .cr0HighBits) { $0.vmcb[.cr0].rawValue |= 1 << 63 },
    .init(.long64, .cr3, .cr3ReservedBits) { $0.vmcb[.cr3] |= beyond },
    .init(.nested, .cr3, .cr3ReservedBits) { $0.vmcb[.cr3] |= 1 << 63 },
    .init(.long64, .cr4, .cr4ReservedBits) { $0.vmcb[.cr4].rawValue |= 1 << 15 },
    .init(.long64, .cr4, .cr4ReservedBits) { $0.vmcb[.cr4].rawValue |= 1 << 32 },
    .init(.real, .cr4, .cr4ReservedBits, on: .rich.with(cr4: 0xF7_0FFF)) { $0.vmcb[.cr4] = .fiveLevelPaging },
    .init(.real, .cr4, .cr4ReservedBits) { $0.vmcb[.cr4] = .vmxEnable },
    .init(.long64, .dr6, .debugRegisterHighBits) { $0.vmcb[.dr6] |= 1 << 32 },
    .init(.virtual8086, .dr7, .debugRegisterHighBits) { $0.vmcb[.dr7] |= 1 << 63 },
    .init(.long64, .supervisorCET, .supervisorCET) { $0.vmcb[.supervisorCET] = 4 },
    .init(.long64, .cr4, .cetNeedsWriteProtect) {
        $0.vmcb[.cr4] = $0.vmcb[.cr4] | .controlFlowEnforcement
        $0.vmcb[.cr0] = $0.vmcb[.cr0].subtracting(.writeProtect)
    },
    .init(.virtual8086, .rflags, .userShadowStackInVirtual8086) {
        $0.vmcb[.cr4] = .controlFlowEnforcement
        $0.circumstances.hasUserShadowStacks = true
    },
    .init(.pageDirectoryPointers, .cr3, .pageDirectoryPointer) { $0.circumstances.pageDirectoryPointers = [0, 0x1003, 0, 0] },
    .init(.pageDirectoryPointers, .cr3, .pageDirectoryPointer) { $0.circumstances.pageDirectoryPointers = [0, 0, 0, 0x1101] },
    .init(.pageDirectoryPointers, .cr3, .pageDirectoryPointer) {
        $0.circumstances.pageDirectoryPointers = [beyond | 1, 0, 0, 0]
    },
]

extension ConsistencyFixture {
    /// An exception that has no error code.
    func inject(_ vector: UInt8) { vmcb[.eventInjection] = SVMEvent(kind: .exception, vector: vector) }

    /// The same with AVIC, which is all right.
    func withAVIC(_ others: VirtualInterruptControl) -> Self {
        vmcb[.virtualInterrupts] = .avicEnable | others
        return self
    }
}
