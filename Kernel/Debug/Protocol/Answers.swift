import Machine
import Memory
import Trace
import Virtualization
import X86

// What answers hold after their first byte, which is 0 for "done".

/// The answer to `hello`.
public struct AgentFacts: Equatable, Sendable {
    public enum GuestState: UInt8, Sendable {
        /// There is none yet, or the last one is being cleaned up.
        case none
        case runs, stands, ended
    }

    public static var currentVersion: UInt16 { 1 }

    public var version: UInt16
    public var guest: GuestState
    /// Steps use the monitor trap flag; otherwise RFLAGS.TF.
    public var hasTrapFlag: Bool
    public var trace: TraceLevel
    /// The size of the guest's RAM, from guest-physical 0 on.
    public var memorySize: UInt64
    /// Time-stamp ticks a second.
    public var frequency: UInt64
    // What the guest's processor reports, as its page tables must.
    /// MAXPHYADDR.
    public var guestAddressWidth: UInt8
    public var guestHasGibibytePages: Bool
    public var guestHasPSE36: Bool

    public init(
        version: UInt16 = AgentFacts.currentVersion, guest: GuestState, hasTrapFlag: Bool, trace: TraceLevel,
        memorySize: UInt64, frequency: UInt64, guestAddressWidth: UInt8, guestHasGibibytePages: Bool, guestHasPSE36: Bool
    ) {
        self.version = version
        self.guest = guest
        self.hasTrapFlag = hasTrapFlag
        self.trace = trace
        self.memorySize = memorySize
        self.frequency = frequency
        self.guestAddressWidth = guestAddressWidth
        self.guestHasGibibytePages = guestHasGibibytePages
        self.guestHasPSE36 = guestHasPSE36
    }

    public func encode(to message: inout Message) {
        message.append(version)
        message.append(guest.rawValue)
        message.append(UInt8((hasTrapFlag ? 1 : 0) | (guestHasGibibytePages ? 2 : 0) | (guestHasPSE36 ? 4 : 0)))
        message.append(trace.rawValue)
        message.append(memorySize)
        message.append(frequency)
        message.append(guestAddressWidth)
    }

    public init?(_ reader: inout MessageReader) {
        guard let version = reader.uint16(), let guest = reader.uint8().flatMap({ GuestState(rawValue: $0) }),
            let flags = reader.uint8(), let trace = reader.uint8().flatMap({ TraceLevel(rawValue: $0) }),
            let memorySize = reader.uint64(), let frequency = reader.uint64(), let width = reader.uint8()
        else { return nil }
        self.init(
            version: version, guest: guest, hasTrapFlag: flags & 1 != 0, trace: trace, memorySize: memorySize,
            frequency: frequency, guestAddressWidth: width, guestHasGibibytePages: flags & 2 != 0,
            guestHasPSE36: flags & 4 != 0)
    }
}

/// The answer to `capabilities`: the processor's values from which the VMX capabilities and the VM-entry checks are made, as
/// the processor gave them.
///
/// It can be queried like the processor: a register or leaf that is not there is 0.
public struct CapabilityFacts: Sendable {
    struct Register: Sendable { var number: UInt32 = 0, value: UInt64 = 0 }
    struct Leaf: Sendable {
        var leaf: UInt32 = 0, subleaf: UInt32 = 0
        var result = CPUIDResult(eax: 0, ebx: 0, ecx: 0, edx: 0)
    }

    /// Where the current VMCS lies.
    public var currentVMCS: HostPhysicalAddress
    /// MAXPHYADDR.
    public var physicalAddressWidth: UInt8
    /// 48 or 57.
    public var linearAddressWidth: UInt8
    private var registers: [32 of Register] = .init(repeating: Register())
    private var registerCount = 0
    private var leaves: [8 of Leaf] = .init(repeating: Leaf())
    private var leafCount = 0

    public init(currentVMCS: HostPhysicalAddress, physicalAddressWidth: UInt8, linearAddressWidth: UInt8) {
        self.currentVMCS = currentVMCS
        self.physicalAddressWidth = physicalAddressWidth
        self.linearAddressWidth = linearAddressWidth
    }

    /// Adds a register; false if there is no room.
    @discardableResult
    public mutating func add(_ register: ModelSpecificRegister, _ value: UInt64) -> Bool {
        guard registerCount < 32 else { return false }
        registers[registerCount] = Register(number: register.number, value: value)
        registerCount += 1
        return true
    }

