import X86

/// The capabilities of the processor that a virtual CPU needs after its setup.
public struct VMXConstants: @unchecked Sendable {
    let cr0Fixed: FixedBits<ControlRegister0>
    let cr4Fixed: FixedBits<ControlRegister4>
    /// The preemption timer counts time-stamp ticks shifted right by this; nil where it is not used.
    let timerShift: UInt64?
    let reportsStringIODetails: Bool
    let invalidator: TranslationInvalidator
    /// The tag of the virtual CPU's cached translations, or 0 without VPID.
    let tag: UInt16
    let localAPIC: LocalAPICVirtualization
    /// Nested tables can translate for the guest, in any mode; otherwise shadow tables do at all times, and CR0.PE and CR0.PG are set.
    let hasNestedTables: Bool
    /// MSRs that VM entries load from a list.
    let loadedMSRs: LoadedMSRs?
    let hasMonitorTrapFlag: Bool
    /// MOV from CR3 need not exit.
    let passesReadsOfCR3: Bool
    /// Where shadow and direct paging keep registers; nil for a guest that only ever has nested tables.
    let shadow: UnsafeMutablePointer<ShadowRegisters>?
    /// The same, where there are no nested tables.
    let aside: UnsafeMutablePointer<ShadowRegisters>?

    public init(
        _ capabilities: VMXCapabilities, tag: UInt16, invalidator: TranslationInvalidator,
        localAPIC: LocalAPICVirtualization, usesPreemptionTimer: Bool = true, hasNestedTables: Bool = true,
        loadedMSRs: LoadedMSRs? = nil, shadow: UnsafeMutablePointer<ShadowRegisters>? = nil
    ) {
        self.shadow = shadow
        aside = hasNestedTables ? nil : shadow
        self.hasNestedTables = hasNestedTables
        self.loadedMSRs = loadedMSRs
        hasMonitorTrapFlag = capabilities.primary.allowed.contains(.monitorTrapFlag)
        passesReadsOfCR3 = !capabilities.primary.required.contains(.cr3StoreExiting)
        cr0Fixed = capabilities.cr0
        cr4Fixed = capabilities.cr4
        timerShift = usesPreemptionTimer ? capabilities.miscellaneous.preemptionTimerShift : nil
        reportsStringIODetails = capabilities.basic.reportsStringIODetails
        self.invalidator = invalidator
        self.tag = tag
        self.localAPIC = localAPIC
    }

    #if !hasFeature(Embedded)
    /// For the host, which decodes exits of a saved VMCS and enters no guest.
    public init(reading capabilities: VMXCapabilities, shadow: UnsafeMutablePointer<ShadowRegisters>? = nil) {
        self.init(
            capabilities, tag: 0, invalidator: TranslationInvalidator(capabilities.eptAndVPID) { _, _ in }, localAPIC: .none,
            usesPreemptionTimer: false, shadow: shadow)
    }
    #endif
}

/// Drops cached translations by VPID; the function is the processor's INVVPID, or a simulation's recorder.
public struct TranslationInvalidator: Sendable {
    /// The kind of INVVPID for a single tag, or for all where the processor offers no other.
    let kind: UInt64
    let execute: @convention(c) (_ kind: UInt64, _ tag: UInt16) -> Void

    /// Picks the narrowest kind on offer (SDM volume 3, "Guidelines for Use of the INVVPID Instruction").
    public init(_ capabilities: EPTAndVPIDCapabilities, execute: @convention(c) (UInt64, UInt16) -> Void) {
        kind = capabilities.invvpidSingle ? 1 : 2
        self.execute = execute
    }

    public func invalidate(_ tag: UInt16) { execute(kind, tag) }
}
