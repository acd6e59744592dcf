import Memory
import X86

// The MSR bitmaps of the current VMCS, one bit at a time (SDM volume 3, "MSR-Bitmap Address").

extension VMXProcessor {
    /// Whether RDMSR, or WRMSR, of a register exits.
    public func exits(at register: ModelSpecificRegister, isWrite: Bool) -> Bool {
        guard let (word, mask) = registerExit(register, isWrite) else { return true }
        return vmcs.access.readPhysical(at: word) & mask != 0
    }

    /// Makes RDMSR, or WRMSR, of a register exit or not. Those outside the two ranges of the bitmaps always exit.
    public func setExits(at register: ModelSpecificRegister, isWrite: Bool, to exits: Bool) {
        guard let (word, mask) = registerExit(register, isWrite) else { return }
        let bits = vmcs.access.readPhysical(at: word)
        vmcs.access.writePhysical(exits ? bits | mask : bits & ~mask, at: word)
    }

    private func registerExit(_ register: ModelSpecificRegister, _ isWrite: Bool) -> (word: HostPhysicalAddress, mask: UInt64)? {
        guard let bit = MSRBitmapLayout.bit(of: register, isWrite: isWrite) else { return nil }
        return (vmcs[.msrBitmaps].advanced(by: ByteCount(bit / 64 * 8)), 1 << (bit & 63))
    }
}
