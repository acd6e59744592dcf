import Debug
import Text
import VMX
import X86

/// The command `vmcs`: fields of the VMCS with what their values mean.
public enum FieldInspection {
    /// Answers `vmcs` with the words that follow it: none for all fields; a group (control, guest, host, exit); an encoding; or
    /// words that are parts of a field's name, or else of a control's. One field is explained bit by bit, several are listed.
    public static func write(
        _ words: String, _ state: StateSnapshot, _ capabilities: VMXCapabilities,
        to output: inout Answer
    ) {
        let name = FieldName(words)
        if name.isEmpty {
            let groups = VMCSDump.groups
            for index in groups.indices { writeGroup(groups[index], state, capabilities, to: &output) }
        } else if let group = name.group {
            writeGroup(group, state, capabilities, to: &output)
        } else if let encoding = name.encoding {
            guard let position = VMCSFieldDescription.position(of: encoding) else {
                return output.line("vmcs: no field has the encoding \(name.text); \"vmcs\" lists all with theirs")
            }
            explain(.field(at: position), state, capabilities, to: &output)
        } else {
            writeNamed(name, state, capabilities, to: &output)
        }
    }

    private static func writeGroup(
        _ group: VMCSDump.Group, _ state: StateSnapshot, _ capabilities: VMXCapabilities, to output: inout Answer
    ) {
        output.line("[\(VMCSDump.name(of: group))]")
        var missing = 0
        for field in VMCSFieldDescription.all {
            guard field.encoding.area == group else { continue }
            if field.exists(capabilities) { list(field, state, to: &output) } else { missing += 1 }
        }
        if missing > 0 { output.line("  this processor does not have \(count: missing, "more field") of the manual") }
    }

    private static func writeNamed(
        _ name: FieldName, _ state: StateSnapshot, _ capabilities: VMXCapabilities, to output: inout Answer
    ) {
        let fields = VMCSFieldDescription.all
        if let whole = fields.first(where: { name.matches($0.name) }) { return explain(whole, state, capabilities, to: &output) }
        let found = fields.filter { name.isPart(of: $0.name) }
        switch found.count {
        case 0: if !ControlInspection.writeNamed(name, state, capabilities, to: &output) { refuse(name, to: &output) }
        case 1: explain(found[0], state, capabilities, to: &output)
        default:
            output.line("\(found.count) fields have \"\(name.text)\" in their name:")
            for field in found {
                if field.exists(capabilities) {
                    list(field, state, to: &output)
                } else {
                    output.line("  \(EncodingWords(field.encoding))\(field.name): not on this processor")
                }
            }
        }
    }

    private static func refuse(_ name: FieldName, to output: inout Answer) {
        if let nearest = name.nearest {
            output.line("vmcs: no field has \"\(name.text)\" in its name; the nearest is \"\(nearest)\"")
        } else {
            output.line("vmcs: no field has \"\(name.text)\" in its name")
        }
        output.line("  \"vmcs\" lists all fields; \"vmcs control\", \"guest\", \"host\" and \"exit\" list a group")
    }

    /// A line: encoding, width, name, value, meaning; and the names of flags below.
    private static func list(_ field: VMCSFieldDescription, _ state: StateSnapshot, to output: inout Answer) {
        let words = FieldWords(field.encoding, state[field.encoding])
        output.line("  \(EncodingWords(field.encoding))\(FieldValue(field, words.value))\(words.line)")
        words.reportFlags { output.line("    \($0)") }
    }

    // MARK: One field

    private static func explain(
        _ field: VMCSFieldDescription, _ state: StateSnapshot, _ capabilities: VMXCapabilities, to output: inout Answer
    ) {
        let encoding = field.encoding
        guard field.exists(capabilities) else {
            return output.line(
                "\(field.name), encoding \(hex: encoding.rawValue, digits: 4): this processor does not have the field")
        }
        let words = FieldWords(encoding, state[encoding])
        output.line("\(FieldValue(field, words.value))\(words.line)")
        var place: Line = "  encoding \(hex: encoding.rawValue, digits: 4), \(VMCSDump.name(of: encoding.area))"
        place.write(Line(", \(encoding.widthWords), \(encoding.area == .exitInformation ? "read-only" : "writable")"))
        output.line(place)
        explain(words, state, to: &output)
    }

