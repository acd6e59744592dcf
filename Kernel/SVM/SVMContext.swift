import Memory
import Virtualization
import X86

/// What a virtual CPU on SVM has besides its VMCB: what of the processor's features it uses, and what of the guest's state the
/// VMCB has no place for.
///
/// It stays where it is as long as the virtual CPU lives.
public struct SVMContext {
    let abilities: Abilities
    /// Exits tell where the next instruction begins, and operands.
    let hasNextRIP: Bool
    let hasDecodeAssists: Bool
    /// What makes VMRUN drop the guest's cached translations.
    let flush: TLBControl
    /// The VMCB Clean field after an exit: all that the processor may have kept, or nothing.
    let clean: VMCBCleanBits
    let hasLastBranchVirtualization: Bool
    /// The guest is one with shadow tables, or whose own tables are to translate alone.
    let hasOtherTables: Bool
    /// The guest's general registers between an exit and the next VMRUN, among which an instruction's operands may be.
    let registers: UnsafeMutablePointer<GeneralRegisters>

    /// The next exit ends something that was begun for one VMRUN.
    var isUnsettled = false
    /// CR4 as the guest sees it.
    var cr4 = ControlRegister4.none
    /// DR6 before the debug trap that waits, if that is one of an instruction's.
    var statusBeforeTrap: UInt64?
    var nonMaskable = NonMaskableState()
    var step = TrapFlagState()
    var injected = InjectedInstruction()
    var tables = OtherTables()

    /// - Parameters:
    ///   - registers: stay where they are likewise.
    ///   - hasOtherTables: the guest is made for shadow tables, or for its own alone.
    public init(
        _ controls: SVMControls, registers: UnsafeMutablePointer<GeneralRegisters>, has1GiBPages: Bool,
        hasOtherTables: Bool = false
    ) {
        let features = controls.features
        abilities = Abilities(has1GiBPages: has1GiBPages, physicalAddressWidth: controls.physicalAddressWidth)
        hasNextRIP = features.contains(.nextRIP)
        hasDecodeAssists = features.contains(.decodeAssists)
        flush = features.contains(.flushByASID) ? .flushGuest : .flushAll
        clean = features.contains(.cleanBits) ? VMCBCleanBits(rawValue: 0x1FFF) : .none
        hasLastBranchVirtualization = features.contains(.lastBranchVirtualization)
        self.hasOtherTables = hasOtherTables
        self.registers = registers
    }

    struct Abilities: PagingAbilities {
        let has1GiBPages: Bool
        let physicalAddressWidth: Int
    }

    /// The guest is to execute its next instruction alone, unless an event comes.
    var expectsInstruction: Bool { @inline(__always) get { nonMaskable.isAtIRET || step.isOn } }

}

/// How the guest stands with non-maskable interrupts, which SVM delivers without virtualizing them (APM volume 2, "Event
/// Injection"): from when one is injected until the guest has executed IRET, no other comes.
struct NonMaskableState: Equatable, Sendable {
    var isBlocked = false
    /// One waits for being able to come.
    var isAwaited = false
    /// The guest stands at the IRET that ends the handler, and where that is.
    var isAtIRET = false
    var returnPointer: UInt64 = 0
    /// The guest has exited right behind that IRET.
    var isReturned = false
}

/// An instruction that the guest executes with RFLAGS.TF set for Martlet alone.
struct TrapFlagState: Sendable {
    enum Purpose: Sendable { case instruction, nonMaskableReturn }

    var isOn = false
    var purpose = Purpose.instruction
    /// RFLAGS.TF is set; not any more if an event came.
    var isFlagSet = false
    /// What was before: the intercepts of exceptions, DBGCTL.BTF, and DR6, until that is put back.
    var exceptions = InterceptVector<2>.none
    var branchSteps: UInt64 = 0
    var status: UInt64?
}

/// INT n, INT3, INTO or INT1, injected with RIP behind it.
struct InjectedInstruction: Sendable {
    /// 0 for none.
    var length: UInt64 = 0
    var end: UInt64 = 0
    /// Its length, if the last exit has interrupted its delivery.
    var interruptedLength: UInt64 = 0
}

/// How the guest's memory is translated without nested tables.
struct OtherTables: Sendable {
    /// Shadow tables translate for the guest now; otherwise nested ones do, or its own alone.
    var isShadowed = false
    /// The guest's CR3 while shadow tables translate.
    var cr3: UInt64 = 0
    /// Page faults exited before, for somebody who looks on.
    var observedPageFaults = false
    /// The guest's own tables translate for it alone, and where its RAM lies in the machine's memory.
    var isDirect = false
    var ramStart: UInt64 = 0
}
