import X86

/// The controls of one field of the VMCS. Only a control's words say what it does.
public protocol ControlSet: FlagSet, VMCSValue {
    /// The words for a control; nil for a bit that the manual does not name.
    static func words(ofBit bit: Int) -> ControlWords?
}

/// The words for a control.
public struct ControlWords: Sendable {
    /// The manual's name.
    public let name: StaticString
    /// What it does when it is 1. The kernel does not print that, and its image does not hold it.
    public let meaning: StaticString

    @inline(__always)
    init(_ name: StaticString, _ meaning: StaticString) {
        self.name = name
        self.meaning = meaning
    }
}

extension ControlSet {
    public static func name(ofBit bit: Int) -> StaticString? { words(ofBit: bit)?.name }
}
