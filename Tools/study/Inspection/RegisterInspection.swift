import Debug
import Text
import VMX
import Virtualization
import X86

/// The command `registers`: what the guest's registers hold, in the width of the mode that it executes in.
public enum RegisterInspection {
    /// - Parameter guestCR3: the guest's, where the VMCS holds the shadow tables' root.
    public static func write(_ state: StateSnapshot, guestCR3: UInt64? = nil, to output: inout Answer) {
        let mode = state.mode
        output.line("\(mode.words), privilege level \(UInt64(state[.guestSSAccessRights].privilegeLevel)), \(state.pagingWords)")
        writeGeneral(state, is64Bit: mode.is64Bit, to: &output)
        writeInstructionPointer(state, mode, to: &output)
        let flags = state[.guestRFLAGS]
        output.line("RFLAGS \(hex: flags.rawValue) = \(FlagWords(flags))")
        writeControl(state, guestCR3 ?? state[.guestCR3], to: &output)
        for index in 0..<UInt8(8) { writeSegment(index, state, to: &output) }
        writeTable("GDTR", state[.guestGDTRBase], state[.guestGDTRLimit], to: &output)
        writeTable("IDTR", state[.guestIDTRBase], state[.guestIDTRLimit], to: &output)
        writeReadiness(state, to: &output)
    }

    // MARK: General registers

    /// Four to a line: RAX to RDX, the pointers, and in 64-bit mode R8 to R15.
    private static func writeGeneral(_ state: StateSnapshot, is64Bit: Bool, to output: inout Answer) {
        // The numbers of RAX, RBX, RCX, RDX, RSI, RDI, RBP and RSP, from the lowest four bits on.
        let order: UInt32 = 0x4576_2130
        var line = Line()
        for place in 0..<UInt8(is64Bit ? 16 : 8) {
            let number = RegisterNumber(place < 8 ? UInt8(truncatingIfNeeded: order >> (4 * UInt32(place))) : place)
            let value = state.value(of: number)
            let start = line.count
            line.write(RegisterName(number, size: is64Bit ? 8 : 4))
            line.pad(to: start + 4)
            line.write(hexDigits: is64Bit ? value : value & 0xFFFF_FFFF, digits: is64Bit ? 16 : 8)
            if place & 3 == 3 {
                output.line(line)
                line = Line()
            } else {
                line.write("  ")
            }
        }
    }

    /// 16-bit code goes by segment and offset, the others by the offset.
    private static func writeInstructionPointer(
        _ state: StateSnapshot, _ mode: ProcessorMode, to output: inout Answer
    ) {
        let pointer = state[.guestRIP]
        switch mode.defaultAddressSize {
        case 8: output.line("RIP \(hex: pointer, digits: 16)")
        case 4: output.line("EIP \(hex: pointer, digits: 8), linear \(hex: state.codeAddress, digits: 8)")
        default:
            var line = Line("CS:IP ")
            line.write(hexDigits: UInt64(state[.guestCSSelector].rawValue), digits: 4)
            line.write(":")
            line.write(hexDigits: pointer, digits: 4)
            line.write(Line(", linear \(hex: state.codeAddress, digits: 5)"))
            output.line(line)
        }
    }

    // MARK: Control registers

    private static func writeControl(_ state: StateSnapshot, _ guestCR3: UInt64, to output: inout Answer) {
        writeControl("CR0", state[.guestCR0], seen: state.seenCR0, to: &output)
        output.line("CR2    \(hex: state.pageFaultAddress)")
        output.line("CR3    \(hex: guestCR3)")
        if state[.guestCR3] != guestCR3 { output.line("       the processor has \(hex: state[.guestCR3]), a shadow root") }
        writeControl("CR4", state[.guestCR4], seen: state.seenCR4, to: &output)
        output.line("EFER   \(hex: state[.guestEFER].rawValue) = \(state[.guestEFER])")
        let registers = state.debugRegisters
        for number in 0..<4 { output.line("DR\(number)    \(hex: registers.addresses[number])") }
        output.line("DR6    \(hex: registers.status) = \(DebugStatusWords(registers.status))")
        let debug = state[.guestDR7]
        output.line("DR7    \(hex: debug) = \(BreakpointWords(debug))")
    }

    /// The register as the processor holds it, and where that is another, as the guest reads it.
    private static func writeControl<Register: FlagSet>(
        _ name: StaticString, _ value: Register, seen: Register, to output: inout Answer
    ) where Register.RawValue == UInt64 {
        output.line("\(name)    \(hex: value.rawValue) = \(value)")
        if seen != value { output.line("       the guest reads \(hex: seen.rawValue) = \(seen)") }
    }

    // MARK: Segments

    private static func writeSegment(_ index: UInt8, _ state: StateSnapshot, to output: inout Answer) {
        guard let register = SegmentRegister(rawValue: index) else { return }
        let segment = SegmentFields(register)
        let rights = state[segment.rights]
        var line = Line(register.name)
        line.pad(to: 7)
        line.write(hexDigits: state[segment.selector], digits: 4)
        if rights >> 16 & 1 == 0 {
            line.write(Line("  base \(hex: state[segment.base], digits: 8)  limit \(hex: state[segment.limit], digits: 8) "))
        }
        line.write(FieldWords(segment.rights, rights).line)
        output.line(line)
    }

    private static func writeTable(
        _ name: StaticString, _ base: UInt64, _ limit: UInt32, to output: inout Answer
    ) {
        output.line("\(name)         base \(hex: base, digits: 8)  limit \(hex: limit, digits: 8)")
    }

    // MARK: Readiness

    /// Whether the guest executes, and what keeps events from it.
    private static func writeReadiness(_ state: StateSnapshot, to output: inout Answer) {
        var line = Line("activity")
        let activity = VMCSField<ActivityState, Writable>.guestActivityState.encoding
        line.write(FieldWords(activity, state[activity]).line)
        let blocking = state[.guestInterruptibility]
        if !blocking.isEmpty { line.write(Line(", \(blocking)")) }
        output.line(line)
    }
}
