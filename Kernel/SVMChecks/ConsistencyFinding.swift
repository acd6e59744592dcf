import SVM
import Text

/// One rule of VMRUN that a VMCB breaks.
public struct ConsistencyFinding: Equatable, Sendable {
    public let rule: ConsistencyRule
    /// The field to look at first; some rules join several.
    public let field: VMCBFieldName
    /// What the field holds.
    public let value: UInt64

    public init(rule: ConsistencyRule, field: VMCBFieldName, value: UInt64) {
        self.rule = rule
        self.field = field
        self.value = value
    }
}

extension ConsistencyFinding: TextConvertible {
    public func write(to output: inout Line) {
        output.write(field.name)
        output.write(" = ")
        output.write(hex: value)
        output.write(": ")
        output.write(rule.words)
        output.write(" (APM volume 2, \"")
        output.write(rule.section.title)
        output.write("\")")
    }
}

/// What the checks found: the rules that a VMCB breaks, those of the control area first.
public struct ConsistencyFindings: Sendable {
    /// How many rules are broken.
    public private(set) var count = 0
    private var findings: [40 of ConsistencyFinding]

    /// How many broken rules there is room for: several rules are about more than one field.
    public static var capacity: Int { 40 }

    init() {
        findings = .init(repeating: ConsistencyFinding(rule: .vmrunIntercept, field: .interceptVector4, value: 0))
    }

    mutating func add(_ finding: ConsistencyFinding) {
        guard count < Self.capacity else { return }
        findings[count] = finding
        count += 1
    }

    /// A broken rule by its place, from 0 up to `count`.
    public subscript(index: Int) -> ConsistencyFinding { findings.span[index] }

    /// VMRUN exits with VMEXIT_INVALID.
    public var isInvalid: Bool { count != 0 }
}
