/// The commands of `martlet`.
enum Command: String, CaseIterable {
    case run
    case study
    case gdb
    case trace
    case explain
    case bench
    case linux
    case bare
    case machines

    /// What to type.
    var usage: String {
        switch self {
        case .run: "run [KEY=value]..."
        case .study: "study [KEY=value]..."
        case .gdb: "gdb [KEY=value]..."
        case .trace: "trace FILE..."
        case .explain: "explain KIND VALUE..."
        case .bench: "bench [exits|linux|mmu]"
        case .linux: "linux [KEY=value]..."
        case .bare: "bare [KEY=value]..."
        case .machines: "machines [MACHINE]"
        }
    }

    /// What it does.
    var words: String {
        switch self {
        case .run: "as described above; the default command"
        case .study: "run with MONITOR=study; or study a Martlet that runs elsewhere: study LINE"
        case .gdb: "run with MONITOR=gdb; or serve GDB for a Martlet that runs elsewhere: gdb LINE"
        case .trace: "show exit records"
        case .explain: "explain VMX and SVM numbers in words; VMCS and VMCB dumps from KVM and Xen"
        case .bench: "measure what exits, Linux and the ways of virtualising memory cost (make bench, make bench-mmu)"
        case .linux: "boot Debian's kernel to a shell (make linux)"
        case .bare:
            """
            start KERNEL alone on the same machine, without Martlet, with CMDLINE and MODULES, and print its console, COM1
            """
        case .machines: "list which machines this host supports, and what the others lack"
        }
    }
}
