import SVM
import X86

extension SVMExitCode {
    /// The manual's name in full.
    var fullName: String {
        switch self {
        case .avicIncompleteIPI, .avicNoAcceleration, .reservedForHost: "\(name)"
        default: "VMEXIT_\(name)"
        }
    }

    /// What happened: the meaning of the intercept, where there is one.
    var sentence: String {
        if let access = registerAccess { return access }
        if let vector = exceptionVector { return Self.sentence(ofException: vector) }
        return switch self {
        case .interrupt: "a physical maskable interrupt arrived; it stays pending for the host"
        case .nonMaskableInterrupt: "an NMI arrived; it stays pending for the host"
        case .systemManagementInterrupt: "a system-management interrupt arrived"
        case .initSignal: "an INIT signal arrived; it stays pending for the host"
        case .virtualInterrupt: "the guest is about to take a virtual interrupt, which the hypervisor asked to be told"
        case .cr0SelectiveWrite: "a write of CR0 changes other bits than TS and MP, or is LMSW"
        case .idtrRead: "SIDT"
        case .gdtrRead: "SGDT"
        case .ldtrRead: "SLDT"
        case .trRead: "STR"
        case .idtrWrite: "LIDT"
        case .gdtrWrite: "LGDT"
        case .ldtrWrite: "LLDT"
        case .trWrite: "LTR"
        case .softwareInterrupt: "INT n"
        case .ioio: "IN, OUT, INS or OUTS of a port whose bit in the I/O permissions map is 1"
        case .msr: "RDMSR or WRMSR of a register whose bit in the MSR permissions map is 1, or that has none"
        case .taskSwitch: "a hardware task switch"
        case .ferrFreeze: "the processor waits for an interrupt because of an x87 error"
        case .shutdown: "the guest shuts down, as by a fault during the delivery of #DF; its state is undefined"
        case .wbinvd: "WBINVD or WBNOINVD"
        case .monitor: "MONITOR or MONITORX"
        case .mwait: "MWAIT or MWAITX"
        case .mwaitConditional: "MWAIT or MWAITX while the monitor is armed"
        case .eferWriteTrap: "EFER was written; the instruction is over"
        case .invlpgbIllegal: "INVLPGB that is not specified rightly"
        case .busLock: "a bus lock while the Bus Lock Threshold Counter is 0"
        case .idleHLT: "HLT while no virtual interrupt is pending"
        case .nestedPageFault: "the nested page tables do not allow an access"
        case .avicIncompleteIPI: "the processor could not deliver a virtual interprocessor interrupt"
        case .avicNoAcceleration: "an access to a register of the virtual APIC that the processor does not work itself"
        case .vmgexit: "VMGEXIT, by which a guest with encrypted state calls the hypervisor"
        case .reservedForHost: "kept for the host: the processor never gives it"
        case .invalid: "VMRUN found the VMCB inconsistent; no instruction of the guest ran"
        case .busy: "the encrypted state of the guest is in use on another processor"
        case .idleRequired: "the sibling thread is not idle, as the guest demands"
        case .invalidPMC: "the state of the performance counters is inconsistent"
        // The instructions whose names are those of their codes.
        default: "\(name)"
        }
    }

    /// Of the codes that are arrays by a register's number.
    private var registerAccess: String? {
        switch rawValue {
        case 0x00: "MOV from CR0, or SMSW"
        case 0x10: "MOV to CR0, CLTS or LMSW"
        case 0x00...0x0F: "MOV from CR\(rawValue)"
        case 0x10...0x1F: "MOV to CR\(rawValue & 15)"
        case 0x20...0x2F: "MOV from DR\(rawValue & 15)"
        case 0x30...0x3F: "MOV to DR\(rawValue & 15)"
        case 0x90...0x9F: "CR\(rawValue & 15) was written; the instruction is over"
        default: nil
        }
    }

    private static func sentence(ofException vector: UInt8) -> String {
        if vector == 2 { return "no exception has vector 2: NMIs have an intercept of their own" }
        guard let mnemonic = mnemonic(ofException: vector) else { return "no exception has vector \(vector) yet" }
        return "the exception \(mnemonic), which was not delivered to the guest"
    }

    /// AMD's name of an exception, such as #XF; nil for a vector that stands for none.
    static func mnemonic(ofException vector: UInt8) -> StaticString? {
        switch vector {
        // NMIs and Intel's #VE are no exceptions here.
        case 2, 20: nil
        case 19: "#XF"
        case 28: "#HV"
        case 29: "#VC"
        case 30: "#SX"
        default: ExceptionVector(vector).mnemonic
        }
    }
}
