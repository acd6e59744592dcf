import Memory
import X86

// The fields of the VMCB with the types of their values.

extension VMCBField where Value == InterceptVector<0>, Access == VMCBWritable {
    @inline(__always) public static var interceptVector0: Self { .init(.interceptVector0) }
}

extension VMCBField where Value == InterceptVector<1>, Access == VMCBWritable {
    @inline(__always) public static var interceptVector1: Self { .init(.interceptVector1) }
}

extension VMCBField where Value == InterceptVector<2>, Access == VMCBWritable {
    @inline(__always) public static var interceptVector2: Self { .init(.interceptVector2) }
}

extension VMCBField where Value == InterceptVector<3>, Access == VMCBWritable {
    @inline(__always) public static var interceptVector3: Self { .init(.interceptVector3) }
}

extension VMCBField where Value == InterceptVector<4>, Access == VMCBWritable {
    @inline(__always) public static var interceptVector4: Self { .init(.interceptVector4) }
}

extension VMCBField where Value == InterceptVector<5>, Access == VMCBWritable {
    @inline(__always) public static var interceptVector5: Self { .init(.interceptVector5) }
}

extension VMCBField where Value == UInt16, Access == VMCBWritable {
    @inline(__always) public static var pauseFilterThreshold: Self { .init(.pauseFilterThreshold) }
    @inline(__always) public static var pauseFilterCount: Self { .init(.pauseFilterCount) }
    @inline(__always) public static var busLockThreshold: Self { .init(.busLockThreshold) }
}

extension VMCBField where Value == HostPhysicalAddress, Access == VMCBWritable {
    @inline(__always) public static var ioPermissionMap: Self { .init(.ioPermissionMap) }
    @inline(__always) public static var msrPermissionMap: Self { .init(.msrPermissionMap) }
    @inline(__always) public static var nestedCR3: Self { .init(.nestedCR3) }
    @inline(__always) public static var avicBackingPage: Self { .init(.avicBackingPage) }
    @inline(__always) public static var avicLogicalTable: Self { .init(.avicLogicalTable) }
    @inline(__always) public static var encryptedStatePage: Self { .init(.encryptedStatePage) }
}

