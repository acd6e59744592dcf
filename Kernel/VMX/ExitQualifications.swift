import Memory
import Virtualization
import X86

// The exit qualification, one type for each reason that defines one (SDM volume 3, "Basic VM-Exit Information",
// tables "Exit Qualification for ..."). Each wraps the field in its natural width.

/// Of an I/O instruction.
public struct IOQualification {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Bits 2:0 hold the size less one.
    public var size: Int { Int(rawValue & 7) + 1 }
    public var isInput: Bool { rawValue & 1 << 3 != 0 }
    public var isString: Bool { rawValue & 1 << 4 != 0 }
    public var isRepeated: Bool { rawValue & 1 << 5 != 0 }
    public var port: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }

    @inline(__always)
    public var access: IOAccess {
        .init(port: port, size: size, isInput: isInput, isString: isString, isRepeated: isRepeated)
    }
}

/// Of a control-register access.
public struct ControlRegisterQualification {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public var register: UInt8 { UInt8(truncatingIfNeeded: rawValue) & 15 }
    /// Bits 5:4: 0 MOV to, 1 MOV from, 2 CLTS, 3 LMSW.
    public var kind: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 4) & 3 }
    public var general: RegisterNumber { .init(UInt8(truncatingIfNeeded: rawValue >> 8)) }
    /// Bits 31:16: LMSW's operand, also when it came from memory.
    public var machineStatus: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }

    public var access: ControlRegisterAccess {
        switch kind {
        case 0: .write(register: register, from: general)
        case 1: .read(register: register, to: general)
        case 2: .clearTaskSwitched
        default: .loadMachineStatus(machineStatus)
        }
    }
}

/// Of MOV DR.
public struct DebugRegisterQualification {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public var access: DebugRegisterAccess {
        .init(
            register: UInt8(truncatingIfNeeded: rawValue) & 7, isRead: rawValue & 1 << 4 != 0,
            general: .init(UInt8(truncatingIfNeeded: rawValue >> 8)))
    }
}

/// Of a task switch.
public struct TaskSwitchQualification {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public var taskSwitch: TaskSwitch {
        .init(
            selector: UInt16(truncatingIfNeeded: rawValue),
            source: .init(rawValue: UInt8(truncatingIfNeeded: rawValue >> 30) & 3)!)
    }
}

/// Of an EPT violation (SDM volume 3, table "Exit Qualification for EPT Violations").
public struct EPTViolationQualification {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public var isRead: Bool { rawValue & 1 != 0 }
    public var isWrite: Bool { rawValue & 2 != 0 }
    public var isFetch: Bool { rawValue & 4 != 0 }
    /// Bits 5:3: what the entries on the path allowed.
    public var isMapped: Bool { rawValue >> 3 & 7 != 0 }
    /// Bit 7: the guest-linear address is valid.
    public var hasLinearAddress: Bool { rawValue & 1 << 7 != 0 }
    /// Bit 8: the access was to the translation of the linear address, not to a table on the path to it.
    public var isTranslationOfLinearAddress: Bool { rawValue & 1 << 8 != 0 }

    public func fault(at address: GuestPhysicalAddress) -> NestedPageFault {
        .init(
            address: address, isRead: isRead, isWrite: isWrite, isFetch: isFetch, isMapped: isMapped,
            duringWalk: hasLinearAddress && !isTranslationOfLinearAddress)
    }
}

/// Of an access to the APIC-access page (SDM volume 3, table "Exit Qualification for APIC-Access VM Exits from Linear
/// Accesses and Guest-Physical Accesses").
public struct APICAccessQualification {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    private var offset: UInt16 { UInt16(truncatingIfNeeded: rawValue) & 0xFFF }

    /// Bits 15:12 give the kind; those from 3 on are the processor's own, not an instruction's operand.
    public var exit: VirtualAPICExit {
        switch rawValue >> 12 & 15 {
        case 0: .access(offset: offset, isWrite: false, isFetch: false)
        case 1: .access(offset: offset, isWrite: true, isFetch: false)
        case 2: .access(offset: offset, isWrite: false, isFetch: true)
        default: .accessDuringDelivery(offset: offset)
        }
    }
}
