import Debug
import Text
import VMX
import Virtualization
import X86

/// The command `changes`: in what two states of a virtual CPU differ, a line each: "guest RIP 0x10 -> 0x12".
public enum ChangeInspection {
    /// Writes the differences between the states at the last stop and now, or that there are none.
    public static func write(_ before: StateSnapshot, _ after: StateSnapshot, to output: inout Answer) {
        if list(before, after, indentation: "", to: &output) == 0 { output.line("nothing has changed since the last stop") }
    }

    /// Lists the differences.
    /// - Returns: how many there are.
    static func list(
        _ before: StateSnapshot, _ after: StateSnapshot, indentation: StaticString, to output: inout Answer
    ) -> Int {
        var count = 0
        for number in 0..<UInt8(16) {
            let register = RegisterNumber(number)
            // RSP is a field of the VMCS.
            guard register != .rsp, before.registers[register] != after.registers[register] else { continue }
            count += 1
            output.line(
                "\(indentation)\(register.name) \(hex: before.registers[register]) -> \(hex: after.registers[register])")
        }
        if before.pageFaultAddress != after.pageFaultAddress {
            count += 1
            output.line("\(indentation)CR2 \(hex: before.pageFaultAddress) -> \(hex: after.pageFaultAddress)")
        }
        let (first, second) = (before.debugRegisters, after.debugRegisters)
        for number in 0..<4 where first.addresses[number] != second.addresses[number] {
            count += 1
            output.line("\(indentation)DR\(number) \(hex: first.addresses[number]) -> \(hex: second.addresses[number])")
        }
        if first.status != second.status {
            count += 1
            output.line("\(indentation)DR6 \(hex: first.status) -> \(hex: second.status): \(DebugStatusWords(second.status))")
        }
        let groups = VMCSDump.groups
        for index in groups.indices {
            count += list(groups[index], before, after, indentation, to: &output)
        }
        return count
    }

    private static func list(
        _ group: VMCSDump.Group, _ before: StateSnapshot, _ after: StateSnapshot, _ indentation: StaticString,
        to output: inout Answer
    ) -> Int {
        var count = 0
        for field in VMCSFieldDescription.all {
            guard field.encoding.area == group, before[field.encoding] != after[field.encoding] else { continue }
            count += 1
            let words = FieldWords(field.encoding, after[field.encoding])
            var line: Line = "\(indentation)\(field.name) \(hex: before[field.encoding]) -> \(hex: words.value)"
            line.write(words.line)
            var visitor = ChangedFlags(before: before[field.encoding])
            words.visitFlags(&visitor) { line.write($0) }
            output.line(line)
        }
        return count
    }
}

/// Which flags were set and which cleared.
private struct ChangedFlags: FlagVisitor {
    let before: UInt64

    mutating func visit<Flags: ExplainedFlags>(_ after: Flags, to print: (Line) -> Void) {
        let before = Flags(rawValue: Flags.RawValue(truncatingIfNeeded: before))
        let set = after.subtracting(before)
        let cleared = before.subtracting(after)
        if !set.isEmpty { print(": set \(set)") }
        if !cleared.isEmpty { print("\(set.isEmpty ? ":" : ";") cleared \(cleared)") }
    }
}
