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
        let breakpoint = try Breakpoint(text) { (address) throws(Complaint) in try Monitor.locate(address, cpu) }
        if case .memory(let watch) = breakpoint.kind {
            guard hasTrapFlag else { throw Complaint("this processor has no monitor trap flag that works: no breakpoints on memory") }
            let memory = cpu.pointee.guestMemory.size.bytes
            guard watch.last < memory else { throw Complaint("the guest's memory ends at \(hex: memory)") }
        }
        if case .register(let number) = breakpoint.kind, !hasTrapFlag, Monitor.passes(number, cpu.pointee.processor) {
            throw Complaint("this processor has no monitor trap flag that works: no breakpoints on MSRs that do not exit")
        }
        for index in 0..<Monitor.breakpointCapacity where breakpoints[index] == nil {
            breakpoints[index] = breakpoint
            guard applyWatches(protect) else {
                _ = release(index, cpu.pointee.processor, protect)
                throw Complaint("the EPT cannot have such pages: no memory for tables is left, or execute-only pages are not offered")
            }
            return say("\(index + 1): \(breakpoint)", on: &line)
        }
        throw Complaint("there are \(Monitor.breakpointCapacity) breakpoints already: \"delete NUMBER\" makes room")
    }

    /// Where the instruction at a linear address is now, for whatever privilege level.
    private static func locate<Access: VMCSAccess, Services: HostServices>(
        _ address: UInt64, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) throws(Complaint) -> GuestPhysicalAddress {
        var observer = NoWalkObserver()
        let access = GuestAccess.explicit(.read, privilegeLevel: 0, alignmentCheck: true)
        guard case .page(let page) = cpu.pointee.paging.foretell(
            GuestVirtualAddress(address), for: access, in: cpu.pointee.guestMemory, observer: &observer)
        else { throw Complaint("the guest's page tables map nothing at \(hex: address) now: \"walk \(hex: address)\"") }
        return page.address
    }

    /// Whether neither reads nor writes of a register exit by themselves.
    private static func passes<Access: VMCSAccess>(_ number: UInt32, _ processor: VMXProcessor<Access>) -> Bool {
        let register = ModelSpecificRegister(number)
        return !processor.exits(at: register, isWrite: false) && !processor.exits(at: register, isWrite: true)
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

    mutating func deleteBreakpoint<Access: VMCSAccess, Services: HostServices>(
        _ text: CommandText, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, on line: inout some MonitorHost, _ protect: PageProtection
    ) throws(Complaint) {
        guard let word = text.word(1) else { throw Complaint("delete needs the number of a breakpoint, or all") }
        try end(text, 2)
        if word == "all" {
            for index in 0..<Monitor.breakpointCapacity { try remove(index, cpu.pointee.processor, protect) }
            return say("no breakpoints", on: &line)
        }
        guard let number = word.number, number > 0, number <= UInt64(Monitor.breakpointCapacity),
            breakpoints[Int(number) - 1] != nil
        else { throw Complaint("there is no breakpoint \(word): \"break\" lists them") }
        try remove(Int(number) - 1, cpu.pointee.processor, protect)
        say("deleted \(number)", on: &line)
    }

    private mutating func remove<Access: VMCSAccess>(
        _ index: Int, _ processor: VMXProcessor<Access>, _ protect: PageProtection
    ) throws(Complaint) {
        guard release(index, processor, protect) else {
            throw Complaint("the EPT could not be changed back: no memory for tables is left")
        }
    }

    /// Takes a breakpoint away, and gives back what it took of memory and MSR bitmaps.
    private mutating func release<Access: VMCSAccess>(
        _ index: Int, _ processor: VMXProcessor<Access>, _ protect: PageProtection
    ) -> Bool {
        releaseRegisters(processor)
        let kind = breakpoints[index]?.kind
        breakpoints[index] = nil
        guard case .memory(let watch)? = kind else { return true }
        return protect(watch.pages, .all, true) && applyWatches(protect)
    }
}
