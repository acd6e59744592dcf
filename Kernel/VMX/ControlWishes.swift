import X86

/// What Martlet wants of the controls of one field, for a person who asks why one is on or off.
public struct ControlWishes<Controls: FlagSet>: Sendable {
    /// Martlet cannot do without these.
    public let required: Controls
    /// On wherever they are offered, unless an option says otherwise.
    public let preferred: Controls
    /// On and off as the guest runs.
    public let changing: Controls
}

extension VMXControls {
    public static var pinWishes: ControlWishes<PinControls> {
        .init(required: requiredPin, preferred: preferredPin, changing: .none)
    }

    /// CR8 exits where there is no TPR shadow.
    public static var primaryWishes: ControlWishes<PrimaryControls> {
        .init(
            required: requiredPrimary, preferred: preferredPrimary,
            changing: .interruptWindowExiting | .nmiWindowExiting | .cr8LoadExiting | .cr8StoreExiting)
    }

    /// The local APIC's mode decides which of its controls are on.
    public static var secondaryWishes: ControlWishes<SecondaryControls> {
        .init(required: requiredSecondary, preferred: preferredSecondary | .enableVPID, changing: allOfLocalAPIC)
    }

    public static var exitWishes: ControlWishes<ExitControls> {
        .init(required: requiredExit, preferred: preferredExit, changing: .none)
    }

    /// The guest decides whether it is in long mode.
    public static var entryWishes: ControlWishes<EntryControls> {
        .init(required: requiredEntry, preferred: preferredEntry, changing: .ia32eModeGuest)
    }
}
