import Memory
import SVM
import X86

/// The memory that the VMCB of a mutation case points to.
public struct ConsistencyPages: Sendable {
    /// A page of zeroes: the guest's page tables and the nested ones. Nothing is mapped through it, so that the guest cannot
    /// execute even one instruction: every way that it may go exits.
    public var blank: HostPhysicalAddress
    /// Pages of ones for both permission maps: every access exits.
    public var permissionMap: HostPhysicalAddress

    public init(blank: HostPhysicalAddress, permissionMap: HostPhysicalAddress) {
        self.blank = blank
        self.permissionMap = permissionMap
    }
}

/// A VMCB that VMRUN takes, for mutations to start from. Each makes other checks count.
public enum ConsistencyScenario: UInt8, Equatable, Sendable {
    case long64, nested, real, virtual8086, pageDirectoryPointers
    case exception, interrupt, nonMaskableInterrupt, softwareInterrupt

    /// How many scenarios there are; their raw values run from 0.
    public static var count: UInt8 { 9 }

    /// What the guest is or does.
    public var name: StaticString {
        switch self {
        case .long64: "64-bit guest"
        case .nested: "64-bit guest with nested paging"
        case .real: "real-mode guest with nested paging"
        case .virtual8086: "virtual-8086 guest"
        case .pageDirectoryPointers: "PAE guest"
        case .exception: "exception injected"
        case .interrupt: "interrupt injected"
        case .nonMaskableInterrupt: "NMI injected"
        case .softwareInterrupt: "INT n injected"
        }
    }

    /// Whether the processor can enter this VMCB.
    public func isAvailable(_ capabilities: SVMCapabilities) -> Bool {
        switch self {
        case .nested, .real: capabilities.identification.features.contains(.nestedPaging)
        default: true
        }
    }

    /// Fills a VMCB of zeroes.
    public func fill(_ vmcb: VMCB, _ pages: ConsistencyPages) {
        vmcb.interceptAll()
        vmcb[.ioPermissionMap] = pages.permissionMap
        vmcb[.msrPermissionMap] = pages.permissionMap
        vmcb[.guestASID] = 1
        vmcb[.tlbControl] = .flushAll
        vmcb[.nestedCR3] = pages.blank
        vmcb[.guestPAT] = .atReset
        vmcb.setLongGuest(pages)
        switch self {
        case .long64: break
        case .nested: vmcb[.nestedControl] = .nestedPaging
        case .real: vmcb.makeReal()
        case .virtual8086: vmcb.makeVirtual8086()
        case .pageDirectoryPointers: vmcb.makeProtected()
        case .exception:
            vmcb[.eventInjection] = SVMEvent(
                kind: .exception, vector: ExceptionVector.generalProtection.number, errorCode: 0)
        case .interrupt:
            vmcb[.eventInjection] = SVMEvent(kind: .interrupt, vector: 0x40)
            vmcb[.rflags] = vmcb[.rflags] | .interruptEnable
        case .nonMaskableInterrupt: vmcb[.eventInjection] = SVMEvent(kind: .nonMaskableInterrupt, vector: 2)
        case .softwareInterrupt:
            vmcb[.eventInjection] = SVMEvent(kind: .softwareInterrupt, vector: 0x80)
            vmcb[.nextRIP] = vmcb[.rip] + 2
        }
    }
}

extension VMCB {
    /// Everything that can exit does.
    fileprivate func interceptAll() {
        for bit in 0..<SVMExitCode.interceptCount {
            if let exit = SVMExitCode(interceptBit: bit) { setIntercept(exit, to: true) }
        }
    }

    /// 64-bit kernel code with flat segments and no page tables to speak of.
    fileprivate func setLongGuest(_ pages: ConsistencyPages) {
        self[.cr0] = .protectionEnable | .paging | .writeProtect | .extensionType | .numericError
        self[.cr3] = pages.blank.rawValue
        self[.cr4] = .physicalAddressExtension
        self[.efer] = .secureVirtualMachine | .longModeEnable | .longModeActive
        self[.dr6] = DebugStatus.initial
        self[.dr7] = DebugRegister7.alwaysSet.rawValue
        self[.rflags] = .alwaysSet
        self[.rip] = 0x1000
        self[.rsp] = 0x2000
        setSegments(code: 0xA9B, data: 0xC93, selector: 8, limit: 0xFFFF_FFFF)
        self[.gdtrLimit] = 0xFFFF
        self[.idtrLimit] = 0xFFFF
    }

    /// Of those that VMRUN loads.
    private func setSegments(code: UInt16, data: UInt16, selector: UInt16, base: UInt64 = 0, limit: UInt32) {
        self[.csSelector] = SegmentSelector(rawValue: selector)
        self[.csAttributes] = VMCBSegmentAttributes(rawValue: code)
        self[.csLimit] = limit
        self[.csBase] = base
        self[.ssAttributes] = VMCBSegmentAttributes(rawValue: data)
        self[.ssLimit] = limit
        self[.ssBase] = base
        self[.dsAttributes] = VMCBSegmentAttributes(rawValue: data)
        self[.dsLimit] = limit
        self[.dsBase] = base
        self[.esAttributes] = VMCBSegmentAttributes(rawValue: data)
        self[.esLimit] = limit
        self[.esBase] = base
    }

    fileprivate func makeReal() {
        self[.nestedControl] = .nestedPaging
        self[.efer] = .secureVirtualMachine
        self[.cr0] = .extensionType
        self[.cr4] = .none
        setSegments(code: 0x9B, data: 0x93, selector: 0x10, base: 0x100, limit: 0xFFFF)
    }

    fileprivate func makeVirtual8086() {
        self[.efer] = .secureVirtualMachine
        self[.cr4] = .none
        self[.rflags] = .alwaysSet | .virtual8086
        self[.cpl] = 3
        setSegments(code: 0xFB, data: 0xF3, selector: 0x123, base: 0x1230, limit: 0xFFFF)
    }

    /// 32-bit kernel code under PAE paging.
    fileprivate func makeProtected() {
        self[.efer] = .secureVirtualMachine
        setSegments(code: 0xC9B, data: 0xC93, selector: 8, limit: 0xFFFF_FFFF)
    }
}
