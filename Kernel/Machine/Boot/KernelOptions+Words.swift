import Memory
import Trace
import Virtualization

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
            if !(isFirst && KernelOptions.isFileName(word)) { try take(OptionWord(word)) }
            isFirst = false
            position = end
        }
        if mmu != .nested, roundTrip != nil {
            throw .conflict("mmu=shadow and mmu=direct do not go with roundtrip=: leave one of them out")
        }
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

    /// The keys, in the order of `Key`.
    static var keys: StaticString {
        "memory, trace, flat, hide, large, vpid, mmu, shadow, apic, timer, checks, testdev, exceptions, report, agent, stop, step, record, recordway, records, slice, selftest, guest, then, restart, limit, checksum, roundtrip, screen, rows, columns"
    }

    private enum Key: Int {
        case memory, trace, flat, hide, large, vpid, mmu, shadow, apic, timer, checks, testdev, exceptions, report, agent, stop,
            step
        case record, recordway, records, slice, selftest, guest, then, restart, limit, checksum, roundtrip, screen, rows, columns
    }

    private mutating func take(_ word: OptionWord) throws(KernelOptionError) {
        guard let number = word.key.index(in: KernelOptions.keys), let key = Key(rawValue: number) else {
            throw .unknownKey(OptionText(word.whole))
        }
        switch key {
        case .memory: memory = try word.size(from: .kibibytes(4), "a size such as 256M or 1G, a multiple of 4K")
        case .trace:
            trace = try word.choice("off, summary, exits or full", [.off, .summary, .exits, .full])
        case .flat: takesFlat = try word.flag()
        case .hide:
            var names = WordList(word.value)
            while let name = names.next() {
                guard hidden.hide(name) else {
                    throw .unknownFeature(OptionText(name), nearest: OptionText(HiddenFeatures.nearestName(to: name)))
                }
            }
        case .large:
            largestPage = try word.choice("4k, 2m or 1g", [.fourKibibytes, .twoMebibytes, .oneGibibyte])
        case .vpid: usesVPID = try word.flag()
        case .mmu:
            namesMMU = true
            mmu = try word.choice("nested, shadow or direct", [.nested, .shadow, .direct])
        case .shadow:
            shadowSize = try word.size(
                from: ShadowLayout.leastSize, to: .gibibytes(1), "a size from 256K to 1G, a multiple of 4K")
        case .apic:
            assistance = try word.choice("auto, tpr or plain", [.delivery, .taskPriority, .none])
        case .timer: usesHostTimer = try word.choice("auto or host", [false, true])
        case .checks: checksEntries = try word.flag()
        case .testdev: hasTestDevice = try word.flag()
        case .exceptions: seesExceptions = try word.flag()
        case .report: report = try word.choice("com2 or com3", [.com2, .com3])
        case .agent: isStudied = try word.choice("com2", [true])
        case .stop: canBeStopped = try word.choice("com4", [true])
        case .step: stepsByTrapFlag = try word.choice("auto or tf", [false, true])
        case .record: recording = try word.choice("serial, memory or off", [.serial, .memory, .off])
        case .recordway:
            recordWay = try word.choice("report, parallel or port", [.report, .parallel, .port])
        case .records: recordCount = try word.number(2...1_000_000, "a number of records from 2 to 1000000")
        case .slice: slice = try word.number(1000...UInt64.max, "a number of ticks, at least 1000")
        case .selftest:
            selfTest = try word.choice(
                "panic, stack, text, data, guest-state or controls",
                [.panic, .stack, .writeText, .executeData, .badGuestState, .badControls])
        case .guest: guest = try embeddedGuest(word)
        case .then: guestAfterwards = try embeddedGuest(word)
        case .restart: restarts = try word.number(0...UInt64.max, "a number")
        case .limit: limit = try word.number(1000...UInt64.max, "a number of ticks, at least 1000")
        case .checksum: checksMemory = try word.flag()
        case .roundtrip: roundTrip = try word.number(1...UInt64.max, "a number of exits, at least 1")
        case .screen: screen = try word.choice("auto, on or off", [.automatic, .on, .off])
        case .rows: terminalRows = try word.number(0...1000, "a number of rows, at most 1000")
        case .columns: columns = try word.number(40...1000, "a number of columns from 40 to 1000")
        }
    }

    private func embeddedGuest(_ word: OptionWord) throws(KernelOptionError) -> EmbeddedGuest {
        try word.choice("tour, real, protected or long (other guests come as modules)", [.tour, .real, .protected, .long])
    }
}
