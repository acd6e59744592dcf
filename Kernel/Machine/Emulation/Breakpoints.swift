import Virtualization
import X86

// The guest's breakpoints on ports and data, where Martlet makes the access: the processor cannot meet them.

/// What is accessed, as a breakpoint tells accesses apart.
enum WatchedAccess { case port, read, write }

extension VirtualCPU {
    /// Whether DR7 enables any.
    var hasBreakpoints: Bool {
        @inline(__always) mutating get { processor.debugRegister7 & 0xFF != 0 }
    }

    /// An instruction makes an access: the breakpoints that are met trap behind it (SDM volume 3, "Debug Address Registers
    /// (DR0-DR3)" and "Debug Control Register (DR7)").
    mutating func meetBreakpoints(_ access: WatchedAccess, at address: UInt64, size: Int) {
        let control = processor.debugRegister7
        var met: UInt64 = 0
        for number in 0..<4 where control >> UInt64(2 * number) & 3 != 0 {
            let rights = control >> UInt64(16 + 4 * number)
            let isMeant =
                switch access {
                case .port: rights & 3 == 2 && processor.cr4.contains(.debuggingExtensions)
                case .write: rights & 1 != 0
                case .read: rights & 3 == 3
                }
            guard isMeant else { continue }
            // One, two, eight or four bytes, aligned.
            let extent: UInt64 = rights >> 2 & 3 == 2 ? 7 : rights >> 2 & 3
            let first = host.readDebugAddress(number) & ~extent
            if address <= first &+ extent, first <= address &+ UInt64(size - 1) { met |= 1 << UInt64(number) }
        }
        if met != 0 { processor.addBreakpointTraps(met) }
    }
}
