import Text
import VMX

/// One rule of VM entry that a VMCS breaks.
public struct Violation: Equatable, Sendable {
    public let rule: EntryRule
    /// The field to look at first; some rules join several.
    public let field: VMCSFieldEncoding
    /// What the field holds.
    public let value: UInt64

    public init(rule: EntryRule, field: VMCSFieldEncoding, value: UInt64) {
        self.rule = rule
        self.field = field
        self.value = value
    }
}

extension Violation: TextConvertible {
    public func write(to output: inout Line) {
        output.write(VMCSFieldDescription.name(of: field))
        output.write(" = ")
        output.write(hex: value)
        output.write(": ")
        output.write(rule.words)
        output.write(" (SDM volume 3, \"")
        output.write(rule.section.title)
        output.write("\")")
    }
}
