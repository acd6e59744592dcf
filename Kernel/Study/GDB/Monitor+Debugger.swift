import Machine
import Memory
import Text
import VMX
import Virtualization

// What a debugger does with the monitor: its commands, its breakpoints, its steps.

extension Monitor {
    /// Does one command.
    /// - Returns: what the guest is to do; nil if it is to stay where it is.
    public mutating func command<Access: VMCSAccess, Host: HostServices>(
        _ text: Line, _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>, on line: inout some MonitorHost,
        protect: PageProtection
    ) -> Decision? {
        do {
            return try perform(CommandText(text), cpu, on: &line, protect)
        } catch {
            say("error: \(error.words)", on: &line)
            return nil
        }
    }

    /// The guest is to execute one instruction.
    public mutating func step() { goal = .instructions(1) }

    /// The guest is to run until something stops it.
    public mutating func run() { goal = .never }

    /// The watch of a debugger's that is a breakpoint.
    public func debugWatch(_ index: Int) -> DebugWatch? { debugWatches[index] }

    func has(_ watch: DebugWatch) -> Bool {
        for index in 0..<Monitor.breakpointCapacity where debugWatches[index] == watch { return true }
        return false
    }

    /// Inserts a watch that is not there yet.
    /// - Parameter kind: what watches for it.
    mutating func insert(_ watch: DebugWatch, as kind: Breakpoint.Kind, protect: PageProtection) -> Bool {
        for index in 0..<Monitor.breakpointCapacity where breakpoints[index] == nil {
            breakpoints[index] = Breakpoint(kind, nil)
            debugWatches[index] = watch
            if applyWatches(protect) { return true }
            lift(index, protect)
            return false
        }
        return false
    }

    mutating func remove(_ watch: DebugWatch, protect: PageProtection) {
        for index in 0..<Monitor.breakpointCapacity where debugWatches[index] == watch { lift(index, protect) }
    }

    mutating func removeAllWatches(protect: PageProtection) {
        for index in 0..<Monitor.breakpointCapacity where debugWatches[index] != nil { lift(index, protect) }
    }

    private mutating func lift(_ index: Int, _ protect: PageProtection) {
        let kind = breakpoints[index]?.kind
        breakpoints[index] = nil
        debugWatches[index] = nil
        guard case .memory(let watch)? = kind else { return }
        _ = protect(watch.pages, .all, true)
        _ = applyWatches(protect)
    }
}
