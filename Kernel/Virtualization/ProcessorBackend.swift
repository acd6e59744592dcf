import Memory
import X86

/// One virtual CPU as its backend (VMX, SVM) offers it: read and write guest state, decode an exit, step, inject.
///
/// State lives in the backend's control structure and is read when needed. Everything is resolved at compile time.
public protocol ProcessorBackend {
    // MARK: Exits

    /// Why the guest stopped. Reads only what the reason needs.
    ///
    /// Inline, so that the switch on its result merges with the switch on the reason.
    @inline(__always) func decodeExit() -> Exit

    /// Moves RIP past the instruction that exited.
    /// - Returns: whether that is all; if not, `endInstruction` must follow.
    @inline(__always) func stepPastInstruction() -> Bool

    /// Moves RIP past an instruction of a known length, likewise, where the processor does not tell the length.
    @inline(__always) func stepPastInstruction(length: UInt64) -> Bool

    /// What else the end of an instruction brings: ends the blocking by STI and MOV SS, clears RF, raises the single-step
    /// trap if TF is set, and wraps RIP at 32 bits outside 64-bit mode.
    /// - Returns: whether a debug trap is now waiting.
    func endInstruction() -> Bool

    /// An iteration of a repeated string instruction was emulated, and the instruction goes on: RIP stays, but the blocking
    /// by STI and MOV SS ends and TF raises the single-step trap, as after an instruction; RF is set.
    /// - Returns: whether a debug trap is now waiting.
    func endIteration() -> Bool

    /// The instruction after which STI or MOV SS holds events is over.
    func endBlocking()

    /// Whether a debug trap is waiting, which the next VM entry brings unless it injects an event: the trap would then be lost.
    var isDebugTrapPending: Bool { get }

    /// Data and I/O breakpoints, one bit each, were hit and trap when the instruction is over.
    func addBreakpointTraps(_ breakpoints: UInt64)

    /// The length of the instruction that exited, 1 to 15; undefined for nested page faults.
    var instructionLength: UInt8 { get }

    /// Memory operand of a string port instruction.
    func stringIOOperand() -> StringIOOperand

    /// The event whose delivery the exit interrupted, to be injected again or lost.
    var interruptedEvent: Event? { get }

    /// Whether there is one.
    var isDeliveringEvent: Bool { get }

    /// The backend's number of the last exit's reason.
    @inline(__always) var exitReasonNumber: UInt32 { get }

    /// The manual's name of a reason.
    static func name(ofReason number: UInt32) -> StaticString

    // MARK: Events

    /// Delivers an event on the next VM entry.
    @inline(__always) func inject(_ event: Event)

    /// Delivers an external interrupt on the next VM entry; the guest must be able to take it then.
    func injectInterrupt(_ vector: UInt8)

    /// Whether the guest could take an external interrupt at the next VM entry: RFLAGS.IF is set, nothing blocks it, and
    /// no other event is being injected.
    var canTakeInterrupt: Bool { get }

    /// Requests an exit as soon as the guest can take an interrupt, or withdraws the request.
    func requestInterruptWindow(_ wanted: Bool)

    /// The debug trap and the interrupts that the guest could not take at the next VM entry.
    var blockedEvents: BoundaryEvents { get }

    /// The handler of a non-maskable interrupt runs from now on, which blocks others, or no longer runs.
    func blockNonMaskableInterrupts(_ blocks: Bool)

    /// Requests an exit as soon as the guest can take a non-maskable interrupt, or withdraws the request.
    func requestNonMaskableInterruptWindow(_ wanted: Bool)

    /// The event that the next VM entry delivers, in the backend's own form; 0 for none.
    var entryEvent: UInt32 { get }

    // MARK: Local APIC

    /// How much of the local APIC the processor handles.
    var interruptAssistance: InterruptAssistance { get }

    /// Makes the processor follow the mode of the guest's local APIC.
    func setLocalAPICMode(_ mode: LocalAPICMode)

    /// The highest vectors requested and in service, 0 for none. Only with assistance in delivery.
    func setVirtualInterrupts(requested: UInt8, inService: UInt8)

    /// One more vector is requested. Only with assistance in delivery.
    func requestVirtualInterrupt(_ vector: UInt8)

    /// The guest exits when its task priority falls below this class; 0 never. Only with assistance in task priority.
    func setTaskPriorityThreshold(_ priorityClass: UInt8)

    /// The vectors, 64 per word, whose end of interrupt exits. Only with assistance in delivery.
    func setEndOfInterruptExits(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64)

    /// Lets the guest run for at most that many time-stamp ticks.
    /// - Returns: false, and nothing was done, if the processor has no timer for that.
    func setTimer(ticks: UInt64) -> Bool

    /// Whether it has one.
    var hasTimer: Bool { get }

    // MARK: One instruction on pages that stand in for devices

    /// Maps a host page in place of a guest page without RAM.
    /// - Parameter linear: where the guest's tables map that; without nested tables, only this counts.
    /// - Returns: false if there is no room, or RAM.
    func map(
        _ place: GuestPhysicalAddress, at linear: GuestVirtualAddress, to frame: HostPhysicalAddress, _ access: StandIns.Access,
        _ standIns: inout StandIns
    ) -> Bool

    /// Restores the tables, and frees the stand-ins for others.
    func unmap(_ standIns: inout StandIns)

    /// Makes the guest exit after the next instruction, or no longer.
    /// - Returns: whether it did before.
    func trapInstruction(_ wanted: Bool) -> Bool

    /// That exit comes by RFLAGS.TF, which instructions that store the flags would show.
    @inline(__always) var stepsByTrapFlag: Bool { get }

