import SVM

/// What a dump says of a VMCB: the values of the fields that it has.
struct DumpedVMCB {
    enum Format: String {
        case kvm = "KVM's dump_vmcb"
        case xen = "Xen's svm_vmcb_dump"
    }

    let format: Format
    private(set) var values: [VMCBFieldName: UInt64] = [:]
    /// Fields given twice with different values, or with more bits than they have: the dump is damaged there.
    private(set) var conflicts: [VMCBFieldName] = []

    init(_ format: Format) { self.format = format }

    /// Takes a field's value.
    mutating func set(_ field: VMCBFieldName, _ value: UInt64) {
        if value & ~field.valueMask != 0 || values[field, default: value] != value { conflicts.append(field) }
        values[field] = value & field.valueMask
    }

    /// Takes a part of a field, which other lines complete.
    mutating func setPart(of field: VMCBFieldName, shift: UInt64, _ value: UInt64) {
        values[field, default: 0] |= value << shift
    }

    /// The fields of the table that the dump does not have.
    var missing: [VMCBFieldName] {
        (0..<VMCBFieldName.count).compactMap { VMCBFieldName(at: $0) }.filter { values[$0] == nil }
    }

    /// All dumps in a text, such as a kernel's log.
    static func read(_ text: String) -> [DumpedVMCB] {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
        let dumps = lines.contains { $0.contains(KVMDump.start) } ? KVMDump.read(lines) : XenDump.read(lines)
        return dumps.filter { !$0.values.isEmpty }
    }
}
