import Instructions
import Text
import Virtualization

/// The end of the kernel through its own fault: prints registers and a backtrace, and stops the machine cleanly.
enum Panic {
    static func stop(_ line: Line) -> Never {
        Report.openForPanic()
        Report.error("panic: \(line)")
        backtrace(from: read_frame_pointer(), first: nil)
        Power.end(.panic)
    }

    /// An exception in the kernel itself.
    static func stop(_ line: Line, _ frame: InterruptFrame) -> Never {
        Report.openForPanic()
        Report.error("panic: \(line)")
        let registers = frame.registers
        print("RAX", registers.rax, "RBX", registers.rbx, "RCX", registers.rcx, "RDX", registers.rdx)
        print("RSI", registers.rsi, "RDI", registers.rdi, "RBP", registers.rbp, "RSP", frame.rsp)
        print("R8 ", registers.r8, "R9 ", registers.r9, "R10", registers.r10, "R11", registers.r11)
        print("R12", registers.r12, "R13", registers.r13, "R14", registers.r14, "R15", registers.r15)
        print("RIP", frame.rip, "FLG", frame.rflags, "CR2", read_cr2(), "CR3", read_cr3())
        print("CR0", read_cr0(), "CR4", read_cr4(), "CS ", frame.cs, "SS ", frame.ss)
        backtrace(from: registers.rbp, first: frame.rip)
        Power.end(.panic)
    }

    private static func print(
        _ a: StaticString, _ av: UInt64, _ b: StaticString, _ bv: UInt64, _ c: StaticString, _ cv: UInt64,
        _ d: StaticString, _ dv: UInt64
    ) {
        Report.detail(
            "  \(a) \(hex: av, digits: 16)  \(b) \(hex: bv, digits: 16)  \(c) \(hex: cv, digits: 16)  \(d) \(hex: dv, digits: 16)"
        )
    }

    /// Follows the frame pointers as long as they stay on the kernel's stacks and rise.
    private static func backtrace(from framePointer: UInt64, first: UInt64?) {
        Report.detail("backtrace, innermost first (make shows function, file and line):")
        if let first { show(first) }
        var frame = framePointer
        var depth = 0
        while depth < 32, frame & 7 == 0, frame >= address_of_image_load_end(), frame < address_of_image_end() - 16 {
            let words = UnsafePointer<UInt64>(bitPattern: UInt(frame))!
            if words[1] == 0 { break }
            // The return address follows the call; the call itself is meant.
            show(words[1] &- 1)
            guard words[0] > frame else { break }
            frame = words[0]
            depth += 1
        }
    }

    private static func show(_ address: UInt64) {
        Report.detail("  \(hex: address)")
        Report.frame(address)
    }
}
