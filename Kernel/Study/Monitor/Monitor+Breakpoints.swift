import Machine
import Memory
import Text
import VMX
import Virtualization
import X86

extension Monitor {
    /// `break`: with nothing behind it, a list.
    mutating func setBreakpoint<Access: VMCSAccess, Services: HostServices>(
        _ text: CommandText, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost, _ protect: PageProtection
    ) throws(Complaint) {
        guard text.word(1) != nil else { return listBreakpoints(on: &line) }
        let breakpoint = try Breakpoint(text)
        if case .memory(let watch) = breakpoint.kind {
            let memory = cpu.pointee.guestMemory.size.bytes
            guard watch.last < memory else { throw Complaint("the guest's memory ends at \(hex: memory)") }
        }
        if case .address = breakpoint.kind {
            let control = cpu.pointee.processor.debugRegister7
            guard hasRoomForBreakpoints(beside: control, more: 1) else {
                throw Complaint("of the four debug registers \(addressBreakpointCount) serve breakpoints, and the guest uses the others: \"break fetch\" needs none")
            }
        }
        if case .register(let number) = breakpoint.kind, Monitor.passes(number, cpu.pointee.processor.vmcs[.msrBitmaps], line.hostMemory)
        {
            throw Complaint("the guest reads and writes MSR \(hex: number) without an exit: the MSR bitmaps pass it")
        }
        for index in 0..<Monitor.breakpointCapacity where breakpoints[index] == nil {
            breakpoints[index] = breakpoint
            guard applyWatches(protect) else {
                _ = release(index, protect)
                throw Complaint("the EPT cannot have such pages: no memory for tables is left, or execute-only pages are not offered")
            }
            return say("\(index + 1): \(breakpoint)", on: &line)
        }
        throw Complaint("there are \(Monitor.breakpointCapacity) breakpoints already: \"delete NUMBER\" makes room")
    }

    /// Whether neither reads nor writes of a register exit.
    private static func passes(
        _ register: UInt32, _ bitmaps: HostPhysicalAddress, _ memory: some PhysicalMemory
    ) -> Bool {
        func exits(isWrite: Bool) -> Bool {
            guard let bit = MSRBitmapLayout.bit(of: ModelSpecificRegister(register), isWrite: isWrite) else { return true }
            return memory.readUInt64(at: bitmaps.advanced(by: ByteCount(bit / 64 * 8))) >> (bit & 63) & 1 != 0
        }
        return !exits(isWrite: false) && !exits(isWrite: true)
    }

    private func listBreakpoints(on line: inout some MonitorHost) {
        var isEmpty = true
        for index in 0..<Monitor.breakpointCapacity {
            guard let breakpoint = breakpoints[index] else { continue }
            say("\(index + 1): \(breakpoint)", on: &line)
            isEmpty = false
        }
        if isEmpty { say("no breakpoints", on: &line) }
    }

    mutating func deleteBreakpoint(
        _ text: CommandText, on line: inout some MonitorHost, _ protect: PageProtection
    ) throws(Complaint) {
        guard let word = text.word(1) else { throw Complaint("delete needs the number of a breakpoint, or all") }
        try end(text, 2)
        if word == "all" {
            for index in 0..<Monitor.breakpointCapacity { try remove(index, protect) }
            return say("no breakpoints", on: &line)
        }
        guard let number = word.number, number > 0, number <= UInt64(Monitor.breakpointCapacity),
            breakpoints[Int(number) - 1] != nil
        else { throw Complaint("there is no breakpoint \(word): \"break\" lists them") }
        try remove(Int(number) - 1, protect)
        say("deleted \(number)", on: &line)
    }

    private mutating func remove(_ index: Int, _ protect: PageProtection) throws(Complaint) {
        guard release(index, protect) else {
            throw Complaint("the EPT could not be changed back: no memory for tables is left")
        }
    }

    /// Takes a breakpoint away, and gives its memory back what it took.
    private mutating func release(_ index: Int, _ protect: PageProtection) -> Bool {
        let kind = breakpoints[index]?.kind
        breakpoints[index] = nil
        guard case .memory(let watch)? = kind else { return true }
        return protect(watch.pages, .all, true) && applyWatches(protect)
    }
}