    /// What that exit is. Without a monitor trap flag it comes as a debug exception, which may include a breakpoint that the
    /// instruction has hit; that then waits.
    func distinguishTrap(_ exit: Exit) -> Exit

    /// Restarts at the next VM entry what a nested page fault interrupted.
    func beginAnew()

    // MARK: Shadow tables

    /// Nested tables can translate for the guest; otherwise shadow tables do, whatever it does.
    var hasNestedTables: Bool { get }

    /// Whether shadow tables translate for the guest, rather than nested ones.
    var usesShadowTables: Bool { get }

    /// Whether the guest is in a state in which shadow tables, or its own tables alone, can translate.
    var canUseShadowTables: Bool { get }

    /// Makes the processor translate by shadow tables, and page faults, CR3, INVLPG and INVPCID exit.
    /// - Parameters:
    ///   - root: what CR3 refers to. If that equals the guest's own, reading CR3 does not exit.
    ///   - cr3: the guest's, from now on.
    func useShadowTables(_ root: HostPhysicalAddress, for cr3: UInt64)

    /// Lets the guest load these values into CR3 without an exit, and no others.
    func allowLoads(of values: [4 of UInt64], count: Int)

    /// Makes the processor translate by the guest's own tables and nested ones.
    func useNestedTables()

    /// The operands of INVPCID.
    func invalidationOperand() -> InvalidationOperand

    // MARK: Real mode without the processor's

    /// The guest is in real mode, and the processor in virtual-8086 mode: events are not injected but delivered by Martlet.
    var emulatesRealMode: Bool { get }

    /// Takes back the event that the next VM entry was to inject.
    func takeEvent() -> Event?

    /// Interrupts wait for the end of the next instruction, as after STI.
    func blockInterrupts()

    /// A task switch may have left segments with which the guest cannot be entered.
    func fitSegmentsOfTask()

    // MARK: Direct paging

    /// Whether only the guest's own tables translate for it.
    var translatesDirectly: Bool { get }

    /// Makes the processor translate only by the guest's own tables, until the guest ends, and MOV to CR3 exit.
    /// - Parameter ram: where the guest's RAM lies in the machine's memory.
    func translateDirectly(_ ram: HostPhysicalAddress)

    // MARK: State

    /// What the backend's control structure holds of the guest, as a plain value.
    associatedtype GuestState: Equatable
    var guestState: GuestState { get nonmutating set }
    var instructionPointer: UInt64 { get nonmutating set }
    var stackPointer: UInt64 { get nonmutating set }
    var flags: RFlags { get nonmutating set }
    /// CR0 as the guest sees it. Setting it forces the bits that the hardware needs, invisibly to the guest.
    var cr0: ControlRegister0 { get nonmutating set }
    /// CR4 as the guest sees it.
    var cr4: ControlRegister4 { get nonmutating set }
    /// Whether MOV from CR4 exits, besides those from CR3 and CR8.
    @inline(__always) var readsOfCR4Exit: Bool { get }
    var cr3: UInt64 { get nonmutating set }
    /// CR3 as the processor has it: the guest's unless shadow tables are in use.
    var loadedCR3: UInt64 { get }
    /// IA32_EFER; setting LMA also sets the mode that the guest resumes in.
    var extendedFeatures: ExtendedFeatureEnable { get nonmutating set }
    /// IA32_PAT, where VMX itself does not switch it.
    var pageAttributeTable: UInt64 { get nonmutating set }
    var debugRegister7: DebugRegister7 { get nonmutating set }
    /// IA32_DEBUGCTL.
    var debugControl: UInt64 { get nonmutating set }
    func segment(_ register: SegmentRegister) -> Segment
    func setSegment(_ register: SegmentRegister, _ segment: Segment)
    var globalDescriptorTable: (base: UInt64, limit: UInt32) { get }
    /// The base and limit of GDTR.
    func setGlobalDescriptorTable(base: UInt64, limit: UInt32)
    var interruptDescriptorTable: (base: UInt64, limit: UInt32) { get }
    func setInterruptDescriptorTable(base: UInt64, limit: UInt32)
    /// The privilege level, 0 to 3 (the DPL of SS).
    var privilegeLevel: UInt8 { get }
    /// The same as the processor has it: 3 for a guest in real mode for which the processor is in virtual-8086 mode.
    var processorsPrivilegeLevel: UInt8 { get }
    /// The mode that the guest executes in.
    var mode: ProcessorMode { get }
    /// Whether that is 64-bit mode; cheaper than `mode`.
    var executes64BitCode: Bool { get }
    /// The guest's page-directory pointers under PAE paging, as the processor loads them on MOV to CR3.
    func setPageDirectoryPointers(_ entries: [4 of UInt64])
    func pageDirectoryPointers() -> [4 of UInt64]
    /// How the guest translates linear addresses now.
    func paging(_ abilities: some PagingAbilities) -> GuestPaging
    /// The offset added to the processor's time-stamp counter for the guest.
    var timeStampOffset: UInt64 { get nonmutating set }
    /// Drops cached translations of this virtual CPU that its own control-register writes make stale.
    func flushTranslations()
}

/// Where a string port instruction reads or writes memory: at RSI or RDI.
public struct StringIOOperand: Equatable, Sendable {
    /// The source's segment register, for OUTS; INS always uses ES.
    public var segment: SegmentRegister
    /// 2, 4 or 8.
    public var addressSize: Int

    public init(segment: SegmentRegister, addressSize: Int) {
        self.segment = segment
        self.addressSize = addressSize
    }
}

/// The parts of the processor model shown to a guest that affect its paging.
public protocol PagingAbilities {
    var has1GiBPages: Bool { get }
    var physicalAddressWidth: Int { get }
}
