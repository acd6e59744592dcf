import X86

/// What Martlet knows about a field besides its encoding and type: a row of the table in VMCSFieldTable.swift.
public struct VMCSFieldDescription: Sendable {
    /// The manual's name.
    public let name: StaticString
    public let encoding: VMCSFieldEncoding
    /// What its bits are.
    public let kind: VMCSValueKind
    let need: VMCSFieldNeed

    @inline(__always)
    init<Value, Access>(_ field: VMCSField<Value, Access>, _ name: StaticString, needs need: VMCSFieldNeed = .nothing) {
        self.name = name
        encoding = field.encoding
        kind = Value.kind
        self.need = need
    }

    /// Whether the processor has the field: otherwise VMREAD and VMWRITE fail.
    @inline(never) @export(interface)
    public func exists(_ capabilities: VMXCapabilities) -> Bool { need.isMet(by: capabilities) }
}

/// What a processor must offer to have a field (SDM volume 3, appendix B "Field Encoding in VMCS", whose notes tie fields to
/// controls that may be 1).
enum VMCSFieldNeed: Sendable {
    case nothing
    case pin(PinControls)
    case primary(PrimaryControls)
    case secondary(SecondaryControls)
    case exit(ExitControls)
    case entry(EntryControls)
    /// One of the two.
    case entryOrExit(EntryControls, ExitControls)
    /// That many CR3-target values.
    case cr3Targets(UInt32)
    /// The VM function.
    case eptpSwitching
    /// System-management interrupts can have a monitor of their own.
    case dualMonitorTreatment

    func isMet(by capabilities: VMXCapabilities) -> Bool {
        switch self {
        case .nothing: true
        case .pin(let control): capabilities.pin.allowed.contains(control)
        case .primary(let control): capabilities.primary.allowed.contains(control)
        case .secondary(let control): capabilities.secondary.allowed.contains(control)
        case .exit(let control): capabilities.exit.allowed.contains(control)
        case .entry(let control): capabilities.entry.allowed.contains(control)
        case .entryOrExit(let entry, let exit):
            capabilities.entry.allowed.contains(entry) || capabilities.exit.allowed.contains(exit)
        case .cr3Targets(let count): capabilities.miscellaneous.cr3TargetCount >= count
        case .eptpSwitching: capabilities.vmFunctions.contains(.eptpSwitching)
        case .dualMonitorTreatment: capabilities.basic.hasDualMonitorTreatment
        }
    }
}
