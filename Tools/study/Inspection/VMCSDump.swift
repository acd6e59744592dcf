import Memory
import Text
import VMX
import X86

/// A VMCS as text: a line for each field, `name = value`, by group, with what the value means.
///
/// This text is a format: `martlet explain vmcs` reads it back. Of a line that holds a field, only the manual's name before " = " and
/// the number in base 16 after it count; the meaning in parentheses and the lines without " = " are for people.
public enum VMCSDump {
    /// A part of the VMCS.
    public typealias Group = VMCSFieldEncoding.Area

    /// The groups in the order of the text.
    public static var groups: [4 of Group] { [.guestState, .hostState, .control, .exitInformation] }

    /// What a group is called in the text.
    public static func name(of group: Group) -> StaticString {
        switch group {
        case .guestState: "guest state"
        case .hostState: "host state"
        case .control: "control fields"
        case .exitInformation: "VM-exit information"
        }
    }

    /// Prints all groups.
    /// - Parameter read: the value of a field, or nil for a field that the processor, or the dump, does not have.
    public static func report(reading read: (VMCSFieldEncoding) -> UInt64?, to print: (Line) -> Void) {
        let groups = Self.groups
        for index in groups.indices { report(groups[index], reading: read, to: print) }
    }

    /// Prints one group.
    public static func report(_ group: Group, reading read: (VMCSFieldEncoding) -> UInt64?, to print: (Line) -> Void) {
        print("[\(Self.name(of: group))]")
        for field in VMCSFieldDescription.all {
            guard field.encoding.area == group, let value = read(field.encoding) else { continue }
            report(field, value, to: print)
        }
    }

    /// Prints one field with a value.
    public static func report(_ field: VMCSFieldDescription, _ value: UInt64, to print: (Line) -> Void) {
        let words = FieldWords(field.encoding, value)
        print("\(field.name) = \(hex: value, digits: field.encoding.bitCount / 4)\(words.line)")
        words.reportFlags(to: print)
    }
}
