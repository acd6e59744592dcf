import Memory
import Text
import Trace
import Virtualization

/// What the kernel's command line asks for: words of the form key=value.
public struct KernelOptions: Equatable, Sendable {
    /// memory=256M: the guest's RAM.
    public var memory = ByteCount.mebibytes(256)
    /// trace=off|summary|exits|full.
    public var trace = TraceLevel.exits
    /// mmu=nested|shadow|direct: which tables translate for the guest.
    public var mmu = MemoryManagement.nested
    /// It was asked for by name.
    public var namesMMU = false
    /// shadow=16M: the memory for shadow tables.
    public var shadowSize = ByteCount.mebibytes(16)
    /// flat=on|off: whether a guest image without any mark is a flat binary.
    public var takesFlat = false
    /// large=4k|2m|1g: the largest pages to map guest RAM with.
    public var largestPage = PageSize.oneGibibyte
    /// hide=NAME,NAME: features of the processor that the guest is not to see.
    public var hidden = HiddenFeatures()
    /// vpid=on|off: whether cached translations are tagged.
    public var usesVPID = true
    /// timer=auto|host: whether guests' timers run on the preemption timer, if there is one, or always on the host's.
    public var usesHostTimer = false
    /// apic=auto|tpr|plain: the most that the processor does for the guest's local APIC.
    public var assistance = InterruptAssistance.delivery
    /// checks=on|off: the entry checks before every VM entry.
    public var checksEntries = false
    /// testdev=on|off: the guest has the test device.
    public var hasTestDevice = false
    /// exceptions=on|off: every exception of the guest's exits, to be seen.
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
    /// guest=NAME: one of the embedded guests, instead of all.
    public var guest = EmbeddedGuest.tour
    /// then=NAME: an embedded guest, or all, after the one that the loader brought.
    public var guestAfterwards: EmbeddedGuest?
    /// restart=N: how often a guest is started anew that ended otherwise than by the value 0, or with a note that is not 0: it
    /// has not done yet what it left the note for, and may have written the value by accident.
    public var restarts: UInt64 = 0
    /// limit=N: time-stamp ticks within which a guest has to leave a note (hypercall 4), again and again, or is at its end.
    public var limit: UInt64?
    /// screen=auto|on|off: whether the guest's text screen is shown; auto: if it does not write to COM1.
    public var screen = Screen.automatic
    /// rows=N: the terminal behind the console has so many, and the screen is drawn on it as it changes; else it is printed at the
    /// end.
    public var terminalRows: UInt64 = 0
    /// checksum=on|off: at the end, whether the kernel's code and constants are what they were.
    public var checksMemory = false

    /// roundtrip=N: every N exits the guest's state is taken out and put into a virtual CPU and devices that are made anew; not
    /// while the guest is studied.
    public var roundTrip: UInt64?

    public enum Screen: Sendable { case automatic, on, off }

    /// Which tables translate a guest's addresses.
    public enum MemoryManagement: Sendable {
        /// The guest's own, and nested ones (EPT).
        case nested
        /// Those that Martlet makes of the guest's.
        case shadow
        /// The guest's own alone, with machine addresses in them.
        case direct
    }

    /// A serial port for the launcher.
    public enum Report: Sendable { case com2, com3 }

    /// Where exit records go.
    public enum Recording: Sendable {
        case off
        /// Out, whenever the memory is full.
        case serial
        /// They stay in memory, the oldest give way, and the rest goes out at the guest's end.
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
}

/// A word of the kernel's command line that Martlet cannot take.
public enum KernelOptionError: Error, Equatable, TextConvertible {
    /// A key that does not exist.
    case unknownKey(OptionText)
    /// A value that the key does not take, and what it takes.
    case badValue(OptionText, accepted: StaticString)
    /// Words that exclude each other.
    case conflict(StaticString)
    /// A feature to hide that has no such name, and the nearest that there is.
    case unknownFeature(OptionText, nearest: OptionText)

    public static func == (left: Self, right: Self) -> Bool { Line("\(left)") == Line("\(right)") }

    public func write(to output: inout Line) {
        switch self {
        case .unknownKey(let word):
            output.write("unknown key on the command line: \"")
            output.write(word)
            output.write("\"; there are memory, trace, flat, hide, large, vpid, mmu, shadow, apic, timer, checks, testdev, exceptions, report, agent, stop, step, record, recordway, records, slice, selftest, guest, then, restart, limit, checksum, roundtrip, screen, rows")
        case .conflict(let words): output.write(words)
        case .unknownFeature(let name, let nearest):
            output.write("there is no feature \"")
            output.write(name)
            output.write("\" to hide; the nearest name is ")
            output.write(nearest)
        case .badValue(let word, let accepted):
            output.write("bad value on the command line: \"")
            output.write(word)
            output.write("\"; it takes ")
            output.write(accepted)
        }
    }
}

/// A piece of the command line, copied.
public struct OptionText: TextConvertible, Sendable {
    private let line: Line

