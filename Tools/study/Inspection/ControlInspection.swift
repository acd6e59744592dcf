import Debug
import Text
import VMX
import X86

/// The command `controls`: every control by name, whether Martlet wants it, whether it is on now, and what decides that.
public enum ControlInspection {
    /// Answers `controls` with the words that follow it: none for all; pin, primary, secondary, tertiary, exit or entry; or words
    /// that are parts of a control's name.
    public static func write(
        _ words: String, _ state: StateSnapshot, _ capabilities: VMXCapabilities,
        to output: inout Answer
    ) {
        let name = FieldName(words)
        var isKnown = name.isEmpty
        func asks(_ field: StaticString) -> Bool { name.isEmpty || name.matches(field) }
        if asks("pin") {
            isKnown = true
            write(state[.pinControls], capabilities.pin, VMXControls.pinWishes, to: &output)
        }
        if asks("primary") {
            isKnown = true
            write(state[.primaryControls], capabilities.primary, VMXControls.primaryWishes, to: &output)
        }
        if asks("secondary") {
            isKnown = true
            writeSecondary(state, capabilities, to: &output)
        }
        if asks("tertiary") {
            isKnown = true
            writeTertiary(state, capabilities, to: &output)
        }
        if asks("exit") {
            isKnown = true
            write(state[.exitControls], capabilities.exit, VMXControls.exitWishes, to: &output)
        }
        if asks("entry") {
            isKnown = true
            write(state[.entryControls], capabilities.entry, VMXControls.entryWishes, to: &output)
        }
        if !isKnown, !writeNamed(name, state, capabilities, to: &output) {
            output.line("controls: no control has \"\(name.text)\" in its name")
            output.line(
                "  \"controls\" lists all; \"controls pin\", \"primary\", \"secondary\", \"tertiary\", \"exit\" and \"entry\" list a field's"
            )
        }
    }

    // MARK: Controls by name

    /// Writes the controls of all fields that have these words in their names.
    /// - Returns: false if there are none.
    static func writeNamed(
        _ name: FieldName, _ state: StateSnapshot, _ capabilities: VMXCapabilities, to output: inout Answer
    ) -> Bool {
        var isFound = writeNamed(name, state[.pinControls], capabilities.pin, VMXControls.pinWishes, to: &output)
        if writeNamed(name, state[.primaryControls], capabilities.primary, VMXControls.primaryWishes, to: &output) {
            isFound = true
        }
        if writeNamed(name, state[.secondaryControls], capabilities.secondary, VMXControls.secondaryWishes, to: &output) {
            isFound = true
            writeSecondaryActivation(state, to: &output)
        }
        for bit in 0..<64 {
            guard let tertiary = TertiaryControls.name(ofBit: bit), name.isPart(of: tertiary) else { continue }
            isFound = true
            writeTertiary(state, capabilities, to: &output)
            break
        }
        if writeNamed(name, state[.exitControls], capabilities.exit, VMXControls.exitWishes, to: &output) { isFound = true }
        if writeNamed(name, state[.entryControls], capabilities.entry, VMXControls.entryWishes, to: &output) { isFound = true }
        return isFound
    }

    private static func writeNamed<Controls: ExplainedFlags>(
        _ name: FieldName, _ now: Controls, _ capability: ControlCapability<Controls>, _ wishes: ControlWishes<Controls>,
        to output: inout Answer
    ) -> Bool where Controls.RawValue == UInt32 {
        var isFound = false
        for bit in 0..<32 {
            guard let control = Controls.name(ofBit: bit), name.isPart(of: control) else { continue }
            if !isFound { writeHeading(now, capability, to: &output) }
            isFound = true
            writeRow(bit, control, now, capability, wishes, to: &output)
            if let meaning = Controls.meaning(ofBit: bit) { output.line("          when 1: \(meaning)") }
        }
        return isFound
    }

    // MARK: Fields

    private static func writeSecondary(
        _ state: StateSnapshot, _ capabilities: VMXCapabilities, to output: inout Answer
    ) {
        write(state[.secondaryControls], capabilities.secondary, VMXControls.secondaryWishes, to: &output)
        writeSecondaryActivation(state, to: &output)
    }

    private static func writeSecondaryActivation(_ state: StateSnapshot, to output: inout Answer) {
        if !state[.primaryControls].contains(.activateSecondaryControls) {
            output.line("  none of them counts: \"\(PrimaryControls.activateSecondaryControls)\" is off")
        }
    }

