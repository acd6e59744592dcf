import Memory
import Virtualization
import X86

// From an offset in a segment to a linear address (SDM volume 3, "Limit Checking" and "Type Checking").
//
// The processor made these checks before the access that exited, for the operand it was at. They are made here for the
// operands it had not reached: the other one of MOVS and CMPS, the stack of PUSH and POP, each element of a repetition,
// and what INS and OUTS use.

/// A linear address, or what the guest gets instead.
enum LinearAddress {
    case address(GuestVirtualAddress)
    case outcome(Outcome)
}

extension VirtualCPU {
    /// The linear address of `size` bytes at an offset, for an access that reads or writes.
    mutating func linear(
        _ offset: UInt64, size: Int, in register: SegmentRegister, _ kind: GuestAccess.Kind, _ mode: ProcessorMode
    ) -> LinearAddress {
        if mode.is64Bit { return .address(uncheckedLinear(offset, in: register, mode)) }
        let segment = processor.segment(register)
        let hasTypes = mode != .real && mode != .virtual8086
        guard !hasTypes || segment.attributes.permits(kind), segment.contains(offset, size: size) else {
            return .outcome(.inject(register == .ss ? .stackFault : .generalProtection))
        }
        return .address(GuestVirtualAddress((offset &+ segment.base) & 0xFFFF_FFFF))
    }

    /// The same for the operand that the processor has already checked.
    mutating func uncheckedLinear(_ offset: UInt64, in register: SegmentRegister, _ mode: ProcessorMode) -> GuestVirtualAddress {
        // In 64-bit mode only FS and GS have a base. The translation checks whether the address is canonical.
        let hasBase = !mode.is64Bit || register == .fs || register == .gs
        let address = offset &+ (hasBase ? processor.segment(register).base : 0)
        return GuestVirtualAddress(mode.is64Bit ? address : address & 0xFFFF_FFFF)
    }

    /// The significant bits of linear addresses: outside 64-bit mode they wrap at 4 GiB.
    var linearMask: UInt64 {
        mutating get { processor.executes64BitCode ? .max : 0xFFFF_FFFF }
    }
}

extension SegmentAttributes {
    func permits(_ kind: GuestAccess.Kind) -> Bool {
        guard isPresent else { return false }
        switch kind {
        case .write: return !isCode && isWritableOrReadable
        case .read: return !isCode || isWritableOrReadable
        case .fetch: return isCode
        }
    }
}

extension Segment {
    /// Whether bytes at an offset lie within the limit. With a limit of 4 GiB they may wrap around, as on a processor.
    func contains(_ offset: UInt64, size: Int) -> Bool {
        let last = offset &+ UInt64(size) &- 1
        if attributes.expandsDown, !attributes.isCode {
            return offset > UInt64(limit) && last <= (attributes.is32Bit ? 0xFFFF_FFFF : 0xFFFF)
        }
        return last <= UInt64(limit) || limit == .max
    }
}
