import Debug
import VMX

extension Complaint {
    /// Why the agent did not do what was asked.
    init(_ failure: AgentFailure) {
        let number = failure.number
        let words =
            switch failure.error {
            case .malformed, .unknownRequest:
                "the agent does not understand this: the kernel and martlet study are from different builds"
            case .unknownVersion:
                "the agent speaks version \(number) of its protocol, and this is version \(AgentFacts.currentVersion): rebuild both"
            case .notStopped: "the guest is running: stop it first, with Ctrl-C"
            case .hasEnded: "the guest has ended: \"reset\" restarts it, \"quit\" ends the machine"
            case .nothingYet: "there has been no exit yet"
            case .tooLong: "that is too much for one answer"
            case .noMemory: "the guest has no RAM at guest-physical \(hex: number)"
            case .noHostMemory: "the machine has no memory at host-physical \(hex: number)"
            case .notMapped: "the guest's page tables map nothing at \(hex: number)"
            case .noRoom:
                "there \(number == 1 ? "is" : "are") \(count: number, "breakpoint") already: \"delete NUMBER\" makes room"
            case .noSuchStop: "there is no such breakpoint: \"break\" lists them"
            case .beyondMemory: "the guest's memory ends at \(hex: number)"
            case .notCanonical: "no instruction can be there: the address is not canonical"
            case .noDebugRegister:
                "\(count: number, "of the four debug registers serves", "of the four debug registers serve") breakpoints, and the guest uses the others: \"break fetch\" needs none"
            case .noNestedPages:
                "the EPT cannot map such pages: there is no memory left for tables, or no support for execute-only pages"
            case .noWatchesOfMemory:
                "memory cannot be watched under MMU=shadow, as that needs the EPT: \"break address\" does not"
            case .noShadowTables: "there are no shadow tables: they need MMU=shadow"
            case .keptByShadowPaging: "shadow paging keeps this field: set the register, such as \"set cr3 VALUE\""
            case .noSuchRegister: "there is no such register"
            case .noSuchField: "there is no such field, or not on this processor"
            case .notGuestState: "the field is not part of the guest state"
            case .activityState: "Martlet only enters guests in the active state: the activity state cannot be set"
            case .valueTooWide: "the value has more than \(count: number, "bit")"
            case .wouldFault: "a MOV or WRMSR of this value would raise an exception"
            case .virtual8086: "RFLAGS.VM cannot be changed alone: segments and mode depend on it"
            case .entryWouldFail: "the VM entry would fail: \(Self.rule(number))"
            case .noSegment: "descriptor \(hex: number) does not describe a present segment"
            case .needsSegment: "the register needs a segment here"
            case .needsCode: "selector \(hex: number) selects data, and CS needs code"
            case .unreachableCode: "selector \(hex: number) selects code that no jump from this privilege level reaches"
            case .needsWritableData: "selector \(hex: number) does not select writable data, which SS needs"
            case .wrongPrivilegeLevel: "selector \(hex: number) does not have the guest's privilege level, which SS needs"
            case .unreadableCode: "selector \(hex: number) selects code that cannot be read"
            case .tooPrivileged: "selector \(hex: number) has a privilege level that cannot be reached from here"
            case .noLocalTable: "there is no local descriptor table"
            case .beyondTable: "the selector is beyond its table, whose last byte is \(hex: number)"
            case .descriptorNotMapped: "the guest's page tables map no memory at \(hex: number), where the descriptor is"
            case .eventPending: "the next VM entry already delivers an event: step first"
            case .interruptsBlocked: "the guest cannot take an interrupt now: RFLAGS.IF is clear, or STI or MOV SS blocks it"
            case .nonMaskableInterruptsBlocked: "NMIs are blocked now"
            case .badVector: "there is no such event with this vector"
            case .needsErrorCode: "the exception has an error code, which must follow"
            case .badErrorCode: "the exception has no error code, or none like this"
            case .noRoomForInput: "the guest has not yet read the earlier input: continue"
            }
        self.init(words)
    }

    /// The field that a broken rule is about.
    private static func rule(_ number: UInt64) -> String {
        let field = VMCSFieldEncoding(rawValue: UInt32(truncatingIfNeeded: number))
        return VMCSFieldDescription.position(of: field).map { "\(VMCSFieldDescription.field(at: $0).name)" }
            ?? "a rule of the guest state"
    }
}