    /// Their capability register is not read, for Martlet wants none of them.
    private static func writeTertiary(
        _ state: StateSnapshot, _ capabilities: VMXCapabilities, to output: inout Answer
    ) {
        let activation = PrimaryControls.activateTertiaryControls
        guard capabilities.primary.allowed.contains(activation) else {
            let place = CapabilityBit(capabilities.primary.source, activation.rawValue.trailingZeroBitCount + 32)
            return output.line("\(TertiaryControls.title): none is offered (\(place) is 0)")
        }
        let isActive = state[.primaryControls].contains(activation)
        let controls = isActive ? state[.tertiaryControls] : .none
        output.line("\(TertiaryControls.title): on: \(controls); offered by \"\(activation)\", but Martlet wants none of them")
    }

    private static func write<Controls: ExplainedFlags>(
        _ now: Controls, _ capability: ControlCapability<Controls>, _ wishes: ControlWishes<Controls>,
        to output: inout Answer
    ) where Controls.RawValue == UInt32 {
        writeHeading(now, capability, to: &output)
        var unnamed = Controls.none
        for bit in 0..<32 {
            let control = Controls(bit: bit)
            guard let name = Controls.name(ofBit: bit) else {
                unnamed = unnamed | control & now
                continue
            }
            writeRow(bit, name, now, capability, wishes, to: &output)
        }
        if !unnamed.isEmpty {
            let forced = capability.required.contains(unnamed)
            output.line("  without a name: \(hex: unnamed.rawValue)\(forced ? ", all of which must be 1" : "")")
        }
    }

    private static func writeHeading<Controls: ExplainedFlags>(
        _ now: Controls, _ capability: ControlCapability<Controls>, to output: inout Answer
    ) where Controls.RawValue == UInt32 {
        output.line("\(Controls.title) = \(hex: now.rawValue, digits: 8)")
        let (required, allowed) = (capability.required.rawValue, capability.allowed.rawValue)
        output.line(
            "  \(capability.source): \(hex: required, digits: 8) must be 1, \(hex: allowed, digits: 8) may be 1")
    }

    private static func writeRow<Controls: ExplainedFlags>(
        _ bit: Int, _ name: StaticString, _ now: Controls, _ capability: ControlCapability<Controls>,
        _ wishes: ControlWishes<Controls>, to output: inout Answer
    ) where Controls.RawValue == UInt32 {
        var line: Line = "  bit \(bit, width: 2)  \(name)"
        line.pad(to: 50)
        line.write(wish(Controls(bit: bit), wishes))
        line.pad(to: 62)
        line.write(state(bit, now, capability, wishes))
        output.line(line)
    }

    private static func wish<Controls: FlagSet>(_ control: Controls, _ wishes: ControlWishes<Controls>) -> StaticString {
        if wishes.required.contains(control) { return "required" }
        if wishes.preferred.contains(control) { return "preferred" }
        return wishes.changing.contains(control) ? "at times" : "not wanted"
    }

    /// What is required but off while shadow tables are in use.
    private static func shadowedControls<Controls: FlagSet>(_: Controls.Type) -> UInt32 where Controls.RawValue == UInt32 {
        Controls.self == SecondaryControls.self ? (SecondaryControls.enableEPT | .unrestrictedGuest).rawValue : 0
    }

    /// On or off, and what decides it: the processor, or Martlet.
    private static func state<Controls: ExplainedFlags>(
        _ bit: Int, _ now: Controls, _ capability: ControlCapability<Controls>, _ wishes: ControlWishes<Controls>
    ) -> Line where Controls.RawValue == UInt32 {
        let control = Controls(bit: bit)
        let isForced = capability.required.contains(control)
        let isOffered = capability.allowed.contains(control)
        let isWanted = (wishes.required | wishes.preferred).contains(control)
        if now.contains(control) {
            if isForced { return isWanted ? "on" : "on, which bit \(bit) of that register requires" }
            return isWanted ? "on" : "on for now"
        }
        if !isOffered { return "off: not offered, bit \(bit + 32) of that register is 0" }
        if control.rawValue & shadowedControls(Controls.self) != 0 { return "off while shadow tables are in use" }
        if wishes.required.contains(control) { return "off, though it is offered and required" }
        if wishes.preferred.contains(control) { return "off, though offered: an option says so" }
        return wishes.changing.contains(control) ? "off for now" : "off, though offered"
    }
}

/// A bit of a capability register.
private struct CapabilityBit: TextConvertible {
    let register: ModelSpecificRegister
    let bit: Int

    init(_ register: ModelSpecificRegister, _ bit: Int) {
        self.register = register
        self.bit = bit
    }

    func write(to output: inout Line) {
        output.write(register)
        output.write(", bit ")
        output.write(decimal: UInt64(bit))
    }
}
