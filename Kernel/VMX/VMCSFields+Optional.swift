// Fields of features that Martlet does not use but that VM entry checks when a control asks for them (SDM volume 3,
// "Virtual Machine Control Structures"; encodings in appendix B, "Field Encoding in VMCS").

import Memory

extension VMCSField where Value == UInt64, Access == Writable {
    @inline(__always) public static var enclvExitingBitmap: Self { .init(.control, .bits64, 27) }
    @inline(__always) public static var pconfigExitingBitmap: Self { .init(.control, .bits64, 31) }
    @inline(__always) public static var guestTraceControl: Self { .init(.guestState, .bits64, 10) }
    @inline(__always) public static var guestLastBranchControl: Self { .init(.guestState, .bits64, 11) }
    @inline(__always) public static var guestPKRS: Self { .init(.guestState, .bits64, 12) }
    @inline(__always) public static var guestSupervisorCET: Self { .init(.guestState, .natural, 20) }
    @inline(__always) public static var guestShadowStackPointer: Self { .init(.guestState, .natural, 21) }
    @inline(__always) public static var guestInterruptShadowStackTable: Self { .init(.guestState, .natural, 22) }
    @inline(__always) public static var hostPKRS: Self { .init(.hostState, .bits64, 3) }
    @inline(__always) public static var hostSupervisorCET: Self { .init(.hostState, .natural, 12) }
    @inline(__always) public static var hostShadowStackPointer: Self { .init(.hostState, .natural, 13) }
    @inline(__always) public static var hostInterruptShadowStackTable: Self { .init(.hostState, .natural, 14) }
}

extension VMCSField where Value == TertiaryControls, Access == Writable {
    @inline(__always) public static var tertiaryControls: Self { .init(.control, .bits64, 26) }
}

extension VMCSField where Value == SecondaryExitControls, Access == Writable {
    @inline(__always) public static var secondaryExitControls: Self { .init(.control, .bits64, 34) }
}

extension VMCSField where Value == HostPhysicalAddress, Access == Writable {
    @inline(__always) public static var subPagePermissionTable: Self { .init(.control, .bits64, 24) }
}
