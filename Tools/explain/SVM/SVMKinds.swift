import SVM
import StudyTools
import Text
import X86

extension Kind {
    /// What AMD's processors have.
    static let svm: [Kind] = [
        Kind(
            name: "exit-code", operands: "CODE [EXITINFO1 [EXITINFO2]]",
            about: "SVM: an exit code, and what EXITINFO1 and EXITINFO2 say of it",
            example: "exit-code 0x400 0x100000006 0xfee00300",
            explain: exitCode),
        Kind(
            name: "event", operands: "VALUE", about: "SVM: an event to be injected (EVENTINJ) or interrupted (EXITINTINFO)",
            example: "event 0x680000b0e", explain: event),
        Kind(
            name: "intercepts", operands: "VECTOR VALUE", about: "SVM: an intercept vector of the VMCB, 0 to 5",
            example: "intercepts 3 0xbd4c8027", explain: intercepts),
        Kind(
            name: "attributes", operands: "VALUE", about: "SVM: a segment's attributes in the VMCB", example: "attributes 0xa9b",
            explain: attributes),
        Kind(
            name: "vmcb-control", operands: "FIELD VALUE",
            about: "SVM: a control of the VMCB: virtual-interrupts, shadow, nested, virtualization, clean or tlb",
            example: "vmcb-control virtual-interrupts 0x3101000100", explain: vmcbControl),
        Kind(
            name: "npt-entry", operands: "VALUE [LEVEL]",
            about: "SVM: an entry of the nested page tables; its table's level is 1 if not said",
            example: "npt-entry 0x100000e7 2",
            explain: nptEntry),
        Kind(
            name: "permission-map", operands: "msr NUMBER | io PORT",
            about: "SVM: where the bits of a register or a port lie in the permission maps",
            example: "permission-map msr 0xc0000080",
            explain: permissionMap),
        Kind(
            name: "svm-features", operands: "EAX EBX ECX EDX", about: "SVM: the answer of CPUID Fn8000_000A",
            example: "svm-features 1 0x8000 0 0x1119b9ff", explain: features),
        Kind(
            name: "vm-cr", operands: "VALUE", about: "SVM: VM_CR, MSR 0xc0010114", example: "vm-cr 8",
            explain: { try svmFlags(VMControlRegister.self, &$0, $1) }),
        Kind(
            name: "vmcb", operands: "FILE [--physical-width BITS]",
            about: "SVM: a VMCB dump of KVM or Xen in a file (- for standard input): runs the checks of VMRUN on it",
            example: "vmcb dmesg.txt", explain: { try VMCBDumpCommand.run(&$0, $1) }),
    ]

