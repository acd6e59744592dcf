// The fields of the VM-execution, VM-exit and VM-entry control fields (SDM volume 3, "VM-Execution Control Fields"
// to "VM-Entry Control Fields"; encodings in appendix B, "Field Encoding in VMCS").

import Memory
import X86

extension VMCSField where Value == UInt16, Access == Writable {
    @inline(__always) public static var virtualProcessorIdentifier: Self { .init(.control, .bits16, 0) }
    @inline(__always) public static var postedInterruptNotificationVector: Self { .init(.control, .bits16, 1) }
    @inline(__always) public static var eptpIndex: Self { .init(.control, .bits16, 2) }
}

extension VMCSField where Value == HostPhysicalAddress, Access == Writable {
    @inline(__always) public static var ioBitmapA: Self { .init(.control, .bits64, 0) }
    @inline(__always) public static var ioBitmapB: Self { .init(.control, .bits64, 1) }
    @inline(__always) public static var msrBitmaps: Self { .init(.control, .bits64, 2) }
    @inline(__always) public static var exitMSRStoreAddress: Self { .init(.control, .bits64, 3) }
    @inline(__always) public static var exitMSRLoadAddress: Self { .init(.control, .bits64, 4) }
    @inline(__always) public static var entryMSRLoadAddress: Self { .init(.control, .bits64, 5) }
    @inline(__always) public static var executiveVMCSPointer: Self { .init(.control, .bits64, 6) }
    @inline(__always) public static var pageModificationLogAddress: Self { .init(.control, .bits64, 7) }
    @inline(__always) public static var virtualAPICAddress: Self { .init(.control, .bits64, 9) }
    @inline(__always) public static var apicAccessAddress: Self { .init(.control, .bits64, 10) }
    @inline(__always) public static var postedInterruptDescriptorAddress: Self { .init(.control, .bits64, 11) }
    @inline(__always) public static var eptpListAddress: Self { .init(.control, .bits64, 18) }
    @inline(__always) public static var vmreadBitmap: Self { .init(.control, .bits64, 19) }
    @inline(__always) public static var vmwriteBitmap: Self { .init(.control, .bits64, 20) }
    @inline(__always) public static var virtualizationExceptionAddress: Self { .init(.control, .bits64, 21) }
}

extension VMCSField where Value == UInt64, Access == Writable {
    @inline(__always) public static var timeStampCounterOffset: Self { .init(.control, .bits64, 8) }
    @inline(__always) public static var eoiExitBitmap0: Self { .init(.control, .bits64, 14) }
    @inline(__always) public static var eoiExitBitmap1: Self { .init(.control, .bits64, 15) }
    @inline(__always) public static var eoiExitBitmap2: Self { .init(.control, .bits64, 16) }
    @inline(__always) public static var eoiExitBitmap3: Self { .init(.control, .bits64, 17) }
    @inline(__always) public static var xssExitingBitmap: Self { .init(.control, .bits64, 22) }
    @inline(__always) public static var enclsExitingBitmap: Self { .init(.control, .bits64, 23) }
    @inline(__always) public static var timeStampCounterMultiplier: Self { .init(.control, .bits64, 25) }
    @inline(__always) public static var cr3TargetValue0: Self { .init(.control, .natural, 4) }
    @inline(__always) public static var cr3TargetValue1: Self { .init(.control, .natural, 5) }
    @inline(__always) public static var cr3TargetValue2: Self { .init(.control, .natural, 6) }
    @inline(__always) public static var cr3TargetValue3: Self { .init(.control, .natural, 7) }
}

extension VMCSField where Value == VMFunctions, Access == Writable {
    @inline(__always) public static var vmFunctionControls: Self { .init(.control, .bits64, 12) }
}

extension VMCSField where Value == EPTPointer, Access == Writable {
    @inline(__always) public static var extendedPageTablePointer: Self { .init(.control, .bits64, 13) }
}

extension VMCSField where Value == PinControls, Access == Writable {
    @inline(__always) public static var pinControls: Self { .init(.control, .bits32, 0) }
}

extension VMCSField where Value == PrimaryControls, Access == Writable {
    @inline(__always) public static var primaryControls: Self { .init(.control, .bits32, 1) }
}

extension VMCSField where Value == UInt32, Access == Writable {
    @inline(__always) public static var exceptionBitmap: Self { .init(.control, .bits32, 2) }
    @inline(__always) public static var pageFaultErrorCodeMask: Self { .init(.control, .bits32, 3) }
    @inline(__always) public static var pageFaultErrorCodeMatch: Self { .init(.control, .bits32, 4) }
    @inline(__always) public static var cr3TargetCount: Self { .init(.control, .bits32, 5) }
    @inline(__always) public static var exitMSRStoreCount: Self { .init(.control, .bits32, 7) }
    @inline(__always) public static var exitMSRLoadCount: Self { .init(.control, .bits32, 8) }
    @inline(__always) public static var entryMSRLoadCount: Self { .init(.control, .bits32, 10) }
    @inline(__always) public static var entryExceptionErrorCode: Self { .init(.control, .bits32, 12) }
    @inline(__always) public static var entryInstructionLength: Self { .init(.control, .bits32, 13) }
    @inline(__always) public static var tprThreshold: Self { .init(.control, .bits32, 14) }
    @inline(__always) public static var pauseLoopGap: Self { .init(.control, .bits32, 16) }
    @inline(__always) public static var pauseLoopWindow: Self { .init(.control, .bits32, 17) }
}

extension VMCSField where Value == ExitControls, Access == Writable {
    @inline(__always) public static var exitControls: Self { .init(.control, .bits32, 6) }
}

extension VMCSField where Value == EntryControls, Access == Writable {
    @inline(__always) public static var entryControls: Self { .init(.control, .bits32, 9) }
}

extension VMCSField where Value == InterruptionInformation, Access == Writable {
    @inline(__always) public static var entryInterruptionInformation: Self { .init(.control, .bits32, 11) }
}

extension VMCSField where Value == SecondaryControls, Access == Writable {
    @inline(__always) public static var secondaryControls: Self { .init(.control, .bits32, 15) }
}

extension VMCSField where Value == ControlRegister0, Access == Writable {
    @inline(__always) public static var cr0GuestHostMask: Self { .init(.control, .natural, 0) }
    @inline(__always) public static var cr0ReadShadow: Self { .init(.control, .natural, 2) }
}

extension VMCSField where Value == ControlRegister4, Access == Writable {
    @inline(__always) public static var cr4GuestHostMask: Self { .init(.control, .natural, 1) }
    @inline(__always) public static var cr4ReadShadow: Self { .init(.control, .natural, 3) }
}
