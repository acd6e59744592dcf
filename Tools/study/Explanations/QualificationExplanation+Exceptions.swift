import Text
import X86

extension QualificationExplanation {
    /// What it means depends on the vector, which the qualification does not hold.
    func reportException(to print: (Line) -> Void) {
        switch vector {
        case .pageFault: print("  the linear address \(hex: value)")
        case .debug: reportDebugConditions(to: print)
        case .some: reportNothing(to: print)
        case nil:
            print("  if the exception is #PF: the linear address \(hex: value)")
            print("  if the exception is #DB, the new bits of DR6:")
            reportDebugConditions(to: print)
            print("  of other exceptions: 0")
        }
    }

    private func reportDebugConditions(to print: (Line) -> Void) {
        var table = BitTable(value)
        for index in 0..<4 where table.isSet(index) {
            table.row(index, index, "the condition of breakpoint \(UInt64(index)) was met", to: print)
        }
        table.flag(11, "a bus lock: DR6.BLD would be cleared", to: print)
        table.flag(13, "an access to a debug register (BD)", to: print)
        table.flag(14, "a single step (BS)", to: print)
        table.flag(16, "in a transactional region (RTM)", to: print)
        table.finish(to: print)
    }

    /// SDM volume 3, table "Exit Qualification for EPT Violations".
    func reportEPTViolation(to print: (Line) -> Void) {
        var table = BitTable(value)
        table.flag(0, "a data read", else: "no data read", to: print)
        table.flag(1, "a data write", else: "no data write", to: print)
        table.flag(2, "an instruction fetch", else: "no instruction fetch", to: print)
        table.flag(3, "the tables allow reads here", else: "the tables do not allow reads here", to: print)
        table.flag(4, "the tables allow writes here", else: "the tables do not allow writes here", to: print)
        table.flag(5, "the tables allow fetches here", else: "the tables do not allow fetches here", to: print)
        table.flag(6, "fetches from user-mode addresses are allowed (mode-based execute control)", to: print)
        table.flag(7, "the guest-linear address is valid", else: "the guest-linear address is not valid", to: print)
        if table.isSet(7) {
            table.flag(
                8, "the access was to what the linear address translates to",
                else: "the access was to a page table of the guest on the way, or to update its accessed or dirty bit", to: print)
            table.flag(9, "the linear address is a user-mode address", to: print)
            table.flag(10, "the guest's own tables allow writes", to: print)
            table.flag(11, "the guest's own tables forbid execution", to: print)
        } else {
            table.cover(11, 8)
        }
        table.flag(
            12, "IRET had unblocked NMIs: the hypervisor sets blocking by NMI again", else: "IRET had not unblocked NMIs",
            to: print)
        table.flag(13, "a shadow-stack access", to: print)
        table.flag(14, "the tables allow supervisor shadow-stack accesses here", to: print)
        table.flag(15, "by guest-paging verification", to: print)
        table.flag(16, "asynchronous to the guest's instructions", to: print)
        table.finish(to: print)
        if table.bits(5, 3) == 0 { print("  Nothing is mapped at the guest-physical address (bits 5:3 are 0).") }
    }
}
