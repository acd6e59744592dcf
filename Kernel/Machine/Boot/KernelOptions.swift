import Memory
import Text
import Trace
import Virtualization

/// The options on the kernel's command line: words of the form key=value.
public struct KernelOptions: Equatable, Sendable {
    /// memory=256M: the guest's RAM.
    public var memory = ByteCount.mebibytes(256)
    /// trace=off|summary|exits|full.
    public var trace = TraceLevel.exits
    /// mmu=nested|shadow|direct: which tables translate for the guest; nil if no word says so.
    public var mmu: MemoryManagement?
    /// shadow=16M: the memory for shadow tables.
    public var shadowSize = ByteCount.mebibytes(16)
    /// flat=on|off: whether a guest image without any signature is a flat binary.
    public var takesFlat = false
    /// large=4k|2m|1g: the largest pages to map guest RAM with.
    public var largestPage = PageSize.oneGibibyte
    /// hide=NAME,NAME: features of the processor that the guest is not to see.
    public var hidden = HiddenFeatures()
    /// vpid=on|off: whether cached translations are tagged with a VPID.
    public var usesVPID = true
    /// timer=auto|host: whether guests' timers run on the preemption timer, if there is one, or always on the host's.
    public var usesHostTimer = false
    /// apic=auto|tpr|plain: the most that the processor does for the guest's local APIC.
    public var assistance = InterruptAssistance.delivery
    /// checks=on|off: the entry checks before every VM entry.
    public var checksEntries = false
    /// testdev=on|off: the guest has the test device.
    public var hasTestDevice = false
    /// exceptions=on|off: every exception of the guest exits, to be seen.
    public var seesExceptions = false
    /// report=com2|com3: status and errors for the launcher on the second serial port, or on the third.
    public var report: Report?
    /// agent=com2: the agent answers on the second serial port (Docs/Agent.md), and the guest starts stopped.
    public var isStudied = false
    /// stop=com4: a byte on the fourth serial port ends the guest.
    public var canBeStopped = false
    /// step=auto|tf: whether a guest under study steps by the monitor trap flag, where it works, or always by RFLAGS.TF.
    public var stepsByTrapFlag = false
    /// record=serial|memory|off: every exit as a binary record (Docs/Records.md).
    public var recording = Recording.off
    /// recordway=report|parallel|port: how records leave the machine.
    public var recordWay = RecordWay.report
    /// records=N: how many records the memory for them holds.
    public var recordCount: UInt64 = 1024
    /// slice=N: time-stamp ticks that a guest runs at most without an exit.
    public var slice: UInt64 = 10_000_000
    /// selftest=panic|stack|text|data|guest-state|controls: a test that only the machine itself can make.
    public var selfTest = SelfTest.none
    /// guest=tour|real|protected|long: one of the embedded guests, instead of all.
    public var guest = EmbeddedGuest.tour
    /// then=tour|real|protected|long: an embedded guest, or all, after the one that the loader brought.
    public var guestAfterwards: EmbeddedGuest?
    /// restart=N: how often a guest is restarted that did not end with the value 0, or whose note is not 0: what it left the note
    /// for is not done yet, and it may have written the value by accident.
    public var restarts: UInt64 = 0
    /// limit=N: time-stamp ticks within which a guest must leave a note (hypercall 4), again and again, or it is ended.
    public var limit: UInt64?
    /// screen=auto|on|off: whether the guest's text screen is shown; auto: if it does not write to COM1.
    public var screen = Screen.automatic
    /// rows=N: the rows of the terminal behind the console, on which the screen is drawn as it changes; else it is printed at the
    /// end.
    public var terminalRows: UInt64 = 0
    /// columns=N: the rows that the kernel prints are no wider.
    public var columns = UInt64(LineRows.usualColumns)
    /// checksum=on|off: at the end, checks that the kernel's code and constants have not changed.
    public var checksMemory = false

    /// roundtrip=N: every N exits the guest's state is taken out and put into a newly made virtual CPU and devices; not while
    /// the guest is studied.
    public var roundTrip: UInt64?

    public enum Screen: Sendable { case automatic, on, off }

    /// Which tables translate a guest's addresses.
    public enum MemoryManagement: Sendable {
        /// The guest's own, and nested ones (EPT).
        case nested
        /// Those that Martlet makes from the guest's.
        case shadow
        /// Only the guest's own, with machine addresses in them.
        case direct
    }

    /// A serial port for the launcher.
    public enum Report: Sendable { case com2, com3 }

    /// Where exit records go.
    public enum Recording: Sendable {
        case off
        /// Out, whenever the memory is full.
        case serial
        /// They stay in memory, where new ones replace the oldest, and are sent when the guest ends.
        case memory
    }
    /// How exit records leave the machine.
    public enum RecordWay: Sendable {
        /// As lines of the report: any machine can do that, and it is slow.
        case report
        /// As they are, on the parallel port: Bochs writes what it prints to a file.
        case parallel
        /// As they are, to port 402H, QEMU's device isa-debugcon.
        case port
    }
    public enum SelfTest: Sendable { case none, panic, stack, writeText, executeData, badGuestState, badControls }
    public enum EmbeddedGuest: Sendable { case tour, real, protected, long }

    public init() {}

    /// The tables that translate for the guest.
    public var translation: MemoryManagement { mmu ?? .nested }
}
