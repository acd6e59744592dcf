import Memory
import Virtualization
import X86

/// The page of a repetition's last element. A processor neither checks the segment nor walks the tables for each element,
/// and what is known of a whole page nearly always covers the next element.
struct OperandPage {
    /// The offset in the segment where the page starts, and where it starts in memory.
    private var start: UInt64 = 0
    private var physical = GuestPhysicalAddress(0)
    private var isKnown = false

    /// Where an element lies, if wholly in the page.
    @inline(__always)
    func place(of offset: UInt64, size: Int) -> GuestPhysicalAddress? {
        let distance = offset &- start
        guard isKnown, distance <= 0x1000 - UInt64(size) else { return nil }
        return physical.advanced(by: ByteCount(distance))
    }

    mutating func learn(start: UInt64, physical: GuestPhysicalAddress) {
        self.start = start
        self.physical = physical
        isKnown = true
    }
}

extension VirtualCPU {
    /// Finds where an element of a repetition lies, like `locate(offset:size:in:_:_:)`.
    /// - Returns: what the guest gets instead, or nil.
    @inline(__always)
    mutating func locate(
        offset: UInt64, size: Int, in register: SegmentRegister, _ kind: GuestAccess.Kind, _ mode: ProcessorMode,
        _ page: inout OperandPage, _ place: inout OperandPlace
    ) -> Outcome? {
        if let known = page.place(of: offset, size: size) {
            place = OperandPlace(known)
            return nil
        }
        switch locateAnew(offset: offset, size: size, in: register, kind, mode, &page) {
        case .place(let found): place = found
        case .outcome(let outcome): return outcome
        }
        return nil
    }

    /// The same for an element not known to be in the page; remembers its page.
    @inline(never)
    @_optimize(speed)
    mutating func locateAnew(
        offset: UInt64, size: Int, in register: SegmentRegister, _ kind: GuestAccess.Kind, _ mode: ProcessorMode,
        _ page: inout OperandPage
    ) -> LocatedOperand {
        let address: GuestVirtualAddress
        switch linear(offset, size: size, in: register, kind, mode) {
        case .address(let found): address = found
        case .outcome(let outcome): return .outcome(outcome)
        }
        let located = locate(address, size: size, kind, through: register)
        guard case .place(let found) = located else { return located }
        let inPage = address.rawValue & 0xFFF
        // The whole page must be in the segment, at offsets that do not wrap.
        guard inPage + UInt64(size) <= 0x1000, offset >= inPage,
            case .address = linear(offset - inPage, size: 0x1000, in: register, kind, mode)
        else { return located }
        page.learn(start: offset - inPage, physical: GuestPhysicalAddress(found.first.rawValue - inPage))
        return located
    }
}
