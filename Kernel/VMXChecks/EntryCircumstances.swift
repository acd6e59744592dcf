import Memory
import X86

/// What VM entry checks fields against besides the VMX capabilities.
///
/// The checks know the memory that the VMCS points to only as far as stated here.
public struct EntryCircumstances: Sendable {
    /// The bits of IA32_DEBUGCTL that software may set.
    public var debugControl: UInt64
    /// The bits of IA32_PERF_GLOBAL_CTRL that software may set.
    public var performanceControl: UInt64
    /// The bits of IA32_EFER that the processor has.
    public var extendedFeatures: ExtendedFeatureEnable
    /// Restricted transactional memory: its bit in the pending debug exceptions.
    public var hasTransactions: Bool
    /// Software guard extensions: interruption of an enclave.
    public var hasEnclaves: Bool
    /// The byte at offset 80H of the virtual-APIC page, or nil: the TPR threshold is then not compared with it.
    public var virtualTaskPriority: UInt8?
    /// The first word of the VMCS that the link pointer points to, or nil: its revision is then not checked.
    public var linkTarget: UInt32?
    /// Where the current VMCS lies; the link pointer must not point there.
    public var currentVMCS: HostPhysicalAddress?
    /// The page-directory pointers that the guest's CR3 points to, checked when it runs without EPT, or nil.
    public var pageDirectoryPointers: [4 of UInt64]?

    /// What CPUID tells; nothing about memory.
    public init(_ processor: some ProcessorIdentification) {
        let maximumLeaf = processor.cpuid(0, 0).eax
        let features = maximumLeaf >= 7 ? processor.cpuid(7, 0) : .zero
        hasTransactions = features.has(.rtm)
        hasEnclaves = features.has(.sgx)
        debugControl = DebugControl.usual
        if features.has(.busLockDetect) { debugControl |= DebugControl.busLocks }
        if hasTransactions { debugControl |= DebugControl.transactional }
        let monitoring = maximumLeaf >= 10 ? processor.cpuid(10, 0) : .zero
        let general = UInt64(monitoring.eax >> 8 & 0xFF)
        let fixed = UInt64(monitoring.edx & 31)
        performanceControl = (1 << general) - 1 | ((1 << fixed) - 1) << 32
        let extended = processor.cpuid(0x8000_0000, 0).eax >= 0x8000_0001 ? processor.cpuid(0x8000_0001, 0) : .zero
        extendedFeatures = .systemCall | .longModeEnable | .longModeActive
        if extended.has(.nx) { extendedFeatures = extendedFeatures | .executeDisable }
        virtualTaskPriority = nil
        linkTarget = nil
        currentVMCS = nil
        pageDirectoryPointers = nil
    }
}
