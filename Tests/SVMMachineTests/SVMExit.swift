import Memory
import Support
import VMX
import Virtualization
import X86

@testable import SVM

/// Where the guest stands, to find instructions for.
struct SVMCode {
    let is64Bit: Bool
    let hasWideOperands: Bool

    init(_ processor: SVMProcessor<SimulatedSVM>) {
        is64Bit = processor.mode.is64Bit
        hasWideOperands = processor.mode.defaultAddressSize != 2
    }
}

/// An exit that is told in the words of VMX, in those of SVM.
struct SVMExit {
    var code: SVMExitCode
    /// With decode assists, and without.
    var information1: UInt64 = 0
    var plainInformation1: UInt64 = 0
    var information2: UInt64 = 0
    var interrupted = SVMEvent.none
    /// The interrupted event is INT1, which is told only if Martlet has injected it.
    var isInjected = false
    /// DR6's bits of a debug exception.
    var debugStatus: UInt64?
    /// LMSW's operand, which is in AX.
    var machineStatus: UInt16?
    /// The instruction with prefixes up to its length; empty where the length fits none.
    var instruction: [UInt8] = []

    init(
        _ reason: BasicExitReason, qualification: UInt64, length: UInt32, physical: UInt64, information: UInt32,
        errorCode: UInt32, details: UInt32, vectoring: UInt32, vectoringErrorCode: UInt32, at place: SVMCode
    ) {
        var bytes: [UInt8] = []
        switch reason {
        case .exceptionOrNMI:
            let vector = UInt8(truncatingIfNeeded: information)
            switch information >> 8 & 7 {
            case 2: code = .nonMaskableInterrupt
            case 5: (code, bytes) = (.icebp, [0xF1])
            default:
                code = SVMExitCode(UInt64(0x40 + vector)) ?? .exceptionDE
                if vector == 1 { debugStatus = qualification }
                information1 = information & 1 << 11 != 0 ? UInt64(errorCode) : 0xBAD_F00D
                information2 = vector == 14 ? qualification : 0xBAD_F00D
                if information >> 8 & 7 == 6 { bytes = [vector == 3 ? 0xCC : 0xCE] }
            }
        case .externalInterrupt, .preemptionTimerExpired, .nmiWindow: code = .interrupt
        case .tripleFault: code = .shutdown
        case .initSignal: code = .initSignal
        case .interruptWindow: code = .virtualInterrupt
        case .cpuid: (code, bytes) = (.cpuid, [0x0F, 0xA2])
        case .hlt: (code, bytes) = (.hlt, [0xF4])
        case .invd: (code, bytes) = (.invd, [0x0F, 0x08])
        case .wbinvd: (code, bytes) = (.wbinvd, [0x0F, 0x09])
        case .rdpmc: (code, bytes) = (.rdpmc, [0x0F, 0x33])
        case .vmcall: (code, bytes) = (.vmmcall, [0x0F, 0x01, 0xD9])
        case .rdmsr: (code, bytes) = (.msr, [0x0F, 0x32])
        case .wrmsr: (code, bytes, information1) = (.msr, [0x0F, 0x30], 1)
        case .xsetbv: (code, bytes) = (.xsetbv, [0x0F, 0x01, 0xD1])
        case .monitor: (code, bytes) = (.monitor, [0x0F, 0x01, 0xC8])
        case .mwait: (code, bytes) = (.mwait, [0x0F, 0x01, 0xC9])
        case .vmxon: (code, bytes) = (.vmrun, [0x0F, 0x01, 0xD8])
        case .monitorTrapFlag: (code, debugStatus) = (.exceptionDB, 1 << 14)
        case .invlpg: (code, information1) = (.invlpg, qualification)
        case .taskSwitch:
            code = .taskSwitch
            information1 = qualification & 0xFFFF
            switch qualification >> 30 & 3 {
            case 1: (information2, bytes) = (1 << 36, [0xCF])
            case 2: (information2, bytes) = (1 << 38, [0xFF, 0x2B])
            case 3: bytes = [0xCD, UInt8(truncatingIfNeeded: vectoring)]
            default: bytes = [0xFF, 0x1B]
            }
        case .eptViolation:
            code = .nestedPageFault
            let isFetch = qualification & 4 != 0
            information1 =
                (qualification & 0x38 != 0 ? 1 : 0) | (qualification & 2) | 4 | (isFetch ? 1 << 4 : 0)
                | (qualification & 1 << 8 != 0 || qualification & 1 << 7 == 0 ? 1 << 32 : 1 << 33)
            information2 = physical
        case .eptMisconfiguration: (code, information1, information2) = (.nestedPageFault, 1 << 32 | 0xD, physical)
        case .apicAccess:
            code = .nestedPageFault
            information1 = (qualification >> 12 & 15 == 1 ? 2 : 0) | 4 | 1 << 32
            information2 = 0xFEE0_0000 + qualification & 0xFFF
        case .controlRegisterAccess:
            (code, information1, bytes) = (.cr0Write, 0, [])
            setControlRegister(ControlRegisterQualification(rawValue: qualification).access, place, &bytes)
        case .movDR:
            let access = DebugRegisterQualification(rawValue: qualification).access
            code = SVMExitCode(UInt64((access.isRead ? 0x20 : 0x30) + access.register)) ?? .dr0Read
            information1 = UInt64(access.general.value)
            bytes = [
                0x40 | (access.general.value >> 3), 0x0F, access.isRead ? 0x21 : 0x23,
                0xC0 | access.register << 3 | access.general.value & 7,
            ]
        case .ioInstruction:
            code = .ioio
            setPort(IOQualification(rawValue: qualification).access, details, place, &bytes)
        default: code = .invalid
        }
        if plainInformation1 == 0, code != .invlpg { plainInformation1 = information1 }
        if vectoring >> 31 != 0 { setInterrupted(vectoring, vectoringErrorCode, &bytes) }
        if reason == .controlRegisterAccess, information1 >> 63 != 0 { plainInformation1 = 0 }
        // A code segment's prefix means nothing to these instructions.
        if !bytes.isEmpty, length <= 15, Int(length) >= bytes.count {
            instruction = [UInt8](repeating: 0x2E, count: Int(length) - bytes.count) + bytes
        }
    }