    init(_ bytes: UnsafeRawBufferPointer) { line = Line(bytes) }

    public func write(to output: inout Line) { output.write(line) }
}

extension KernelOptions {
    /// Takes up a command line. Its first word is the kernel's file name if the loader passes that on.
    public init(commandLine: UnsafeRawBufferPointer) throws(KernelOptionError) {
        self.init()
        var position = 0
        var isFirst = true
        while position < commandLine.count {
            if commandLine[position] == 0x20 {
                position += 1
                continue
            }
            var end = position
            while end < commandLine.count, commandLine[end] != 0x20 { end += 1 }
            let word = UnsafeRawBufferPointer(rebasing: commandLine[position..<end])
            if !(isFirst && KernelOptions.isFileName(word)) { try take(word) }
            isFirst = false
            position = end
        }
        if mmu != .nested, roundTrip != nil { throw .conflict("mmu=shadow and mmu=direct do not go with roundtrip=: leave one of them out") }
        if mmu == .direct, isStudied { throw .conflict("mmu=direct does not go with agent=: leave one of them out") }
    }

    /// Without "=", or with a "/" before it.
    private static func isFileName(_ word: UnsafeRawBufferPointer) -> Bool {
        for byte in word {
            if byte == 0x3D { return false }
            if byte == 0x2F { return true }
        }
        return true
    }

