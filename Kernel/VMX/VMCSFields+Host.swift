// The fields of the host-state area (SDM volume 3, "Host-State Area";
// encodings in appendix B, "Field Encoding in VMCS").

import X86

extension VMCSField where Value == SegmentSelector, Access == Writable {
    @inline(__always) public static var hostESSelector: Self { .init(.hostState, .bits16, 0) }
    @inline(__always) public static var hostCSSelector: Self { .init(.hostState, .bits16, 1) }
    @inline(__always) public static var hostSSSelector: Self { .init(.hostState, .bits16, 2) }
    @inline(__always) public static var hostDSSelector: Self { .init(.hostState, .bits16, 3) }
    @inline(__always) public static var hostFSSelector: Self { .init(.hostState, .bits16, 4) }
    @inline(__always) public static var hostGSSelector: Self { .init(.hostState, .bits16, 5) }
    @inline(__always) public static var hostTRSelector: Self { .init(.hostState, .bits16, 6) }
}

extension VMCSField where Value == UInt64, Access == Writable {
    @inline(__always) public static var hostPAT: Self { .init(.hostState, .bits64, 0) }
    @inline(__always) public static var hostPerformanceControl: Self { .init(.hostState, .bits64, 2) }
    @inline(__always) public static var hostCR3: Self { .init(.hostState, .natural, 1) }
    @inline(__always) public static var hostFSBase: Self { .init(.hostState, .natural, 3) }
    @inline(__always) public static var hostGSBase: Self { .init(.hostState, .natural, 4) }
    @inline(__always) public static var hostTRBase: Self { .init(.hostState, .natural, 5) }
    @inline(__always) public static var hostGDTRBase: Self { .init(.hostState, .natural, 6) }
    @inline(__always) public static var hostIDTRBase: Self { .init(.hostState, .natural, 7) }
    @inline(__always) public static var hostSysenterESP: Self { .init(.hostState, .natural, 8) }
    @inline(__always) public static var hostSysenterEIP: Self { .init(.hostState, .natural, 9) }
    @inline(__always) public static var hostRSP: Self { .init(.hostState, .natural, 10) }
    @inline(__always) public static var hostRIP: Self { .init(.hostState, .natural, 11) }
}

extension VMCSField where Value == ExtendedFeatureEnable, Access == Writable {
    @inline(__always) public static var hostEFER: Self { .init(.hostState, .bits64, 1) }
}

extension VMCSField where Value == UInt32, Access == Writable {
    @inline(__always) public static var hostSysenterCS: Self { .init(.hostState, .bits32, 0) }
}

extension VMCSField where Value == ControlRegister0, Access == Writable {
    @inline(__always) public static var hostCR0: Self { .init(.hostState, .natural, 0) }
}

extension VMCSField where Value == ControlRegister4, Access == Writable {
    @inline(__always) public static var hostCR4: Self { .init(.hostState, .natural, 2) }
}
