// The fields of the VM-exit information fields, which are read-only (SDM volume 3, "VM-Exit Information Fields";
// encodings in appendix B, "Field Encoding in VMCS").

import Memory

extension VMCSField where Value == GuestPhysicalAddress, Access == ReadOnly {
    @inline(__always) public static var guestPhysicalAddress: Self { .init(.exitInformation, .bits64, 0) }
}

extension VMCSField where Value == UInt32, Access == ReadOnly {
    @inline(__always) public static var instructionError: Self { .init(.exitInformation, .bits32, 0) }
    @inline(__always) public static var exitInterruptionErrorCode: Self { .init(.exitInformation, .bits32, 3) }
    @inline(__always) public static var vectoringErrorCode: Self { .init(.exitInformation, .bits32, 5) }
    @inline(__always) public static var exitInstructionLength: Self { .init(.exitInformation, .bits32, 6) }
    @inline(__always) public static var exitInstructionInformation: Self { .init(.exitInformation, .bits32, 7) }
}

extension VMCSField where Value == ExitReason, Access == ReadOnly {
    @inline(__always) public static var exitReason: Self { .init(.exitInformation, .bits32, 1) }
}

extension VMCSField where Value == InterruptionInformation, Access == ReadOnly {
    @inline(__always) public static var exitInterruptionInformation: Self { .init(.exitInformation, .bits32, 2) }
    @inline(__always) public static var vectoringInformation: Self { .init(.exitInformation, .bits32, 4) }
}

extension VMCSField where Value == UInt64, Access == ReadOnly {
    @inline(__always) public static var exitQualification: Self { .init(.exitInformation, .natural, 0) }
    @inline(__always) public static var ioRCX: Self { .init(.exitInformation, .natural, 1) }
    @inline(__always) public static var ioRSI: Self { .init(.exitInformation, .natural, 2) }
    @inline(__always) public static var ioRDI: Self { .init(.exitInformation, .natural, 3) }
    @inline(__always) public static var ioRIP: Self { .init(.exitInformation, .natural, 4) }
}

extension VMCSField where Value == GuestVirtualAddress, Access == ReadOnly {
    @inline(__always) public static var guestLinearAddress: Self { .init(.exitInformation, .natural, 5) }
}
