import Text
import X86

/// Flags each of which can be explained in words.
public protocol ExplainedFlags: FlagSet {
    /// What the flags are together, such as "CR0".
    static var title: StaticString { get }
    /// The manual, SDM volume 3 if not said.
    static var manual: StaticString { get }
    /// The title of the manual's section.
    static var section: StaticString { get }
    /// What a bit does when it is 1; nil for a bit without a name.
    static func meaning(ofBit bit: Int) -> StaticString?
    /// Bits without a name that read 1 or must be written 1.
    static var reservedOnes: RawValue { get }
}

extension ExplainedFlags {
    public static var manual: StaticString { "SDM volume 3" }
    public static var reservedOnes: RawValue { 0 }
}

/// Flags one by one: those that are set with their meaning, those that are clear by name.
public struct FlagExplanation<Flags: ExplainedFlags> {
    let flags: Flags

    public init(_ flags: Flags) { self.flags = flags }

    public func report(to print: (Line) -> Void) {
        let value = UInt64(truncatingIfNeeded: flags.rawValue)
        print("\(Flags.title) = \(hex: value) (\(Flags.manual), \"\(Flags.section)\")")
        reportBits(to: print)
    }

    /// The same without a heading.
    func reportBits(to print: (Line) -> Void) {
        var table = BitTable(UInt64(truncatingIfNeeded: flags.rawValue))
        for bit in 0..<Flags.RawValue.bitWidth where table.isSet(bit) {
            guard let name = Flags.name(ofBit: bit), let meaning = Flags.meaning(ofBit: bit) else { continue }
            table.row(bit, bit, "\(name): \(meaning)", to: print)
        }
        reportReservedOnes(&table, to: print)
        table.finish(to: print)
        var clear = WordList("  clear: ", indentation: 9)
        for bit in 0..<Flags.RawValue.bitWidth where !table.isSet(bit) {
            if let name = Flags.name(ofBit: bit) { clear.add(Line(name), to: print) }
        }
        clear.finish(to: print)
    }

    /// The bits without a name that are 1 by default: those that are set, and those that are not.
    private func reportReservedOnes(_ table: inout BitTable, to print: (Line) -> Void) {
        let ones = UInt64(truncatingIfNeeded: Flags.reservedOnes)
        var set = WordList("  set, reserved, 1 by default: ", indentation: 31)
        var clear = WordList("  clear, reserved, 1 by default (0 only where a capability MSR allows it): ", indentation: 4)
        for bit in 0..<64 where ones >> UInt64(bit) & 1 != 0 && Flags.name(ofBit: bit) == nil {
            if table.isSet(bit) { set.add("bit \(bit)", to: print) } else { clear.add("bit \(bit)", to: print) }
            table.cover(bit, bit)
        }
        set.finish(to: print)
        clear.finish(to: print)
    }
}
