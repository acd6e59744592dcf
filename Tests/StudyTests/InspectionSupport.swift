import Memory
import Support
import Debug
import StudyTools
import Text
import VMX
import Virtualization
import X86

/// The lines that an inspection command answers.
func answer(_ body: (inout Answer) -> Void) -> [String] {
    var output = Answer()
    body(&output)
    return output.lines
}

extension StateSnapshot {
    /// A guest in 64-bit mode, at rest.
    static var long64: StateSnapshot {
        var state = StateSnapshot()
        state.fields[.guestCR0] = .init(rawValue: 0x8000_0031)
        state.fields[.cr0GuestHostMask] = .init(rawValue: ~0)
        state.fields[.cr0ReadShadow] = .init(rawValue: 0x8000_0011)
        state.fields[.guestCR3] = 0x10_0000
        state.fields[.guestCR4] = .init(rawValue: 0x2020)
        state.fields[.cr4GuestHostMask] = .init(rawValue: 0x2000)
        state.fields[.guestEFER] = .init(rawValue: 0xD01)
        state.fields[.guestRFLAGS] = .init(rawValue: 0x246)
        state.fields[.guestRIP] = 0xFFFF_FFFF_8100_0000
        state.fields[.guestRSP] = 0xFFFF_8880_0000_1000
        state.fields[.guestDR7] = 0x400
        state.fields[.guestCSSelector] = .init(rawValue: 0x10)
        state.fields[.guestCSLimit] = 0xFFFF_FFFF
        state.fields[.guestCSAccessRights] = .init(rawValue: 0xA09B)
        state.fields[.guestSSAccessRights] = .init(rawValue: 0xC093)
        state.fields[.guestDSAccessRights] = .unusable
        state.fields[.guestGDTRBase] = 0xFFFF_FE00_0000_1000
        state.fields[.guestGDTRLimit] = 0x7F
        state.registers.rax = 1
        state.registers.r15 = 0x1234_5678_9ABC_DEF0
        state.pageFaultAddress = 0x1000
        return state
    }

    /// A guest in real mode at the boot sector.
    static var real: StateSnapshot {
        var state = StateSnapshot()
        state.fields[.guestCR0] = .init(rawValue: 0x30)
        state.fields[.guestRFLAGS] = .init(rawValue: 0x3202)
        state.fields[.guestCSSelector] = .init(rawValue: 0x7C0)
        state.fields[.guestCSBase] = 0x7C00
        state.fields[.guestCSLimit] = 0xFFFF
        state.fields[.guestCSAccessRights] = .init(rawValue: 0x9B)
        state.fields[.guestRIP] = 5
        state.fields[.guestRSP] = 0xFFF0
        state.registers.rbx = 0xFFFF_FFFF_1234_5678
        return state
    }
}