    private mutating func take(_ word: UnsafeRawBufferPointer) throws(KernelOptionError) {
        var length = 0
        while length < word.count, word[length] != 0x3D { length += 1 }
        let key = UnsafeRawBufferPointer(rebasing: word[..<length])
        let value = UnsafeRawBufferPointer(rebasing: word[min(length + 1, word.count)...])
        func refused(_ accepted: StaticString) -> KernelOptionError { .badValue(OptionText(word), accepted: accepted) }
        func flag() throws(KernelOptionError) -> Bool {
            if value.equals("on") { return true }
            if value.equals("off") { return false }
            throw refused("on or off")
        }
        if key.equals("memory") {
            guard let size = KernelOptions.size(value), size.bytes > 0, size.bytes & 0xFFF == 0 else {
                throw refused("a size such as 256M or 1G, a multiple of 4K")
            }
            memory = size
        } else if key.equals("trace") {
            if value.equals("off") {
                trace = .off
            } else if value.equals("summary") {
                trace = .summary
            } else if value.equals("exits") {
                trace = .exits
            } else if value.equals("full") {
                trace = .full
            } else {
                throw refused("off, summary, exits or full")
            }
        } else if key.equals("large") {
            if value.equals("4k") {
                largestPage = .fourKibibytes
            } else if value.equals("2m") {
                largestPage = .twoMebibytes
            } else if value.equals("1g") {
                largestPage = .oneGibibyte
            } else {
                throw refused("4k, 2m or 1g")
            }
        } else if key.equals("mmu") {
            namesMMU = true
            if value.equals("nested") {
                mmu = .nested
            } else if value.equals("shadow") {
                mmu = .shadow
            } else if value.equals("direct") {
                mmu = .direct
            } else {
                throw refused("nested, shadow or direct")
            }
        } else if key.equals("shadow") {
            guard let size = KernelOptions.size(value), size.bytes & 0xFFF == 0, size >= ShadowLayout.leastSize,
                size <= .gibibytes(1)
            else { throw refused("a size from 256K to 1G, a multiple of 4K") }
            shadowSize = size
        } else if key.equals("vpid") {
            usesVPID = try flag()
        } else if key.equals("flat") {
            takesFlat = try flag()
        } else if key.equals("hide") {
            var names = WordList(value)
            while let name = names.next() {
                guard hidden.hide(name) else {
                    throw .unknownFeature(OptionText(name), nearest: OptionText(CPUIDFeatureNames.nearest(to: name)))
                }
            }
        } else if key.equals("apic") {
            if value.equals("auto") {
                assistance = .delivery
            } else if value.equals("tpr") {
                assistance = .taskPriority
            } else if value.equals("plain") {
                assistance = .none
            } else {
                throw refused("auto, tpr or plain")
            }
        } else if key.equals("timer") {
            if value.equals("auto") {
                usesHostTimer = false
            } else if value.equals("host") {
                usesHostTimer = true
            } else {
                throw refused("auto or host")
            }
        } else if key.equals("checks") {
            checksEntries = try flag()
        } else if key.equals("testdev") {
            hasTestDevice = try flag()
        } else if key.equals("exceptions") {
            seesExceptions = try flag()
        } else if key.equals("report") {
            if value.equals("com2") {
                report = .com2
            } else if value.equals("com3") {
                report = .com3
            } else {
                throw refused("com2 or com3")
            }
        } else if key.equals("agent") {
            guard value.equals("com2") else { throw refused("com2") }
            isStudied = true
        } else if key.equals("stop") {
            guard value.equals("com4") else { throw refused("com4") }
            canBeStopped = true
        } else if key.equals("step") {
            if value.equals("auto") {
                stepsByTrapFlag = false
            } else if value.equals("tf") {
                stepsByTrapFlag = true
            } else {
                throw refused("auto or tf")
            }
        } else if key.equals("record") {
            if value.equals("off") {
                recording = .off
            } else if value.equals("serial") {
                recording = .serial
            } else if value.equals("memory") {
                recording = .memory
            } else {
                throw refused("serial, memory or off")
            }
        } else if key.equals("recordway") {
            if value.equals("report") {
                recordWay = .report
            } else if value.equals("parallel") {
                recordWay = .parallel
            } else if value.equals("port") {
                recordWay = .port
            } else {
                throw refused("report, parallel or port")
            }
        } else if key.equals("records") {
            guard let count = KernelOptions.number(value), count >= 2, count <= 1_000_000 else {
                throw refused("a number of records from 2 to 1000000")
            }
            recordCount = count
        } else if key.equals("slice") {
            guard let ticks = KernelOptions.number(value), ticks >= 1000 else { throw refused("a number of ticks, at least 1000") }
            slice = ticks
        } else if key.equals("selftest") {
            if value.equals("panic") {
                selfTest = .panic
            } else if value.equals("stack") {
                selfTest = .stack
            } else if value.equals("text") {
                selfTest = .writeText
            } else if value.equals("data") {
                selfTest = .executeData
            } else if value.equals("guest-state") {
                selfTest = .badGuestState
            } else if value.equals("controls") {
                selfTest = .badControls
            } else {
                throw refused("panic, stack, text, data, guest-state or controls")
            }
        } else if key.equals("guest") {
            guard let name = EmbeddedGuest(value) else {
                throw refused("tour, real, protected or long (other guests come as modules)")
            }
            guest = name
        } else if key.equals("then") {
            guard let name = EmbeddedGuest(value) else { throw refused("tour, real, protected or long") }
            guestAfterwards = name
        } else if key.equals("restart") {
            guard let count = KernelOptions.number(value) else { throw refused("a number") }
            restarts = count
        } else if key.equals("limit") {
            guard let ticks = KernelOptions.number(value), ticks >= 1000 else { throw refused("a number of ticks, at least 1000") }
            limit = ticks
        } else if key.equals("screen") {
            if value.equals("auto") {
                screen = .automatic
            } else if value.equals("on") {
                screen = .on
            } else if value.equals("off") {
                screen = .off
            } else {
                throw refused("auto, on or off")
            }
        } else if key.equals("rows") {
            guard let count = KernelOptions.number(value), count <= 1000 else { throw refused("a number of rows, at most 1000") }
            terminalRows = count
        } else if key.equals("checksum") {
            checksMemory = try flag()
        } else if key.equals("roundtrip") {
            guard let count = KernelOptions.number(value), count >= 1 else { throw refused("a number of exits, at least 1") }
            roundTrip = count
        } else {
            throw .unknownKey(OptionText(word))
        }
    }

    /// A decimal number, or nil if it is none or too large.
    static func number(_ text: UnsafeRawBufferPointer) -> UInt64? {
        var result: UInt64 = 0
        var isEmpty = true
        for byte in text {
            guard (0x30...0x39).contains(byte) else { return nil }
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 0x30))
            guard !overflow, !carry else { return nil }
            result = sum
            isEmpty = false
        }
        return isEmpty ? nil : result
    }

    /// A number of bytes with an optional K, M or G.
    static func size(_ text: UnsafeRawBufferPointer) -> ByteCount? {
        guard !text.isEmpty else { return nil }
        let shift: UInt64 = switch text[text.count - 1] {
        case 0x4B, 0x6B: 10
        case 0x4D, 0x6D: 20
        case 0x47, 0x67: 30
        default: 0
        }
        let digits = UnsafeRawBufferPointer(rebasing: text[..<(shift == 0 ? text.count : text.count - 1)])
        guard let count = number(digits), count <= UInt64.max >> shift else { return nil }
        return ByteCount(count << shift)
    }
}

extension KernelOptions.EmbeddedGuest {
    init?(_ name: UnsafeRawBufferPointer) {
        if name.equals("tour") {
            self = .tour
        } else if name.equals("real") {
            self = .real
        } else if name.equals("protected") {
            self = .protected
        } else if name.equals("long") {
            self = .long
        } else {
            return nil
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes are those of an ASCII text.
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != text.utf8Start[index] { return false }
        return true
    }
}
