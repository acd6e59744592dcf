import ConsistencyProof
import Memory
import SVM
import SVMChecks
import X86

/// A good VMCB, to be broken in one way.
final class ConsistencyFixture {
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: VMCB.size, alignment: 4096)
    let vmcb: VMCB
    var capabilities: SVMCapabilities
    var circumstances = ConsistencyCircumstances()

    static let pages = ConsistencyPages(blank: .init(0x20_0000), permissionMap: .init(0x20_3000))

    init(_ scenario: ConsistencyScenario, on capabilities: SVMCapabilities = .rich) {
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: VMCB.size)
        vmcb = VMCB(at: memory)
        self.capabilities = capabilities
        scenario.fill(vmcb, Self.pages)
    }

    deinit { memory.deallocate() }

    var findings: [ConsistencyFinding] {
        let findings = ConsistencyChecks.run(vmcb, capabilities, circumstances)
        return (0..<findings.count).map { findings[$0] }
    }
}

extension SVMCapabilities {
    /// A processor that has all that the checks know.
    static let rich = SVMCapabilities(
        SVMIdentification(.init(eax: 1, ebx: 0x8000, ecx: 0, edx: .max)), physicalAddressWidth: 40,
        efer: .init(rawValue: 0x36_FD01),
        cr4: .init(rawValue: 0xF7_1FFF))

    /// The first with SVM: no nested paging, nothing else.
    static let old = SVMCapabilities(
        SVMIdentification(.init(eax: 1, ebx: 64, ecx: 0, edx: 0)), physicalAddressWidth: 40, efer: .init(rawValue: 0x7D01),
        cr4: .init(rawValue: 0x7FF))

    /// The same with other features.
    func with(efer: UInt64? = nil, cr4: UInt64? = nil, extendedX2AVIC: Bool = false) -> Self {
        .init(
            SVMIdentification(
                .init(
                    eax: 1, ebx: identification.asidCount, ecx: extendedX2AVIC ? 0x40 : 0, edx: identification.features.rawValue)),
            physicalAddressWidth: physicalAddressWidth, efer: .init(rawValue: efer ?? self.efer.rawValue),
            cr4: .init(rawValue: cr4 ?? self.cr4.rawValue))
    }
}
