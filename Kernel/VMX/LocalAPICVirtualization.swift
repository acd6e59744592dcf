import Memory
import Virtualization
import X86

/// What the processor does for a guest's local APIC, and the structures that make it follow the APIC's mode.
public struct LocalAPICVirtualization: Equatable, Sendable {
    public let assistance: InterruptAssistance
    /// The secondary controls for it.
    let controls: SecondaryControls
    let msrBitmaps: HostPhysicalAddress
    /// The nested page-table entry that maps the APIC-access page at the APIC's usual place, and its value while mapped.
    let accessEntry: HostPhysicalAddress
    let accessEntryValue: UInt64

    public init(
        _ controls: VMXControls, msrBitmaps: HostPhysicalAddress, accessEntry: HostPhysicalAddress, accessEntryValue: UInt64
    ) {
        assistance = controls.assistance
        self.controls = controls.localAPIC
        self.msrBitmaps = msrBitmaps
        self.accessEntry = accessEntry
        self.accessEntryValue = accessEntryValue
    }

    #if !hasFeature(Embedded)
    /// None, for code that enters no guest.
    static var none: Self {
        .init(
            assistance: .none, controls: .none, msrBitmaps: HostPhysicalAddress(0), accessEntry: HostPhysicalAddress(0),
            accessEntryValue: 0)
    }

    private init(
        assistance: InterruptAssistance, controls: SecondaryControls, msrBitmaps: HostPhysicalAddress,
        accessEntry: HostPhysicalAddress, accessEntryValue: UInt64
    ) {
        self.assistance = assistance
        self.controls = controls
        self.msrBitmaps = msrBitmaps
        self.accessEntry = accessEntry
        self.accessEntryValue = accessEntryValue
    }
    #endif
}

/// The x2APIC registers in the MSR bitmaps, one bit each from MSR 800H on: the first 64 include all that exist.
private enum RegisterSet {
    static var taskPriority: UInt64 { 1 << 0x08 }
    /// Those that the processor reads from the virtual-APIC page and whose true value is there: not the timer's
    /// current count (SDM volume 3, "Virtualizing MSR-Based APIC Accesses").
    static var readable: UInt64 {
        1 << 0x02 | 1 << 0x03 | taskPriority | 1 << 0x0A | 1 << 0x0D | 1 << 0x0F | 0x1FF_FFFF << 0x10
            | 1 << 0x30 | 0x7F << 0x32 | 1 << 0x3E
    }
    /// Task priority, end of interrupt, self-IPI.
    static var writable: UInt64 { taskPriority | 1 << 0x0B | 1 << 0x3F }
}

extension VMXProcessor {
    public var interruptAssistance: InterruptAssistance { constants.pointee.localAPIC.assistance }

    /// Virtualizes the local APIC in its mode, as far as the processor can.
    @_optimize(speed)
    public func setLocalAPICMode(_ mode: LocalAPICMode) {
        let apic = constants.pointee.localAPIC
        guard apic.assistance != .none else { return }
        var wanted: SecondaryControls = .none
        var passedReads: UInt64 = 0
        var passedWrites: UInt64 = 0
        switch mode {
        case .disabled: break
        case .movedMemory: wanted = VMXControls.interruptDelivery
        case .memory: wanted = VMXControls.interruptDelivery | .virtualizeAPICAccesses
        case .registers:
            wanted = VMXControls.interruptDelivery | .virtualizeX2APICMode
            guard apic.controls.contains(.virtualizeX2APICMode) else { break }
            passedReads = apic.assistance == .delivery ? RegisterSet.readable : RegisterSet.taskPriority
            passedWrites = apic.assistance == .delivery ? RegisterSet.writable : RegisterSet.taskPriority
        }
        if apic.controls != .none {
            vmcs[.secondaryControls] = vmcs[.secondaryControls].subtracting(VMXControls.allOfLocalAPIC) | apic.controls & wanted
        }
        // Reads of the low MSRs are the bitmaps' first KiB, writes the third; one bit each.
        vmcs.access.writePhysical(~passedReads, at: apic.msrBitmaps.advanced(by: ByteCount(0x800 / 8)))
        vmcs.access.writePhysical(~passedWrites, at: apic.msrBitmaps.advanced(by: ByteCount(2048 + 0x800 / 8)))
        if apic.controls.contains(.virtualizeAPICAccesses) {
            vmcs.access.writePhysical(mode == .memory ? apic.accessEntryValue : 0, at: apic.accessEntry)
            vmcs.access.invalidateNestedTranslations()
        }
    }

    /// The highest vectors requested and in service, 0 for none (SDM volume 3, "Guest Non-Register
    /// State", on the guest interrupt status). Only with assistance in delivery.
    @inline(__always)
    public func setVirtualInterrupts(requested: UInt8, inService: UInt8) {
        vmcs[.guestInterruptStatus] = UInt16(inService) << 8 | UInt16(requested)
    }

    /// One more vector is requested.
    @inline(__always)
    public func requestVirtualInterrupt(_ vector: UInt8) {
        let status = vmcs[.guestInterruptStatus]
        if UInt8(truncatingIfNeeded: status) < vector { vmcs[.guestInterruptStatus] = status & 0xFF00 | UInt16(vector) }
    }

    /// The guest exits when its task priority falls below this class, 0 to 15; 0 never. Not with assistance in delivery.
    @inline(__always)
    public func setTaskPriorityThreshold(_ priorityClass: UInt8) { vmcs[.tprThreshold] = UInt32(priorityClass) }

    /// The vectors, 64 per word, whose end of interrupt exits. Only with assistance in delivery.
    public func setEndOfInterruptExits(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        vmcs[.eoiExitBitmap0] = word0
        vmcs[.eoiExitBitmap1] = word1
        vmcs[.eoiExitBitmap2] = word2
        vmcs[.eoiExitBitmap3] = word3
    }

    public func requestNonMaskableInterruptWindow(_ wanted: Bool) {
        vmcs[.primaryControls] = vmcs[.primaryControls].setting(.nmiWindowExiting, to: wanted)
    }
}
