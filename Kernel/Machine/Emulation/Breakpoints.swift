import Virtualization
import X86

// The guest's breakpoints on ports and data, where Martlet makes the access: the processor cannot see them hit.

/// The kinds of access that a breakpoint distinguishes.
enum WatchedAccess { case port, read, write }

extension VirtualCPU {
    /// Whether DR7 enables any.
    var hasBreakpoints: Bool {
        @inline(__always) mutating get { processor.debugRegister7.enablesAny }
    }

    /// An instruction makes an access: the breakpoints that it hits trap after it (SDM volume 3, "Debug Address Registers
    /// (DR0-DR3)" and "Debug Control Register (DR7)").
    mutating func meetBreakpoints(_ access: WatchedAccess, at address: UInt64, size: Int) {
        let control = processor.debugRegister7
        var met: UInt64 = 0
        for number in 0..<4 where control.isEnabled(number) {
            let kind = control.kind(number)
            let isMeant =
                switch access {
                case .port: kind == .port && processor.cr4.contains(.debuggingExtensions)
                case .write: kind == .write || kind == .access
                case .read: kind == .access
                }
            guard isMeant else { continue }
            let extent = control.extent(number)
            let first = host.readDebugAddress(number) & ~extent
            if address <= first &+ extent, first <= address &+ UInt64(size - 1) { met |= 1 << UInt64(number) }
        }
        if met != 0 { processor.addBreakpointTraps(met) }
    }
}