    private mutating func setControlRegister(_ access: ControlRegisterAccess, _ place: SVMCode, _ bytes: inout [UInt8]) {
        func move(_ opcode: UInt8, _ register: UInt8, _ general: RegisterNumber) -> [UInt8] {
            let rex = (register >> 3) << 2 | (general.value >> 3)
            let plain: [UInt8] = [0x0F, opcode, 0xC0 | (register & 7) << 3 | general.value & 7]
            return rex == 0 ? plain : place.is64Bit ? [0x40 | rex] + plain : []
        }
        switch access {
        case .write(let register, let source):
            code = SVMExitCode(UInt64(0x10 + register)) ?? .invalid
            information1 = 1 << 63 | UInt64(source.value)
            bytes = move(0x22, register, source)
        case .read(let register, let destination):
            code = SVMExitCode(UInt64(register)) ?? .invalid
            information1 = 1 << 63 | UInt64(destination.value)
            bytes = move(0x20, register, destination)
        case .clearTaskSwitched: bytes = [0x0F, 0x06]
        case .loadMachineStatus(let status):
            bytes = [0x0F, 0x01, 0xF0]
            machineStatus = status
        }
    }

    private mutating func setPort(_ access: IOAccess, _ details: UInt32, _ place: SVMCode, _ bytes: inout [UInt8]) {
        let width = details == 0xBAD_F00D ? nil : details >> 7 & 7
        let segment = details == 0xBAD_F00D ? 3 : details >> 15 & 7
        information1 =
            (access.isInput ? 1 : 0) | (access.isString ? 4 : 0) | (access.isRepeated ? 8 : 0) | UInt64(access.size) << 4
            | UInt64(access.port) << 16
        plainInformation1 = information1
        information1 |= 1 << UInt64(7 + (width ?? (place.is64Bit ? 2 : place.hasWideOperands ? 1 : 0))) | UInt64(segment) << 10
        bytes = [(access.isString ? 0x6C : 0xEC) | (access.isInput ? 0 : 2) | (access.size == 1 ? 0 : 1)]
        if access.isRepeated { bytes.insert(0xF3, at: 0) }
        if access.size != 1, (access.size == 4) != place.hasWideOperands { bytes.insert(0x66, at: 0) }
        if access.isString, let width, width != (place.is64Bit ? 2 : place.hasWideOperands ? 1 : 0) { bytes.insert(0x67, at: 0) }
        if access.isString, segment != 3 {
            bytes.insert([0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65][Int(segment)], at: 0)
            // In 64-bit mode the prefixes of the first four mean nothing.
            if place.is64Bit, segment < 4 { bytes = [] }
        }
    }

    private mutating func setInterrupted(_ vectoring: UInt32, _ errorCode: UInt32, _ bytes: inout [UInt8]) {
        let vector = UInt8(truncatingIfNeeded: vectoring)
        let kind = UInt8(truncatingIfNeeded: vectoring >> 8 & 7)
        interrupted = SVMEvent(
            kind: kind > 4 ? .exception : SVMEvent.Kind(rawValue: kind) ?? .exception, vector: vector,
            errorCode: vectoring & 1 << 11 != 0 ? errorCode : nil)
        isInjected = kind == 5
        if bytes.isEmpty, kind >= 4 { bytes = kind == 4 ? [0xCD, vector] : kind == 5 ? [0xF1] : [vector == 3 ? 0xCC : 0xCE] }
    }
}
