import VMX
import X86

// What the explanations say of each field's controls together; what they say of a control is in its `ControlWords`.

extension ControlSet {
    public static func meaning(ofBit bit: Int) -> StaticString? { words(ofBit: bit)?.meaning }
}

extension PinControls: ExplainedFlags {
    public static var title: StaticString { "pin-based VM-execution controls" }
    public static var section: StaticString { "Pin-Based VM-Execution Controls" }
    public static var reservedOnes: UInt32 { 0x16 }
}

extension PrimaryControls: ExplainedFlags {
    public static var title: StaticString { "primary processor-based VM-execution controls" }
    public static var section: StaticString { "Processor-Based VM-Execution Controls" }
    public static var reservedOnes: UInt32 { 0x0400_6172 }
}

extension SecondaryControls: ExplainedFlags {
    public static var title: StaticString { "secondary processor-based VM-execution controls" }
    public static var section: StaticString { "Processor-Based VM-Execution Controls" }
}

extension TertiaryControls: ExplainedFlags {
    public static var title: StaticString { "tertiary processor-based VM-execution controls" }
    public static var section: StaticString { "Processor-Based VM-Execution Controls" }
}

extension ExitControls: ExplainedFlags {
    public static var title: StaticString { "primary VM-exit controls" }
    public static var section: StaticString { "VM-Exit Controls" }
    public static var reservedOnes: UInt32 { 0x3_6DFB }
}

extension SecondaryExitControls: ExplainedFlags {
    public static var title: StaticString { "secondary VM-exit controls" }
    public static var section: StaticString { "VM-Exit Controls" }
}

extension EntryControls: ExplainedFlags {
    public static var title: StaticString { "VM-entry controls" }
    public static var section: StaticString { "VM-Entry Controls" }
    public static var reservedOnes: UInt32 { 0x11FB }
}

extension VMFunctions: ExplainedFlags {
    public static var title: StaticString { "VM-function controls" }
    public static var section: StaticString { "VM-Function Controls" }
}