    /// What there is to say besides: the bits.
    private static func explain(_ words: FieldWords, _ state: StateSnapshot, to output: inout Answer) {
        let low = UInt32(truncatingIfNeeded: words.value)
        switch words.kind {
        case .accessRights: return AccessRightsExplanation(SegmentAccessRights(rawValue: low)).report { output.line($0) }
        case .interruptionInformation:
            return InterruptionExplanation(InterruptionInformation(rawValue: low)).report { output.line($0) }
        case .exitReason: return ExitReasonExplanation(ExitReason(rawValue: low)).report { output.line($0) }
        case .extendedPageTablePointer:
            return NestedPagePointerExplanation(EPTPointer(rawValue: words.value)).report { output.line($0) }
        default: break
        }
        if words.is(.exitQualification) {
            return QualificationExplanation(words.value, of: state[.exitReason]).report { output.line($0) }
        }
        if words.is(.guestCR3), state.hasShadowTables {
            return output.line("        the root of the shadow tables: \"registers\" has what the guest reads")
        }
        if words.is(.exceptionBitmap) { return explainExceptions(low, to: &output) }
        if let register = words.field.modelSpecificRegister {
            return MSRExplanation(register).report(words.value) { output.line($0) }
        }
        var visitor = FlagMeanings()
        words.visitFlags(&visitor) { output.line($0) }
    }

    private static func explainExceptions(_ bitmap: UInt32, to output: inout Answer) {
        for vector in 0..<UInt8(32) where bitmap >> UInt32(vector) & 1 != 0 {
            output.line("  bit \(vector, width: 2)  \(ExceptionVector(vector)) exits")
        }
    }
}

/// Tells a field's flags one by one.
private struct FlagMeanings: FlagVisitor {
    mutating func visit<Flags: ExplainedFlags>(_ flags: Flags, to print: (Line) -> Void) {
        FlagExplanation(flags).reportBits(to: print)
    }
}

/// A field's number and width, filled to a column.
private struct EncodingWords: TextConvertible {
    let encoding: VMCSFieldEncoding

    init(_ encoding: VMCSFieldEncoding) { self.encoding = encoding }

    func write(to output: inout Line) {
        output.write(hex: UInt64(encoding.rawValue), digits: 4)
        let width: StaticString =
            switch encoding.width {
            case .bits16: "  16 bits  "
            case .bits32: "  32 bits  "
            case .bits64: "  64 bits  "
            case .natural: "  natural  "
            }
        output.write(width)
    }
}

/// A field's name and its value in all its digits.
private struct FieldValue: TextConvertible {
    let field: VMCSFieldDescription
    let value: UInt64

    init(_ field: VMCSFieldDescription, _ value: UInt64) {
        self.field = field
        self.value = value
    }

    func write(to output: inout Line) {
        output.write(field.name)
        output.write(" = ")
        output.write(hex: value, digits: field.encoding.bitCount / 4)
    }
}

extension VMCSFieldEncoding {
    var widthWords: StaticString {
        switch width {
        case .bits16: "16 bits"
        case .bits32: "32 bits"
        case .bits64: "64 bits"
        case .natural: "natural width"
        }
    }

    private func `is`<Value, Access>(_ field: VMCSField<Value, Access>) -> Bool { self == field.encoding }

    /// The register whose value the field holds for the guest or the host, where it is one with fields to explain.
    var modelSpecificRegister: ModelSpecificRegister? {
        if self.is(.guestPAT) || self.is(.hostPAT) { return .pat }
        if self.is(.guestDebugControl) { return .debugControl }
        if self.is(.guestPerformanceControl) || self.is(.hostPerformanceControl) { return .performanceControl }
        if self.is(.guestEFER) || self.is(.hostEFER) { return .extendedFeatureEnable }
        return nil
    }
}
