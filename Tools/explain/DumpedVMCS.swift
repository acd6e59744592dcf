import StudyTools
import VMX

/// What a dump says of a VMCS: the values of the fields that it has.
struct DumpedVMCS {
    enum Format: String {
        case kvm = "KVM's dump_vmcs"
        case xen = "Xen's vmcs_dump_vcpu"
        case martlet = "Martlet's"
    }

    let format: Format
    private(set) var values: [VMCSFieldEncoding: UInt64] = [:]
    /// Fields given twice with different values, or with more bits than they have: the dump is damaged there.
    private(set) var conflicts: [VMCSFieldEncoding] = []

    init(_ format: Format) { self.format = format }

    /// Takes a field's value.
    mutating func set(_ field: VMCSFieldEncoding, _ value: UInt64) {
        if value & ~field.valueMask != 0 || values[field, default: value] != value { conflicts.append(field) }
        values[field] = value & field.valueMask
    }

    /// A snapshot with the fields that the dump has, the others being zero.
    var snapshot: VMCSSnapshot {
        var snapshot = VMCSSnapshot()
        for (field, value) in values { snapshot[field] = value }
        return snapshot
    }

    /// The fields of the list that the dump does not have.
    var missing: [VMCSFieldDescription] {
        (0..<VMCSFieldDescription.count).map(VMCSFieldDescription.field).filter { values[$0.encoding] == nil }
    }

    /// All dumps in a text, such as a kernel's log.
    static func read(_ text: String) -> [DumpedVMCS] {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
        if lines.contains(where: { $0.contains(HypervisorDump.start) }) { return HypervisorDump.read(lines) }
        return MartletDump.read(lines)
    }
}

/// Martlet's own text: `name = 0x...`, a field a line.
enum MartletDump {
    static func read(_ lines: [String]) -> [DumpedVMCS] {
        let fields = Dictionary(
            uniqueKeysWithValues: (0..<VMCSFieldDescription.count).map(VMCSFieldDescription.field).map {
                ("\($0.name)", $0.encoding)
            })
        let first = "[\(VMCSDump.name(of: VMCSDump.groups[0]))]"
        var dumps: [DumpedVMCS] = []
        for line in lines {
            // Each dump begins with the first group; a piece of one may begin anywhere.
            if line.contains(first) { dumps.append(DumpedVMCS(.martlet)) }
            guard let equals = line.firstRange(of: " = 0x") else { continue }
            let name = line[..<equals.lowerBound].drop { $0 == " " }
            let digits = line[equals.upperBound...].prefix(while: \.isHexDigit)
            guard let field = fields[String(name)], let value = UInt64(digits, radix: 16) else { continue }
            if dumps.isEmpty { dumps.append(DumpedVMCS(.martlet)) }
            dumps[dumps.count - 1].set(field, value)
        }
        return dumps.filter { !$0.values.isEmpty }
    }
}
