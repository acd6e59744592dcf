import Virtualization
import X86

// Real mode where VMX operation has CR0.PE and CR0.PG set at all times (SDM volume 3, "Restrictions on VMX Operation"): the processor
// executes it in virtual-8086 mode, which differs in what is privileged, how events are delivered, and what segments may be.
// Privileged instructions and all exceptions exit; Martlet emulates the former and delivers the latter. The guest sees flags,
// segments and control registers as they would be in real mode.

/// The state of a guest in real mode that the VMCS cannot hold meanwhile.
struct RealModeRegisters: Sendable {
    var isOn = false
    /// RFLAGS.IOPL, which is 0 in the processor.
    var ioPrivilege: UInt64 = 0
    /// Limits and attributes of the six segment registers: loads in real mode do not change them.
    var limits: [6 of UInt32] = .init(repeating: 0xFFFF)
    var attributes: [6 of UInt16] = .init(repeating: 0x93)
    var taskState = Segment.unusable
    var localTable = Segment.unusable
    /// What the guest could not change before.
    var maskOfCR0 = ControlRegister0.none
    var maskOfCR4 = ControlRegister4.none
    var exceptionBitmap: UInt32 = 0
    /// SYSENTER is for protected mode.
    var sysenterCS: UInt32 = 0
}

extension VMXProcessor {
    /// Where real mode's saved state is, while it is on.
    @inline(__always)
    var realMode: UnsafeMutablePointer<ShadowRegisters>? {
        guard let aside = constants.pointee.aside, aside.pointee.real.isOn else { return nil }
        return aside
    }

    public var emulatesRealMode: Bool { realMode != nil }

    private static var virtualSegment: SegmentAccessRights { .init(rawValue: 0xF3) }

    // MARK: Into real mode and out of it

    /// CR0.PE has changed.
    @inline(never)
    func followProtection(_ isProtected: Bool) {
        guard let shadow = constants.pointee.aside, isProtected == shadow.pointee.real.isOn else { return }
        if isProtected { leaveRealMode(shadow) } else { enterRealMode(shadow) }
    }

    private func enterRealMode(_ shadow: UnsafeMutablePointer<ShadowRegisters>) {
        shadow.pointee.real.taskState = segment(.tr)
        shadow.pointee.real.localTable = segment(.ldtr)
        shadow.pointee.real.maskOfCR0 = vmcs[.cr0GuestHostMask]
        shadow.pointee.real.maskOfCR4 = vmcs[.cr4GuestHostMask]
        shadow.pointee.real.exceptionBitmap = vmcs[.exceptionBitmap]
        shadow.pointee.real.sysenterCS = vmcs[.guestSysenterCS]
        setSegment(.tr, Segment(selector: 0, base: 0, limit: 0, attributes: .busyTaskState))
        setSegment(.ldtr, .unusable)
        switchMode(shadow, isReal: true)
        vmcs[.cr0GuestHostMask] = .init(rawValue: .max)
        vmcs[.cr4GuestHostMask] = .init(rawValue: .max)
        vmcs[.exceptionBitmap] = .max & ~(1 << 2)
        vmcs[.guestSysenterCS] = 0
    }

    private func leaveRealMode(_ shadow: UnsafeMutablePointer<ShadowRegisters>) {
        switchMode(shadow, isReal: false)
        setSegment(.tr, shadow.pointee.real.taskState)
        setSegment(.ldtr, shadow.pointee.real.localTable)
        fitSegments(privilegeLevel: 0)
        vmcs[.cr0GuestHostMask] = shadow.pointee.real.maskOfCR0
        vmcs[.cr4GuestHostMask] = shadow.pointee.real.maskOfCR4
        vmcs[.exceptionBitmap] = shadow.pointee.real.exceptionBitmap | 1 << UInt32(ExceptionVector.pageFault.number)
        vmcs[.guestSysenterCS] = shadow.pointee.real.sysenterCS
    }

    /// What the guest sees of its registers stays; the processor holds them as the mode requires.
    private func switchMode(_ shadow: UnsafeMutablePointer<ShadowRegisters>, isReal: Bool) {
        let (guestCR0, guestCR4, guestFlags) = (cr0, cr4, flags)
        var segments: [6 of Segment] = .init(repeating: .unusable)
        for number in 0..<6 { segments[number] = segment(Self.register(number)) }
        shadow.pointee.real.isOn = isReal
        for number in 0..<6 { setSegment(Self.register(number), segments[number]) }
        flags = guestFlags
        cr4 = guestCR4
        cr0 = guestCR0
    }

    private static func register(_ number: Int) -> SegmentRegister {
        SegmentRegister(rawValue: UInt8(truncatingIfNeeded: number)) ?? .ds
    }

    // MARK: What the guest sees