extension VMCBField where Value == UInt64, Access == VMCBWritable {
    @inline(__always) public static var timeStampCounterOffset: Self { .init(.timeStampCounterOffset) }
    @inline(__always) public static var nextRIP: Self { .init(.nextRIP) }
    @inline(__always) public static var allowedSEVFeatures: Self { .init(.allowedSEVFeatures) }
    @inline(__always) public static var esBase: Self { .init(.esBase) }
    @inline(__always) public static var csBase: Self { .init(.csBase) }
    @inline(__always) public static var ssBase: Self { .init(.ssBase) }
    @inline(__always) public static var dsBase: Self { .init(.dsBase) }
    @inline(__always) public static var fsBase: Self { .init(.fsBase) }
    @inline(__always) public static var gsBase: Self { .init(.gsBase) }
    @inline(__always) public static var gdtrBase: Self { .init(.gdtrBase) }
    @inline(__always) public static var ldtrBase: Self { .init(.ldtrBase) }
    @inline(__always) public static var idtrBase: Self { .init(.idtrBase) }
    @inline(__always) public static var trBase: Self { .init(.trBase) }
    @inline(__always) public static var performanceControl0: Self { .init(.performanceControl0) }
    @inline(__always) public static var performanceCounter0: Self { .init(.performanceCounter0) }
    @inline(__always) public static var performanceControl1: Self { .init(.performanceControl1) }
    @inline(__always) public static var performanceCounter1: Self { .init(.performanceCounter1) }
    @inline(__always) public static var performanceControl2: Self { .init(.performanceControl2) }
    @inline(__always) public static var performanceCounter2: Self { .init(.performanceCounter2) }
    @inline(__always) public static var performanceControl3: Self { .init(.performanceControl3) }
    @inline(__always) public static var performanceCounter3: Self { .init(.performanceCounter3) }
    @inline(__always) public static var performanceControl4: Self { .init(.performanceControl4) }
    @inline(__always) public static var performanceCounter4: Self { .init(.performanceCounter4) }
    @inline(__always) public static var performanceControl5: Self { .init(.performanceControl5) }
    @inline(__always) public static var performanceCounter5: Self { .init(.performanceCounter5) }
    @inline(__always) public static var cr3: Self { .init(.cr3) }
    @inline(__always) public static var dr7: Self { .init(.dr7) }
    @inline(__always) public static var dr6: Self { .init(.dr6) }
    @inline(__always) public static var rip: Self { .init(.rip) }
    @inline(__always) public static var retiredInstructions: Self { .init(.retiredInstructions) }
    @inline(__always) public static var performanceStatus: Self { .init(.performanceStatus) }
    @inline(__always) public static var performanceGlobalControl: Self { .init(.performanceGlobalControl) }
    @inline(__always) public static var rsp: Self { .init(.rsp) }
    @inline(__always) public static var supervisorCET: Self { .init(.supervisorCET) }
    @inline(__always) public static var shadowStackPointer: Self { .init(.shadowStackPointer) }
    @inline(__always) public static var interruptShadowStackTable: Self { .init(.interruptShadowStackTable) }
    @inline(__always) public static var rax: Self { .init(.rax) }
    @inline(__always) public static var star: Self { .init(.star) }
    @inline(__always) public static var longSTAR: Self { .init(.longSTAR) }
    @inline(__always) public static var compatibilitySTAR: Self { .init(.compatibilitySTAR) }
    @inline(__always) public static var systemCallMask: Self { .init(.systemCallMask) }
    @inline(__always) public static var kernelGSBase: Self { .init(.kernelGSBase) }
    @inline(__always) public static var sysenterCS: Self { .init(.sysenterCS) }
    @inline(__always) public static var sysenterESP: Self { .init(.sysenterESP) }
    @inline(__always) public static var sysenterEIP: Self { .init(.sysenterEIP) }
    @inline(__always) public static var cr2: Self { .init(.cr2) }
    @inline(__always) public static var debugControl: Self { .init(.debugControl) }
    @inline(__always) public static var lastBranchFrom: Self { .init(.lastBranchFrom) }
    @inline(__always) public static var lastBranchTo: Self { .init(.lastBranchTo) }
    @inline(__always) public static var lastExceptionFrom: Self { .init(.lastExceptionFrom) }
    @inline(__always) public static var lastExceptionTo: Self { .init(.lastExceptionTo) }
    @inline(__always) public static var debugExtensionControl: Self { .init(.debugExtensionControl) }
    @inline(__always) public static var speculationControl: Self { .init(.speculationControl) }
    @inline(__always) public static var lastBranchSelect: Self { .init(.lastBranchSelect) }
    @inline(__always) public static var samplingFetchControl: Self { .init(.samplingFetchControl) }
    @inline(__always) public static var samplingFetchLinearAddress: Self { .init(.samplingFetchLinearAddress) }
    @inline(__always) public static var samplingOpControl: Self { .init(.samplingOpControl) }
    @inline(__always) public static var samplingOpRIP: Self { .init(.samplingOpRIP) }
    @inline(__always) public static var samplingOpData: Self { .init(.samplingOpData) }
    @inline(__always) public static var samplingOpData2: Self { .init(.samplingOpData2) }
    @inline(__always) public static var samplingOpData3: Self { .init(.samplingOpData3) }
    @inline(__always) public static var samplingDataLinearAddress: Self { .init(.samplingDataLinearAddress) }
    @inline(__always) public static var samplingBranchTarget: Self { .init(.samplingBranchTarget) }
    @inline(__always) public static var samplingFetchExtendedControl: Self { .init(.samplingFetchExtendedControl) }
}

extension VMCBField where Value == UInt32, Access == VMCBWritable {
    @inline(__always) public static var guestASID: Self { .init(.guestASID) }
    @inline(__always) public static var esLimit: Self { .init(.esLimit) }
    @inline(__always) public static var csLimit: Self { .init(.csLimit) }
    @inline(__always) public static var ssLimit: Self { .init(.ssLimit) }
    @inline(__always) public static var dsLimit: Self { .init(.dsLimit) }
    @inline(__always) public static var fsLimit: Self { .init(.fsLimit) }
    @inline(__always) public static var gsLimit: Self { .init(.gsLimit) }
    @inline(__always) public static var gdtrLimit: Self { .init(.gdtrLimit) }
    @inline(__always) public static var ldtrLimit: Self { .init(.ldtrLimit) }
    @inline(__always) public static var idtrLimit: Self { .init(.idtrLimit) }
    @inline(__always) public static var trLimit: Self { .init(.trLimit) }
}

extension VMCBField where Value == TLBControl, Access == VMCBWritable {
    @inline(__always) public static var tlbControl: Self { .init(.tlbControl) }
}

extension VMCBField where Value == UInt8, Access == VMCBWritable {
    @inline(__always) public static var returnAddressPredictor: Self { .init(.returnAddressPredictor) }
    @inline(__always) public static var updateIRR: Self { .init(.updateIRR) }
    @inline(__always) public static var cpl: Self { .init(.cpl) }
}