    /// Adds a leaf of CPUID; false if there is no room.
    @discardableResult
    public mutating func add(leaf: UInt32, _ subleaf: UInt32, _ result: CPUIDResult) -> Bool {
        guard leafCount < 8 else { return false }
        leaves[leafCount] = Leaf(leaf: leaf, subleaf: subleaf, result: result)
        leafCount += 1
        return true
    }

    public func encode(to message: inout Message) {
        message.append(currentVMCS.rawValue)
        message.append(physicalAddressWidth)
        message.append(linearAddressWidth)
        message.append(UInt8(registerCount))
        for index in 0..<registerCount {
            message.append(registers[index].number)
            message.append(registers[index].value)
        }
        message.append(UInt8(leafCount))
        for index in 0..<leafCount {
            let entry = leaves[index]
            message.append(entry.leaf)
            message.append(entry.subleaf)
            message.append(entry.result.eax)
            message.append(entry.result.ebx)
            message.append(entry.result.ecx)
            message.append(entry.result.edx)
        }
    }

    public init?(_ reader: inout MessageReader) {
        guard let vmcs = reader.uint64(), let physical = reader.uint8(), let linear = reader.uint8(), let count = reader.uint8()
        else { return nil }
        self.init(currentVMCS: HostPhysicalAddress(vmcs), physicalAddressWidth: physical, linearAddressWidth: linear)
        for _ in 0..<count {
            guard let number = reader.uint32(), let value = reader.uint64(), add(ModelSpecificRegister(number), value) else {
                return nil
            }
        }
        guard let leaves = reader.uint8() else { return nil }
        for _ in 0..<leaves {
            guard let leaf = reader.uint32(), let subleaf = reader.uint32(), let eax = reader.uint32(),
                let ebx = reader.uint32(), let ecx = reader.uint32(), let edx = reader.uint32(),
                add(leaf: leaf, subleaf, CPUIDResult(eax: eax, ebx: ebx, ecx: ecx, edx: edx))
            else { return nil }
        }
    }
}

extension CapabilityFacts: ModelSpecificRegisterAccess, ProcessorIdentification {
    public func read(_ register: ModelSpecificRegister) -> UInt64 {
        for index in 0..<registerCount where registers[index].number == register.number { return registers[index].value }
        return 0
    }

    /// Does nothing: there is nothing to change.
    public func write(_ register: ModelSpecificRegister, _ value: UInt64) {}

    public func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult {
        for index in 0..<leafCount where leaves[index].leaf == leaf && leaves[index].subleaf == subleaf {
            return leaves[index].result
        }
        return CPUIDResult(eax: 0, ebx: 0, ecx: 0, edx: 0)
    }
}

/// The answer to `lastExit`: the last exit that stopped the guest. The state before it tells what it was.
public struct LastExit: Equatable, Sendable {
    /// What was done about it; nil if it stopped the guest before it was handled, or was the agent's own step.
    public var outcome: Outcome?

    public init(_ outcome: Outcome?) { self.outcome = outcome }

    /// The outcome's number, a detail in 4 bytes, and the event that was injected.
    public func encode(to message: inout Message) {
        var event = Event.interrupt(0)
        let (code, detail): (UInt8, UInt32)
        switch outcome {
        case nil: (code, detail) = (OutcomeNumber.untold.rawValue, 0)
        case .resume, .iterate: (code, detail) = (OutcomeNumber.resume.rawValue, 0)
        case .step: (code, detail) = (OutcomeNumber.step.rawValue, 0)
        case .inject(let injected), .wake(let injected):
            (code, detail) = (OutcomeNumber.inject.rawValue, 0)
            event = injected
        case .wait: (code, detail) = (OutcomeNumber.wait.rawValue, 0)
        case .stepLength(let length): (code, detail) = (OutcomeNumber.stepLength.rawValue, UInt32(length))
        case .execute: (code, detail) = (OutcomeNumber.execute.rawValue, 0)
        case .end(let ending): (code, detail) = ending.recorded
        }
        message.append(code)
        message.append(detail)
        event.encode(to: &message)
    }

    public init?(_ reader: inout MessageReader) {
        guard let code = reader.uint8(), let detail = reader.uint32(), let event = Event(&reader) else { return nil }
        switch OutcomeNumber(rawValue: code) {
        case .untold: outcome = nil
        case .resume: outcome = .resume
        case .step: outcome = .step
        case .inject: outcome = .inject(event)
        case .wait: outcome = .wait
        case .stepLength: outcome = .stepLength(UInt8(truncatingIfNeeded: detail))
        case .execute: outcome = .execute
        case nil:
            guard let ending = Ending(recorded: code, detail) else { return nil }
            outcome = .end(ending)
        }
    }
}

