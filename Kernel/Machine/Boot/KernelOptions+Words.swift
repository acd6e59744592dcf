import Memory
import Text
import Trace
import Virtualization

extension KernelOptions {
    /// Parses a command line. Its first word is the kernel's file name if the loader passes that on.
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
        if translation != .nested, roundTrip != nil {
            throw .conflict("mmu=shadow and mmu=direct do not go with roundtrip=: leave one of them out")
        }
        if translation == .direct, isStudied { throw .conflict("mmu=direct does not go with agent=: leave one of them out") }
    }

    /// Without "=", or with a "/" before it.
    private static func isFileName(_ word: UnsafeRawBufferPointer) -> Bool {
        for byte in word {
            if byte == 0x3D { return false }
            if byte == 0x2F { return true }
        }
        return true
    }

    private mutating func take(_ word: OptionWord) throws(KernelOptionError) {
        var reader = OptionReader(word)
        takeRows(&reader)
        if let error = reader.error { throw error }
        guard reader.isTaken else { throw .unknownKey(OptionText(word.whole)) }
    }

    /// The keys of all rows, for the error about an unknown key.
    @inline(never)
    static func writeKeys(to output: inout Line) {
        var reader = OptionReader()
        var options = KernelOptions()
        options.takeRows(&reader)
        output.write(reader.keys)
    }

    /// Every word, a row each: its key, what it takes, and the option that it sets, which is documented there.
    private mutating func takeRows(_ reader: inout OptionReader) {
        reader.size("memory", from: .kibibytes(4), "a size such as 256M or 1G, a multiple of 4K", &memory)
        reader.choice("trace", "off, summary, exits or full", [.off, .summary, .exits, .full], &trace)
        reader.flag("flat", &takesFlat)
        reader.features("hide", &hidden)
        reader.choice("large", "4k, 2m or 1g", [.fourKibibytes, .twoMebibytes, .oneGibibyte], &largestPage)
        reader.flag("vpid", &usesVPID)
        reader.choice("mmu", "nested, shadow or direct", [.nested, .shadow, .direct], &mmu)
        reader.size(
            "shadow", from: ShadowLayout.leastSize, to: .gibibytes(1), "a size from 256K to 1G, a multiple of 4K", &shadowSize)
        reader.choice("apic", "auto, tpr or plain", [.delivery, .taskPriority, .none], &assistance)
        reader.choice("timer", "auto or host", [false, true], &usesHostTimer)
        reader.flag("checks", &checksEntries)
        reader.flag("testdev", &hasTestDevice)
        reader.flag("exceptions", &seesExceptions)
        reader.choice("report", "com2 or com3", [.com2, .com3], &report)
        reader.choice("agent", "com2", [true], &isStudied)
        reader.choice("stop", "com4", [true], &canBeStopped)
        reader.choice("step", "auto or tf", [false, true], &stepsByTrapFlag)
        reader.choice("record", "serial, memory or off", [.serial, .memory, .off], &recording)
        reader.choice("recordway", "report, parallel or port", [.report, .parallel, .port], &recordWay)
        reader.number("records", 2...1_000_000, "a number of records from 2 to 1000000", &recordCount)
        reader.number("slice", 1000...UInt64.max, "a number of ticks, at least 1000", &slice)
        reader.choice(
            "selftest", "panic, stack, text, data, guest-state or controls",
            [.panic, .stack, .writeText, .executeData, .badGuestState, .badControls], &selfTest)
        let guests: StaticString = "tour, real, protected or long (other guests come as modules)"
        reader.choice("guest", guests, [.tour, .real, .protected, .long], &guest)
        reader.choice("then", guests, [.tour, .real, .protected, .long], &guestAfterwards)
        reader.number("restart", 0...UInt64.max, "a number", &restarts)
        reader.number("limit", 1000...UInt64.max, "a number of ticks, at least 1000", &limit)
        reader.flag("checksum", &checksMemory)
        reader.number("roundtrip", 1...UInt64.max, "a number of exits, at least 1", &roundTrip)
        reader.choice("screen", "auto, on or off", [.automatic, .on, .off], &screen)
        reader.number("rows", 0...1000, "a number of rows, at most 1000", &terminalRows)
        reader.number("columns", 40...1000, "a number of columns from 40 to 1000", &columns)
    }
}