extension VMCBField where Value == VirtualInterruptControl, Access == VMCBWritable {
    @inline(__always) public static var virtualInterrupts: Self { .init(.virtualInterrupts) }
}

extension VMCBField where Value == InterruptShadow, Access == VMCBWritable {
    @inline(__always) public static var interruptShadow: Self { .init(.interruptShadow) }
}

extension VMCBField where Value == UInt64, Access == VMCBReadOnly {
    @inline(__always) public static var exitCode: Self { .init(.exitCode) }
    @inline(__always) public static var exitInfo1: Self { .init(.exitInfo1) }
    @inline(__always) public static var exitInfo2: Self { .init(.exitInfo2) }
    @inline(__always) public static var vmgexitRAX: Self { .init(.vmgexitRAX) }
    @inline(__always) public static var guestSEVFeatures: Self { .init(.guestSEVFeatures) }
}

extension VMCBField where Value == SVMEvent, Access == VMCBReadOnly {
    @inline(__always) public static var exitIntInfo: Self { .init(.exitIntInfo) }
}

extension VMCBField where Value == NestedControl, Access == VMCBWritable {
    @inline(__always) public static var nestedControl: Self { .init(.nestedControl) }
}

extension VMCBField where Value == GuestPhysicalAddress, Access == VMCBWritable {
    @inline(__always) public static var avicBase: Self { .init(.avicBase) }
    @inline(__always) public static var ghcb: Self { .init(.ghcb) }
}

extension VMCBField where Value == SVMEvent, Access == VMCBWritable {
    @inline(__always) public static var eventInjection: Self { .init(.eventInjection) }
}

extension VMCBField where Value == VirtualizationControl, Access == VMCBWritable {
    @inline(__always) public static var virtualizationControl: Self { .init(.virtualizationControl) }
}

extension VMCBField where Value == VMCBCleanBits, Access == VMCBWritable {
    @inline(__always) public static var cleanBits: Self { .init(.cleanBits) }
}

extension VMCBField where Value == UInt8, Access == VMCBReadOnly {
    @inline(__always) public static var instructionByteCount: Self { .init(.instructionByteCount) }
    @inline(__always) public static var vmgexitCPL: Self { .init(.vmgexitCPL) }
}

extension VMCBField where Value == AVICPhysicalTable, Access == VMCBWritable {
    @inline(__always) public static var avicPhysicalTable: Self { .init(.avicPhysicalTable) }
}

extension VMCBField where Value == SegmentSelector, Access == VMCBWritable {
    @inline(__always) public static var esSelector: Self { .init(.esSelector) }
    @inline(__always) public static var csSelector: Self { .init(.csSelector) }
    @inline(__always) public static var ssSelector: Self { .init(.ssSelector) }
    @inline(__always) public static var dsSelector: Self { .init(.dsSelector) }
    @inline(__always) public static var fsSelector: Self { .init(.fsSelector) }
    @inline(__always) public static var gsSelector: Self { .init(.gsSelector) }
    @inline(__always) public static var ldtrSelector: Self { .init(.ldtrSelector) }
    @inline(__always) public static var trSelector: Self { .init(.trSelector) }
}

extension VMCBField where Value == VMCBSegmentAttributes, Access == VMCBWritable {
    @inline(__always) public static var esAttributes: Self { .init(.esAttributes) }
    @inline(__always) public static var csAttributes: Self { .init(.csAttributes) }
    @inline(__always) public static var ssAttributes: Self { .init(.ssAttributes) }
    @inline(__always) public static var dsAttributes: Self { .init(.dsAttributes) }
    @inline(__always) public static var fsAttributes: Self { .init(.fsAttributes) }
    @inline(__always) public static var gsAttributes: Self { .init(.gsAttributes) }
    @inline(__always) public static var ldtrAttributes: Self { .init(.ldtrAttributes) }
    @inline(__always) public static var trAttributes: Self { .init(.trAttributes) }
}

extension VMCBField where Value == ExtendedFeatureEnable, Access == VMCBWritable {
    @inline(__always) public static var efer: Self { .init(.efer) }
}

extension VMCBField where Value == ControlRegister4, Access == VMCBWritable {
    @inline(__always) public static var cr4: Self { .init(.cr4) }
}

extension VMCBField where Value == ControlRegister0, Access == VMCBWritable {
    @inline(__always) public static var cr0: Self { .init(.cr0) }
}

extension VMCBField where Value == RFlags, Access == VMCBWritable {
    @inline(__always) public static var rflags: Self { .init(.rflags) }
}

extension VMCBField where Value == PageAttributeTable, Access == VMCBWritable {
    @inline(__always) public static var guestPAT: Self { .init(.guestPAT) }
}