    private static let exitCode: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let code = try arguments.number("the exit code")
        let information1 = arguments.isEmpty ? nil : try arguments.number("EXITINFO1")
        let information2 = arguments.isEmpty ? nil : try arguments.number("EXITINFO2")
        try arguments.finish()
        ExitCodeExplanation(code: code, information1: information1, information2: information2).report(to: session.print)
        return 0
    }

    private static let event: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let event = SVMEvent(rawValue: try arguments.number("the value"))
        try arguments.finish()
        SVMEventExplanation(event: event).report { session.print(String($0)) }
        return 0
    }

    private static let intercepts: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let vector = try arguments.number("the vector")
        switch vector {
        case 0: return try svmFlags(InterceptVector<0>.self, &arguments, session)
        case 1: return try svmFlags(InterceptVector<1>.self, &arguments, session)
        case 2: return try svmFlags(InterceptVector<2>.self, &arguments, session)
        case 3: return try svmFlags(InterceptVector<3>.self, &arguments, session)
        case 4: return try svmFlags(InterceptVector<4>.self, &arguments, session)
        case 5: return try svmFlags(InterceptVector<5>.self, &arguments, session)
        default: throw arguments.wrong("the vector \(vector) must be from 0 to 5")
        }
    }

    private static let attributes: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let attributes = VMCBSegmentAttributes(rawValue: UInt16(try arguments.number("the value", bits: 12)))
        try arguments.finish()
        session.print(
            "segment attributes 0x\(String(attributes.rawValue, radix: 16)): \(attributes.words) (APM volume 2, \"VMRUN Instruction\")"
        )
        session.print("  in a descriptor: 0x\(String(attributes.descriptorAttributes.rawValue, radix: 16))")
        return 0
    }

    private static let vmcbControl: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let field = try arguments.next("the control")
        switch field {
        case "shadow": return try svmFlags(InterruptShadow.self, &arguments, session)
        case "nested": return try svmFlags(NestedControl.self, &arguments, session)
        case "virtualization": return try svmFlags(VirtualizationControl.self, &arguments, session)
        case "clean": return try svmFlags(VMCBCleanBits.self, &arguments, session)
        case "virtual-interrupts":
            let control = VirtualInterruptControl(rawValue: try arguments.number("the value"))
            try arguments.finish()
            VirtualInterruptExplanation(control: control).report { session.print(String($0)) }
            return 0
        case "tlb":
            let control = TLBControl(rawValue: UInt8(try arguments.number("the value", bits: 8)))
            try arguments.finish()
            session.print("TLB_CONTROL \(control.rawValue): at VMRUN \(control.words) (APM volume 2, \"TLB Flush\")")
            return 0
        default:
            throw arguments.wrong(
                "there is no control \"\(field)\": virtual-interrupts, shadow, nested, virtualization, clean and tlb are")
        }
    }

    private static let nptEntry: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let value = try arguments.number("the value")
        let level = arguments.isEmpty ? 1 : try arguments.number("the level")
        guard (1...5).contains(level) else { throw arguments.wrong("the level \(level) must be from 1 to 5") }
        try arguments.finish()
        NPTEntryExplanation(entry: NPTEntry(rawValue: value), level: Int(level)).report { session.print(String($0)) }
        return 0
    }

    private static let permissionMap: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        let map = try arguments.next("msr or io")
        switch map {
        case "msr":
            let register = ModelSpecificRegister(UInt32(try arguments.number("the register's number", bits: 32)))
            try arguments.finish()
            session.print("\(words(register)) in the MSR permissions map (APM volume 2, \"MSR Intercepts\")")
            for (name, isWrite) in [("RDMSR", false), ("WRMSR", true)] {
                guard let bit = MSRPermissionMap.bit(of: register, isWrite: isWrite) else {
                    session.print("  \(name) has no bit there, and exits if the map is in use")
                    continue
                }
                session.print("  \(name) exits by \(place(of: bit))")
            }
        case "io":
            let port = UInt16(try arguments.number("the port", bits: 16))
            try arguments.finish()
            session.print("port 0x\(String(port, radix: 16)) in the I/O permissions map (APM volume 2, \"I/O Permissions Map\")")
            for byteCount in [1, 2, 4] {
                let places = IOPermissionMap.bits(of: port, byteCount: byteCount).map(place)
                session.print("  an access of \(count: byteCount, "byte") exits by \(places.joined(separator: ", "))")
            }
        default: throw arguments.wrong("there is no map \"\(map)\": msr and io are")
        }
        return 0
    }

    private static func place(of bit: Int) -> String { "bit \(bit % 8) of byte 0x\(String(bit / 8, radix: 16))" }

    private static let features: @Sendable (inout Arguments, Session) throws -> Int32 = { arguments, session in
        var registers: [UInt32] = []
        for name in ["EAX", "EBX", "ECX", "EDX"] { registers.append(UInt32(try arguments.number(name, bits: 32))) }
        try arguments.finish()
        let identification = SVMIdentification(
            .init(eax: registers[0], ebx: registers[1], ecx: registers[2], edx: registers[3]))
        session.print(
            "SVM revision \(identification.revision), \(count: identification.asidCount, "ASID") with that of the host"
                + (identification.offersExtendedX2AVIC ? ", x2AVIC with 4096 processors" : ""))
        FlagExplanation(identification.features).report { session.print(String($0)) }
        return 0
    }

    private static func svmFlags<Flags: ExplainedFlags>(
        _ kind: Flags.Type, _ arguments: inout Arguments, _ session: Session
    ) throws -> Int32 {
        let value = try arguments.number("the value", bits: Flags.RawValue.bitWidth)
        try arguments.finish()
        FlagExplanation(Flags(rawValue: Flags.RawValue(truncatingIfNeeded: value))).report { session.print(String($0)) }
        return 0
    }
}