    /// RFLAGS as the guest has them in real mode.
    @inline(never)
    func flagsOfRealMode(_ shadow: UnsafeMutablePointer<ShadowRegisters>) -> RFlags {
        vmcs[.guestRFLAGS].subtracting(.virtual8086 | .ioPrivilege) | .init(rawValue: shadow.pointee.real.ioPrivilege)
    }

    @inline(never)
    func setFlags(_ flags: RFlags, ofRealMode shadow: UnsafeMutablePointer<ShadowRegisters>) {
        shadow.pointee.real.ioPrivilege = (flags & .ioPrivilege).rawValue
        vmcs[.guestRFLAGS] = flags.subtracting(.ioPrivilege) | .virtual8086
    }

    @inline(never)
    func segment(_ register: SegmentRegister, ofRealMode shadow: UnsafeMutablePointer<ShadowRegisters>) -> Segment {
        switch register {
        case .ldtr: return shadow.pointee.real.localTable
        case .tr: return shadow.pointee.real.taskState
        default: break
        }
        let number = Int(register.rawValue)
        return Segment(
            selector: vmcs[.selector(UInt32(register.rawValue))].rawValue, base: vmcs[.base(UInt32(register.rawValue))],
            limit: shadow.pointee.real.limits[number], attributes: .init(rawValue: shadow.pointee.real.attributes[number]))
    }

    /// Virtual-8086 mode has segments of 64 KiB at 16 times their selectors. A base left by protected mode is kept as far as
    /// possible, and the selector adapted.
    @inline(never)
    func setSegment(_ register: SegmentRegister, _ segment: Segment, ofRealMode shadow: UnsafeMutablePointer<ShadowRegisters>) {
        switch register {
        case .ldtr: return shadow.pointee.real.localTable = segment
        case .tr: return shadow.pointee.real.taskState = segment
        default: break
        }
        let (number, index) = (Int(register.rawValue), UInt32(register.rawValue))
        shadow.pointee.real.limits[number] = segment.attributes.rawValue == 0 ? 0xFFFF : segment.limit
        shadow.pointee.real.attributes[number] = segment.attributes.rawValue == 0 ? 0x93 : segment.attributes.rawValue
        let selector = UInt16(truncatingIfNeeded: segment.base >> 4)
        vmcs[.selector(index)] = SegmentSelector(rawValue: selector)
        vmcs[.base(index)] = UInt64(selector) << 4
        vmcs[.limit(index)] = 0xFFFF
        vmcs[.accessRights(index)] = Self.virtualSegment
    }

    // MARK: Protected mode with segments that it does not load

    /// Makes the segment registers acceptable to VM entry (SDM volume 3, "Checks on Guest Segment Registers"): those left by real
    /// mode, or by a task switch that raised an exception. Until they are loaded, the guest sees the low bits of SS and CS
    /// change.
    func fitSegments(privilegeLevel level: UInt8) {
        guard !flags.contains(.virtual8086) else { return }
        var code = segment(.cs)
        code.selector.rawValue = code.selector.rawValue & ~3 | UInt16(level)
        if !code.attributes.isCode { code.attributes.rawValue = code.attributes.rawValue & ~0xF | 0xB }
        if !code.attributes.isConforming { code.attributes.privilegeLevel = level }
        setSegment(.cs, code)
        var stack = segment(.ss)
        stack.selector.rawValue = stack.selector.rawValue & ~3 | UInt16(level)
        if stack.attributes.rawValue != 0 { stack.attributes.privilegeLevel = level }
        setSegment(.ss, stack)
        fitData(.ds)
        fitData(.es)
        fitData(.fs)
        fitData(.gs)
    }

    private func fitData(_ register: SegmentRegister) {
        guard !isAsLoaded(register) else { return }
        var data = segment(register)
        data.attributes.privilegeLevel = data.selector.requestedPrivilegeLevel
        setSegment(register, data)
    }

    /// A task switch may have left such segments.
    @inline(never)
    public func fitSegmentsOfTask() {
        guard let aside = constants.pointee.aside, !aside.pointee.real.isOn else { return }
        fitSegments(privilegeLevel: segment(.cs).selector.requestedPrivilegeLevel)
    }

    // MARK: Events

    /// Takes back the event that was to be injected.
    @inline(never)
    public func takeEvent() -> Event? {
        let information = vmcs[.entryInterruptionInformation]
        guard information.isValid else { return nil }
        vmcs[.entryInterruptionInformation] = .none
        let kind = information.kind.event
        return Event(
            kind: kind, vector: information.vector,
            instructionLength: kind.isSoftware ? UInt8(truncatingIfNeeded: vmcs[.entryInstructionLength]) : 0)
    }

    public func blockInterrupts() { vmcs[.guestInterruptibility] = vmcs[.guestInterruptibility] | .blockingBySTI }
}
