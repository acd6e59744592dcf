import Text

extension Monitor {
    /// `break`: with nothing behind it, a list.
    mutating func setBreakpoint(_ text: CommandText, on line: inout some MonitorLine) throws(Complaint) {
        guard text.word(1) != nil else { return listBreakpoints(on: &line) }
        let breakpoint = try Breakpoint(text)
        for index in 0..<Monitor.breakpointCapacity where breakpoints[index] == nil {
            breakpoints[index] = breakpoint
            return say("\(index + 1): \(breakpoint)", on: &line)
        }
        throw Complaint("there are \(Monitor.breakpointCapacity) breakpoints already: \"delete NUMBER\" makes room")
    }

    private func listBreakpoints(on line: inout some MonitorLine) {
        var isEmpty = true
        for index in 0..<Monitor.breakpointCapacity {
            guard let breakpoint = breakpoints[index] else { continue }
            say("\(index + 1): \(breakpoint)", on: &line)
            isEmpty = false
        }
        if isEmpty { say("no breakpoints", on: &line) }
    }

    mutating func deleteBreakpoint(_ text: CommandText, on line: inout some MonitorLine) throws(Complaint) {
        guard let word = text.word(1) else { throw Complaint("delete needs the number of a breakpoint, or all") }
        try end(text, 2)
        if word == "all" {
            for index in 0..<Monitor.breakpointCapacity { breakpoints[index] = nil }
            return say("no breakpoints", on: &line)
        }
        guard let number = word.number, number > 0, number <= UInt64(Monitor.breakpointCapacity),
            breakpoints[Int(number) - 1] != nil
        else { throw Complaint("there is no breakpoint \(word): \"break\" lists them") }
        breakpoints[Int(number) - 1] = nil
        say("deleted \(number)", on: &line)
    }
}
