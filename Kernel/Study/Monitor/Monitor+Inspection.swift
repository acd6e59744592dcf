import Machine
import Memory
import Text
import VMX
import Virtualization
import X86

// Commands that show the guest as it stands.

extension Monitor {
    func inspect<Access: VMCSAccess, Services: HostServices>(
        _ command: MonitorCommand, _ text: CommandText,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, on line: inout some MonitorHost
    ) throws(Complaint) {
        let capabilities = line.capabilities
        take(.now, cpu, line)
        let state = line.view(.now)
        switch command {
        case .vmcs: text.rest(from: 1).withBytes { words in FieldInspection.write(words, state, capabilities, to: &line) }
        case .controls: text.rest(from: 1).withBytes { words in ControlInspection.write(words, state, capabilities, to: &line) }
        case .check:
            try end(text, 1)
            EntryInspection.write(state, capabilities, line.circumstances, to: &line)
        case .changes:
            try end(text, 1)
            if hasStopped { ChangeInspection.write(line.view(.lastStop), state, to: &line) } else { say("this is the first stop", on: &line) }
        case .why:
            try end(text, 1)
            guard let exit = lastExit else { return ExitInspection.writeNothingYet(state, to: &line) }
            ExitInspection.write(exit.exit, exit.outcome, before: line.view(.before), after: line.view(.after), to: &line)
        case .disassemble:
            let address = try text.number(1)
            let count = try text.number(2)
            try end(text, 3)
            let view = GuestView(cpu.pointee.guestMemory, through: cpu.pointee.paging)
            Disassembly.write(from: address, count: count ?? Disassembly.usualCount, state, in: view, to: &line)
        default:
            try end(text, 1)
            RegisterInspection.write(state, to: &line)
        }
    }

    /// Takes the guest down as it is now.
    public func take<Access: VMCSAccess, Services: HostServices>(
        _ state: KeptState, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        _ host: borrowing some MonitorHost
    ) {
        (host.states + state.rawValue).initialize(
            to: StateSnapshot(
                reading: cpu.pointee.processor.vmcs, host.capabilities, cpu.pointee.registers,
                pageFaultAddress: host.pageFaultAddress, debugRegisters: cpu.pointee.debugRegisters))
    }

    /// `memory ADDRESS [COUNT] [physical]`
    func showMemory<Access: VMCSAccess, Services: HostServices>(
        _ text: CommandText, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost
    ) throws(Complaint) {
        guard let address = try text.number(1) else { throw Complaint("memory needs an address") }
        var next = 2
        var count = MemoryInspection.usualCount
        if let word = text.word(2), let number = word.number {
            count = number
            next = 3
        }
        let memory = cpu.pointee.guestMemory
        guard let word = text.word(next) else {
            return MemoryInspection.write(
                address, count: count, in: GuestView(memory, through: cpu.pointee.paging), to: &line)
        }
        guard word.matchesBeginning(of: "physical") != nil else {
            throw Complaint("\"\(word)\" is neither a number of bytes nor \"physical\"")
        }
        try end(text, next + 1)
        MemoryInspection.write(address, count: count, in: GuestView(physical: memory), to: &line)
    }

    /// `walk ADDRESS [read | write | fetch] [user | supervisor]`
    func walk<Access: VMCSAccess, Services: HostServices>(
        _ text: CommandText, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost
    ) throws(Complaint) {
        guard let address = try text.number(1) else { throw Complaint("walk needs an address") }
        var kind = GuestAccess.Kind.read
        var level = Int(cpu.pointee.processor.privilegeLevel)
        var index = 2
        while let word = text.word(index) {
            var search = NameSearch(word)
            search.offer("read", 0)
            search.offer("write", 1)
            search.offer("fetch", 2)
            search.offer("user", 3)
            search.offer("supervisor", 4)
            switch try search.result("kind of access", "there are read, write, fetch, user and supervisor") {
            case 0: kind = .read
            case 1: kind = .write
            case 2: kind = .fetch
            case 3: level = 3
            default: level = 0
            }
            index += 1
        }
        let access = GuestAccess.explicit(
            kind, privilegeLevel: level, alignmentCheck: cpu.pointee.processor.flags.contains(.alignmentCheck))
        TwoDimensionalWalk.write(
            GuestVirtualAddress(address), for: access, paging: cpu.pointee.paging, memory: cpu.pointee.guestMemory,
            nested: nested(cpu, line), pointer: cpu.pointee.processor.vmcs[.extendedPageTablePointer], to: &line)
    }

    /// `ept [FIRST [LAST]]`
    func showMap<Access: VMCSAccess, Services: HostServices>(
        _ text: CommandText, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>,
        on line: inout some MonitorHost
    ) throws(Complaint) {
        let view = nested(cpu, line)
        guard let first = try text.number(1) else { return NestedMap.write(view, to: &line) }
        let last = try text.number(2) ?? first
        try end(text, 3)
        guard last >= first, last < view.format.inputLimit else {
            throw Complaint("the range must end below \(hex: view.format.inputLimit), and not before it begins")
        }
        NestedMap.write(
            AddressRange(start: GuestPhysicalAddress(first), count: ByteCount(last &- first &+ 1)), of: view, to: &line)
    }

    private func nested<Access: VMCSAccess, Services: HostServices, Host: MonitorHost>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>, _ host: Host
    ) -> PageTableView<ExtendedPageTableFormat, Host.HostMemory> {
        PageTableView(
            format: ExtendedPageTableFormat(host.capabilities), memory: host.hostMemory,
            root: cpu.pointee.processor.vmcs[.extendedPageTablePointer].root)
    }
}
