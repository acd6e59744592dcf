// The fields of the guest-state area (SDM volume 3, "Guest-State Area";
// encodings in appendix B, "Field Encoding in VMCS").

import Memory
import X86

extension VMCSField where Value == SegmentSelector, Access == Writable {
    @inline(__always) public static var guestESSelector: Self { .init(.guestState, .bits16, 0) }
    @inline(__always) public static var guestCSSelector: Self { .init(.guestState, .bits16, 1) }
    @inline(__always) public static var guestSSSelector: Self { .init(.guestState, .bits16, 2) }
    @inline(__always) public static var guestDSSelector: Self { .init(.guestState, .bits16, 3) }
    @inline(__always) public static var guestFSSelector: Self { .init(.guestState, .bits16, 4) }
    @inline(__always) public static var guestGSSelector: Self { .init(.guestState, .bits16, 5) }
    @inline(__always) public static var guestLDTRSelector: Self { .init(.guestState, .bits16, 6) }
    @inline(__always) public static var guestTRSelector: Self { .init(.guestState, .bits16, 7) }
}

extension VMCSField where Value == UInt16, Access == Writable {
    @inline(__always) public static var guestInterruptStatus: Self { .init(.guestState, .bits16, 8) }
    @inline(__always) public static var pageModificationLogIndex: Self { .init(.guestState, .bits16, 9) }
}

extension VMCSField where Value == HostPhysicalAddress, Access == Writable {
    @inline(__always) public static var linkPointer: Self { .init(.guestState, .bits64, 0) }
}

extension VMCSField where Value == UInt64, Access == Writable {
    @inline(__always) public static var guestDebugControl: Self { .init(.guestState, .bits64, 1) }
    @inline(__always) public static var guestPAT: Self { .init(.guestState, .bits64, 2) }
    @inline(__always) public static var guestPerformanceControl: Self { .init(.guestState, .bits64, 4) }
    @inline(__always) public static var guestPDPTE0: Self { .init(.guestState, .bits64, 5) }
    @inline(__always) public static var guestPDPTE1: Self { .init(.guestState, .bits64, 6) }
    @inline(__always) public static var guestPDPTE2: Self { .init(.guestState, .bits64, 7) }
    @inline(__always) public static var guestPDPTE3: Self { .init(.guestState, .bits64, 8) }
    @inline(__always) public static var guestBoundConfiguration: Self { .init(.guestState, .bits64, 9) }
    @inline(__always) public static var guestCR3: Self { .init(.guestState, .natural, 1) }
    @inline(__always) public static var guestESBase: Self { .init(.guestState, .natural, 3) }
    @inline(__always) public static var guestCSBase: Self { .init(.guestState, .natural, 4) }
    @inline(__always) public static var guestSSBase: Self { .init(.guestState, .natural, 5) }
    @inline(__always) public static var guestDSBase: Self { .init(.guestState, .natural, 6) }
    @inline(__always) public static var guestFSBase: Self { .init(.guestState, .natural, 7) }
    @inline(__always) public static var guestGSBase: Self { .init(.guestState, .natural, 8) }
    @inline(__always) public static var guestLDTRBase: Self { .init(.guestState, .natural, 9) }
    @inline(__always) public static var guestTRBase: Self { .init(.guestState, .natural, 10) }
    @inline(__always) public static var guestGDTRBase: Self { .init(.guestState, .natural, 11) }
    @inline(__always) public static var guestIDTRBase: Self { .init(.guestState, .natural, 12) }
    @inline(__always) public static var guestDR7: Self { .init(.guestState, .natural, 13) }
    @inline(__always) public static var guestRSP: Self { .init(.guestState, .natural, 14) }
    @inline(__always) public static var guestRIP: Self { .init(.guestState, .natural, 15) }
    @inline(__always) public static var guestSysenterESP: Self { .init(.guestState, .natural, 18) }
    @inline(__always) public static var guestSysenterEIP: Self { .init(.guestState, .natural, 19) }
}

extension VMCSField where Value == ExtendedFeatureEnable, Access == Writable {
    @inline(__always) public static var guestEFER: Self { .init(.guestState, .bits64, 3) }
}

extension VMCSField where Value == UInt32, Access == Writable {
    @inline(__always) public static var guestESLimit: Self { .init(.guestState, .bits32, 0) }
    @inline(__always) public static var guestCSLimit: Self { .init(.guestState, .bits32, 1) }
    @inline(__always) public static var guestSSLimit: Self { .init(.guestState, .bits32, 2) }
    @inline(__always) public static var guestDSLimit: Self { .init(.guestState, .bits32, 3) }
    @inline(__always) public static var guestFSLimit: Self { .init(.guestState, .bits32, 4) }
    @inline(__always) public static var guestGSLimit: Self { .init(.guestState, .bits32, 5) }
    @inline(__always) public static var guestLDTRLimit: Self { .init(.guestState, .bits32, 6) }
    @inline(__always) public static var guestTRLimit: Self { .init(.guestState, .bits32, 7) }
    @inline(__always) public static var guestGDTRLimit: Self { .init(.guestState, .bits32, 8) }
    @inline(__always) public static var guestIDTRLimit: Self { .init(.guestState, .bits32, 9) }
    @inline(__always) public static var guestSMBASE: Self { .init(.guestState, .bits32, 20) }
    @inline(__always) public static var guestSysenterCS: Self { .init(.guestState, .bits32, 21) }
    @inline(__always) public static var preemptionTimer: Self { .init(.guestState, .bits32, 23) }
}

extension VMCSField where Value == SegmentAccessRights, Access == Writable {
    @inline(__always) public static var guestESAccessRights: Self { .init(.guestState, .bits32, 10) }
    @inline(__always) public static var guestCSAccessRights: Self { .init(.guestState, .bits32, 11) }
    @inline(__always) public static var guestSSAccessRights: Self { .init(.guestState, .bits32, 12) }
    @inline(__always) public static var guestDSAccessRights: Self { .init(.guestState, .bits32, 13) }
    @inline(__always) public static var guestFSAccessRights: Self { .init(.guestState, .bits32, 14) }
    @inline(__always) public static var guestGSAccessRights: Self { .init(.guestState, .bits32, 15) }
    @inline(__always) public static var guestLDTRAccessRights: Self { .init(.guestState, .bits32, 16) }
    @inline(__always) public static var guestTRAccessRights: Self { .init(.guestState, .bits32, 17) }
}

extension VMCSField where Value == InterruptibilityState, Access == Writable {
    @inline(__always) public static var guestInterruptibility: Self { .init(.guestState, .bits32, 18) }
}

extension VMCSField where Value == ActivityState, Access == Writable {
    @inline(__always) public static var guestActivityState: Self { .init(.guestState, .bits32, 19) }
}

extension VMCSField where Value == ControlRegister0, Access == Writable {
    @inline(__always) public static var guestCR0: Self { .init(.guestState, .natural, 0) }
}

extension VMCSField where Value == ControlRegister4, Access == Writable {
    @inline(__always) public static var guestCR4: Self { .init(.guestState, .natural, 2) }
}

extension VMCSField where Value == RFlags, Access == Writable {
    @inline(__always) public static var guestRFLAGS: Self { .init(.guestState, .natural, 16) }
}

extension VMCSField where Value == PendingDebugExceptions, Access == Writable {
    @inline(__always) public static var guestPendingDebugExceptions: Self { .init(.guestState, .natural, 17) }
}
