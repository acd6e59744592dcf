import Text
import Virtualization
import X86

/// What the guests' timers run on.
public enum TimerChoice: Equatable, Sendable {
    /// The preemption timer, which must be there.
    case processor
    /// The preemption timer, or the host's where it is missing.
    case processorOrHost
    /// The host's timer interrupt.
    case host
}

/// The five control fields for a virtual CPU, computed from what Martlet needs and what the processor offers.
public struct VMXControls: Equatable, Sendable {
    public let pin: PinControls
    public let primary: PrimaryControls
    public let secondary: SecondaryControls
    public let exit: ExitControls
    public let entry: EntryControls
    /// How much of a guest's local APIC the processor is to handle.
    public let assistance: InterruptAssistance
    /// The secondary controls that make it do so; the mode of the guest's APIC decides which of them are on.
    public let localAPIC: SecondaryControls
    /// Nested page tables can translate for the guest, in any mode.
    public let hasNestedTables: Bool

    // Martlet cannot do without what is required. It can without what is preferred.

    static var requiredPin: PinControls { .externalInterruptExiting | .nmiExiting }
    static var preferredPin: PinControls { .virtualNMIs | .activatePreemptionTimer }
    static var requiredPrimary: PrimaryControls { alwaysRequiredPrimary | .activateSecondaryControls }
    static var alwaysRequiredPrimary: PrimaryControls {
        .useTSCOffsetting | .hltExiting | .mwaitExiting | .monitorExiting | .rdpmcExiting | .useIOBitmaps | .useMSRBitmaps
    }
    static var preferredPrimary: PrimaryControls { .useTPRShadow }
    static var requiredSecondary: SecondaryControls { .enableEPT | .unrestrictedGuest }
    static var preferredSecondary: SecondaryControls {
        .enableRDTSCP | .enableINVPCID | .enableXSAVES | .wbinvdExiting
    }
    static var requiredExit: ExitControls { alwaysRequiredExit | ofExtendedFeatures }
    static var alwaysRequiredExit: ExitControls { .hostAddressSpaceSize | .acknowledgeInterrupt | .saveDebugControls }
    static var ofExtendedFeatures: ExitControls { .saveEFER | .loadEFER }
    static var preferredExit: ExitControls { .savePAT | .loadPAT | .savePreemptionTimer }
    static var requiredEntry: EntryControls { .loadEFER | .loadDebugControls }
    static var preferredEntry: EntryControls { .loadPAT }

    // Without nested tables, Martlet can do without what they, or lists of MSRs, replace.

    private static func requiredPrimary(_ hasNestedTables: Bool) -> PrimaryControls {
        hasNestedTables ? requiredPrimary : alwaysRequiredPrimary | .cr3LoadExiting | .cr3StoreExiting | .invlpgExiting
    }
    private static func requiredSecondary(_ hasNestedTables: Bool) -> SecondaryControls {
        hasNestedTables ? requiredSecondary : .none
    }
    private static func requiredExit(_ hasNestedTables: Bool) -> ExitControls {
        hasNestedTables ? requiredExit : alwaysRequiredExit
    }
    private static func requiredEntry(_ hasNestedTables: Bool) -> EntryControls {
        hasNestedTables ? requiredEntry : .loadDebugControls
    }

    /// Whether the processor has nested page tables for a guest in any mode: EPT and unrestricted guest.
    public static func offersNestedTables(_ capabilities: VMXCapabilities) -> Bool {
        capabilities.secondary.allowed.contains(requiredSecondary)
    }

    /// Whether VM entries and exits can switch IA32_EFER.
    static func offersExtendedFeatures(_ capabilities: VMXCapabilities) -> Bool {
        capabilities.exit.allowed.contains(ofExtendedFeatures) && capabilities.entry.allowed.contains(.loadEFER)
    }

    static var apicMemory: SecondaryControls { .virtualizeAPICAccesses }
    static var interruptDelivery: SecondaryControls { .apicRegisterVirtualization | .virtualInterruptDelivery }
    static var allOfLocalAPIC: SecondaryControls { interruptDelivery | .virtualizeAPICAccesses | .virtualizeX2APICMode }