/// What the answer to `read` begins with; the bytes that could be read follow.
public struct MemoryAnswer: Equatable, Sendable {
    /// Why there are fewer bytes than requested.
    public enum Fault: Equatable, Sendable {
        /// The guest's page tables map nothing there.
        case notPresent
        /// An entry of the guest's page tables has a reserved bit set.
        case reservedBit
        case notCanonical
        /// A page table lies at this guest-physical address, where the guest has no RAM.
        case tableOutsideRAM(UInt64)
        /// The guest has no RAM at this guest-physical address: a device, or nothing.
        case outsideRAM(UInt64)
        /// The machine has no memory at this host-physical address.
        case noHostMemory(UInt64)
    }

    public var fault: Fault?

    public init(_ fault: Fault?) { self.fault = fault }

    /// How many bytes it takes.
    static var size: Int { 9 }

    private enum FaultNumber: UInt8 {
        case none, notPresent, reservedBit, notCanonical, tableOutsideRAM, outsideRAM, noHostMemory
    }

    /// The fault's number and address.
    public func encode(to message: inout Message) {
        let (code, address): (FaultNumber, UInt64) =
            switch fault {
            case nil: (.none, 0)
            case .notPresent: (.notPresent, 0)
            case .reservedBit: (.reservedBit, 0)
            case .notCanonical: (.notCanonical, 0)
            case .tableOutsideRAM(let address): (.tableOutsideRAM, address)
            case .outsideRAM(let address): (.outsideRAM, address)
            case .noHostMemory(let address): (.noHostMemory, address)
            }
        message.append(code.rawValue)
        message.append(address)
    }

    public init?(_ reader: inout MessageReader) {
        guard let code = reader.uint8().flatMap({ FaultNumber(rawValue: $0) }), let address = reader.uint64() else { return nil }
        fault =
            switch code {
            case .none: nil
            case .notPresent: .notPresent
            case .reservedBit: .reservedBit
            case .notCanonical: .notCanonical
            case .tableOutsideRAM: .tableOutsideRAM(address)
            case .outsideRAM: .outsideRAM(address)
            case .noHostMemory: .noHostMemory(address)
            }
    }
}

/// A row of the answer to `statistics`.
public struct StatisticsRow: Equatable, Sendable {
    public var reason: UInt16
    public var figures: ExitStatistics.Row

    public init(reason: UInt16, _ figures: ExitStatistics.Row) {
        self.reason = reason
        self.figures = figures
    }

    static var size: Int { 34 }

    public func encode(to message: inout Message) {
        message.append(reason)
        message.append(figures.count)
        message.append(figures.total)
        message.append(figures.least)
        message.append(figures.most)
    }

    public init?(_ reader: inout MessageReader) {
        guard let reason = reader.uint16(), let count = reader.uint64(), let total = reader.uint64(),
            let least = reader.uint64(), let most = reader.uint64()
        else { return nil }
        self.reason = reason
        figures = .init()
        figures.count = count
        figures.total = total
        figures.least = least
        figures.most = most
    }
}

/// What the answer to `statistics` begins with; rows follow, from the requested reason on, as many as fit.
public struct StatisticsTotals: Equatable, Sendable {
    /// Of all exits.
    public var count: UInt64
    public var total: UInt64
    /// Ticks that the guest itself ran.
    public var guestTotal: UInt64

    public init(count: UInt64, total: UInt64, guestTotal: UInt64) {
        self.count = count
        self.total = total
        self.guestTotal = guestTotal
    }

    public func encode(to message: inout Message) {
        message.append(count)
        message.append(total)
        message.append(guestTotal)
    }

    public init?(_ reader: inout MessageReader) {
        guard let count = reader.uint64(), let total = reader.uint64(), let guestTotal = reader.uint64() else { return nil }
        self.init(count: count, total: total, guestTotal: guestTotal)
    }
}

/// The answer to `readWords`: words of 8 bytes, the zeros among them left out.
///
/// Eight words are a group: a byte with a bit for each word that is not zero, from the lowest on, then those words.
public struct WordGroups {
    private var reader: MessageReader
    private var mask: UInt8 = 0
    private var left = 0

    public init(_ reader: MessageReader) { self.reader = reader }

    /// The next word; nil after the last group.
    public mutating func next() -> UInt64? {
        if left == 0 {
            guard let byte = reader.uint8() else { return nil }
            mask = byte
            left = 8
        }
        let isThere = mask & 1 != 0
        mask >>= 1
        left -= 1
        return isThere ? reader.uint64() : 0
    }
}
