import Text
import Machine
import Memory
import Trace
import VMX
import Virtualization
import X86

/// An exit of a file, with all that can be said of it.
public struct TracedExit {
    /// As the console counts: from 1, for each guest.
    public var number: UInt64
    public var record: ExitRecord
    /// The time stamp of the VM entry before it.
    public var lastEntry: UInt64

    /// How long the guest had run before it.
    public var guestTicks: UInt64 { record.arrival &- lastEntry }

    /// The manual's name of the reason.
    public var reasonName: String {
        reason.isEntryFailure ? "VM-entry failure" : "\(reason.name)"
    }

    public var reason: ExitReason { ExitReason(rawValue: record.reason) }

    /// The neutral exit, decoded by the same code as in the kernel.
    public var exit: Exit {
        // The decoder only looks at the VMCS, never at the constants.
        VMXProcessor(RecordedVMCS(record: record), TracedExit.constants).decodeExit()
    }

    nonisolated(unsafe) private static let constants = UnsafePointer(UnsafeMutablePointer<VMXConstants>.allocate(capacity: 1))

    /// The mode of the guest. Protected mode and the compatibility mode of IA-32e mode look alike in a record.
    public var mode: ProcessorMode {
        let rights = SegmentAccessRights(rawValue: UInt32(record.codeAccessRights))
        // VM entry demands these rights of CS in virtual-8086 mode, and no other mode allows them (SDM volume 3,
        // "Checks on Guest Segment Registers").
        let flags: RFlags = rights.rawValue == 0xF3 ? .virtual8086 : .none
        return ProcessorMode(
            cr0: ControlRegister0(rawValue: UInt64(record.cr0)), longModeActive: rights.isLong, flags: flags,
            codeIsLong: rights.isLong, codeIs32Bit: rights.is32Bit)
    }

    public var modeName: String {
        switch mode {
        case .real: "real"
        case .virtual8086: "virtual-8086"
        case .protected16, .compatibility16: "16-bit protected"
        case .protected32, .compatibility32: "32-bit protected"
        case .long64: "64-bit"
        }
    }

    /// Where the guest was.
    public var place: String {
        words(CodeAddress(selector: record.codeSelector, pointer: record.instructionPointer, mode: mode))
    }

    /// The registers at the exit, as far as they explain it.
    private func registers(_ exit: Exit) -> GeneralRegisters {
        var registers = GeneralRegisters()
        registers.rax = record.rax
        registers.rcx = record.rcx
        registers.rdx = record.rdx
        if case .controlRegister(.write(_, let source)) = exit { registers.set(source, to: record.operand) }
        return registers
    }

    /// What the exit was: "OUT 0x3f8, AL = 'H'".
    public var description: String {
        let exit = exit
        return words(ExitDescription(exit, registers(exit), in: mode))
    }

    /// The event that the VM entry delivers.
    public var event: Event? {
        let information = InterruptionInformation(rawValue: record.event)
        guard information.isValid else { return nil }
        let kind = information.kind.event
        // Outside real mode the processor is told the error code, which only the outcome's detail keeps.
        let hasCode = kind == .exception && ExceptionVector(information.vector).hasErrorCode
        return Event(kind: kind, vector: information.vector, errorCode: hasCode ? record.detail : nil)
    }

    /// What goes to the guest with the VM entry: the event that it delivers, and an interrupt that the processor will
    /// deliver itself as soon as the guest can take it.
    public var deliveries: [String] {
        var names: [String] = []
        if let event { names.append(words(event)) }
        if record.requestedVector != 0 { names.append("\(words(Event.interrupt(record.requestedVector))), by the processor") }
        return names
    }

    public var outcome: Outcome? { record.result(of: exit, event) }

    /// What Martlet did about it.
    public var action: String {
        guard let outcome else { return "what this version does not know (\(record.outcome))" }
        var registers = GeneralRegisters()
        registers.rax = record.nextRAX
        registers.rbx = UInt64(record.nextEBX)
        registers.rcx = UInt64(record.nextECX)
        registers.rdx = UInt64(record.nextEDX)
        return words(ExitAction(exit, outcome, registers))
    }

    /// Why the processor exits for this reason.
    public var cause: String { "\(reason.cause)" }
}

/// A record as the VMCS that its exit was decoded from. What was not recorded reads as 0.
struct RecordedVMCS: VMCSAccess {
    let record: ExitRecord

    func read(_ field: VMCSFieldEncoding) -> UInt64 {
        switch field {
        case VMCSField<ExitReason, ReadOnly>.exitReason.encoding: UInt64(record.reason)
        case VMCSField<UInt64, ReadOnly>.exitQualification.encoding: record.qualification
        case VMCSField<GuestPhysicalAddress, ReadOnly>.guestPhysicalAddress.encoding: record.operand
        case VMCSField<InterruptionInformation, ReadOnly>.exitInterruptionInformation.encoding: UInt64(record.interruption)
        case VMCSField<UInt32, ReadOnly>.exitInterruptionErrorCode.encoding: record.operand & 0xFFFF_FFFF
        default: 0
        }
    }

    func write(_ field: VMCSFieldEncoding, _ value: UInt64) {}
    func readPhysical(at address: HostPhysicalAddress) -> UInt64 { 0 }
    func writePhysical(_ value: UInt64, at address: HostPhysicalAddress) {}
    func invalidateNestedTranslations() {}
}