    /// - Parameters:
    ///   - wantsVPID: whether translations are to be tagged.
    ///   - most: the most that the processor is to do for a guest's local APIC.
    ///   - timer: what the guests' timers run on.
    ///   - needsNestedTables: shadow tables alone will not do for the guest.
    /// - Throws: everything that is missing, not only the first.
    public init(
        _ capabilities: VMXCapabilities, wantsVPID: Bool, assistance most: InterruptAssistance = .delivery,
        timer: TimerChoice = .processor, needsNestedTables: Bool = true
    ) throws(MissingRequirements) {
        let missing = MissingRequirements(
            capabilities, needsTimer: timer == .processor,
            primary: Self.requiredPrimary(needsNestedTables), secondary: Self.requiredSecondary(needsNestedTables),
            exit: Self.requiredExit(needsNestedTables), entry: Self.requiredEntry(needsNestedTables))
        guard missing.isEmpty else { throw missing }
        hasNestedTables = needsNestedTables
        let switchesEFER = Self.offersExtendedFeatures(capabilities)
        // The value is of no use unless it is saved, and may not be saved without the timer (SDM volume 3, "VM-Exit
        // Control Fields").
        let hasTimer =
            timer != .host && capabilities.pin.allowed.contains(.activatePreemptionTimer)
            && capabilities.exit.allowed.contains(.savePreemptionTimer)
        pin = capabilities.pin.adjust(
            require: Self.requiredPin, prefer: Self.preferredPin.setting(.activatePreemptionTimer, to: hasTimer))
        var primary = capabilities.primary.adjust(
            require: Self.requiredPrimary(needsNestedTables),
            prefer: (most == .none ? .none : Self.preferredPrimary) | .activateSecondaryControls)
        if !primary.contains(.useTPRShadow) { primary = primary | .cr8LoadExiting | .cr8StoreExiting }
        self.primary = primary
        secondary = capabilities.secondary.adjust(
            require: Self.requiredSecondary(needsNestedTables),
            prefer: Self.preferredSecondary.setting(.enableVPID, to: wantsVPID && capabilities.eptAndVPID.canTag))
        // The APIC-access page is a page of the nested tables.
        let offered =
            capabilities.secondary.allowed
            & (needsNestedTables ? Self.allOfLocalAPIC : Self.allOfLocalAPIC.subtracting(Self.apicMemory))
        if !primary.contains(.useTPRShadow) {
            assistance = .none
            localAPIC = .none
        } else if most == .delivery, offered == Self.allOfLocalAPIC {
            assistance = .delivery
            localAPIC = offered
        } else {
            assistance = .taskPriority
            localAPIC = offered.subtracting(Self.interruptDelivery)
        }
        exit = capabilities.exit.adjust(
            require: Self.requiredExit(needsNestedTables) | (switchesEFER ? Self.ofExtendedFeatures : .none),
            prefer: Self.preferredExit.setting(.savePreemptionTimer, to: hasTimer))
        entry = capabilities.entry.adjust(
            require: Self.requiredEntry(needsNestedTables) | (switchesEFER ? .loadEFER : .none), prefer: Self.preferredEntry)
    }

    /// VM entries and exits switch IA32_EFER; otherwise the lists of MSRs that they load have it.
    public var switchesExtendedFeatures: Bool { entry.contains(.loadEFER) }

    /// The preemption timer ends what a guest may run; otherwise the host's timer interrupt does.
    public var usesPreemptionTimer: Bool { pin.contains(.activatePreemptionTimer) }

    /// VM entries and exits switch IA32_PAT.
    public var switchesPAT: Bool { entry.contains(.loadPAT) && exit.contains(.loadPAT | .savePAT) }

    /// Prints a line for every control that is wanted or forced: whether it was granted.
    public func report(_ capabilities: VMXCapabilities, to print: (Line) -> Void) {
        Self.report("pin-based", Self.requiredPin, Self.preferredPin, capabilities.pin, pin, print)
        Self.report(
            "primary", Self.requiredPrimary(hasNestedTables), Self.preferredPrimary, capabilities.primary, primary, print)
        Self.report(
            "secondary", Self.requiredSecondary(hasNestedTables), Self.preferredSecondary | .enableVPID | Self.allOfLocalAPIC,
            capabilities.secondary, secondary | localAPIC, print)
        Self.report("VM-exit", Self.requiredExit(hasNestedTables), Self.preferredExit, capabilities.exit, exit, print)
        Self.report("VM-entry", Self.requiredEntry(hasNestedTables), Self.preferredEntry, capabilities.entry, entry, print)
    }

    private static func report<Controls: FlagSet>(
        _ area: StaticString, _ required: Controls, _ preferred: Controls, _ capability: ControlCapability<Controls>,
        _ granted: Controls, _ print: (Line) -> Void
    ) where Controls.RawValue == UInt32 {
        for bit in 0..<32 {
            let control = Controls(bit: bit)
            // Bits without a name that must be 1 are the default settings of controls that no longer exist.
            guard Controls.name(ofBit: bit) != nil else { continue }
            let wish: StaticString
            if required.contains(control) {
                wish = "required"
            } else if preferred.contains(control) {
                wish = "preferred"
            } else if granted.contains(control) {
                wish = "not wanted"
            } else {
                continue
            }
            let answer: StaticString
            if capability.required.contains(control) {
                answer = "forced on"
            } else if granted.contains(control) {
                answer = "granted"
            } else {
                answer = capability.allowed.contains(control) ? "left off" : "not offered"
            }
            var line = Line("  ")
            line.write(area)
            line.pad(to: 14)
            line.write(control)
            line.pad(to: 52)
            line.write(wish)
            line.pad(to: 64)
            line.write(answer)
            print(line)
        }
    }
}

/// What Martlet needs and the processor does not offer.
public struct MissingRequirements: Error, Equatable {
    public let pin: MissingControls<PinControls>
    public let primary: MissingControls<PrimaryControls>
    public let secondary: MissingControls<SecondaryControls>
    public let exit: MissingControls<ExitControls>
    public let entry: MissingControls<EntryControls>
    let eptLacksFourLevels: Bool
    let eptLacksWriteBack: Bool
    let lacksINVEPT: Bool

    init(
        _ capabilities: VMXCapabilities, needsTimer: Bool, primary: PrimaryControls = VMXControls.requiredPrimary,
        secondary: SecondaryControls = VMXControls.requiredSecondary, exit: ExitControls = VMXControls.requiredExit,
        entry: EntryControls = VMXControls.requiredEntry
    ) {
        pin = capabilities.pin.missing(
            of: VMXControls.requiredPin.setting(.activatePreemptionTimer, to: needsTimer))
        self.primary = capabilities.primary.missing(of: primary)
        self.secondary = capabilities.secondary.missing(of: secondary)
        self.exit = capabilities.exit.missing(of: exit.setting(.savePreemptionTimer, to: needsTimer))
        self.entry = capabilities.entry.missing(of: entry)
        let hasEPT = secondary.contains(.enableEPT) && capabilities.secondary.allowed.contains(.enableEPT)
        eptLacksFourLevels = hasEPT && !capabilities.eptAndVPID.walkLength4
        eptLacksWriteBack = hasEPT && !capabilities.eptAndVPID.writeBackTables
        lacksINVEPT = hasEPT && !(capabilities.eptAndVPID.invept && capabilities.eptAndVPID.inveptAll)
    }

    public var isEmpty: Bool {
        pin.missing.isEmpty && primary.missing.isEmpty && secondary.missing.isEmpty && exit.missing.isEmpty
            && entry.missing.isEmpty && !eptLacksFourLevels && !eptLacksWriteBack && !lacksINVEPT
    }

    /// Prints what is missing, a line for each area.
    public func report(to print: (Line) -> Void) {
        pin.report("pin-based controls", to: print)
        primary.report("primary controls", to: print)
        secondary.report("secondary controls", to: print)
        exit.report("VM-exit controls", to: print)
        entry.report("VM-entry controls", to: print)
        if eptLacksFourLevels { print("EPT: four-level tables are not offered (IA32_VMX_EPT_VPID_CAP, bit 6)") }
        if eptLacksWriteBack { print("EPT: write-back tables are not offered (IA32_VMX_EPT_VPID_CAP, bit 14)") }
        if lacksINVEPT { print("EPT: INVEPT for all contexts is not offered (IA32_VMX_EPT_VPID_CAP, bits 20 and 26)") }
    }
}

extension EPTAndVPIDCapabilities {
    /// Tags can be recycled: INVVPID works for all of them.
    var canTag: Bool { invvpid && invvpidAll }
}
