import Testing

@testable import Virtualization

/// SDM volume 3, table "Priority Among Concurrent Events", and volume 2, "HLT - Halt".
@Suite struct BoundaryEventTests {
    /// The table's rows from the first to the last, in the manual's numbers; what is in one row comes in the order given.
    static let rows: [[BoundaryEvent]] = [
        [.reset, .machineCheck], [.taskSwitchTrap], [.systemManagementInterrupt, .initialize], [.debugTrap],
        [.nonMaskableInterrupt], [.interrupt], [.codeBreakpoint], [.fetchFault], [.decodingFault], [.executionFault],
    ]
    static let order = rows.flatMap(\.self)
    static let endingHalt: Set<BoundaryEvent> = [
        .reset, .machineCheck, .taskSwitchTrap, .systemManagementInterrupt, .initialize, .debugTrap, .nonMaskableInterrupt,
        .interrupt,
    ]

    static func set(_ events: some Sequence<BoundaryEvent>) -> BoundaryEvents {
        var set = BoundaryEvents.none
        for event in events { set.insert(event) }
        return set
    }

    @Test func `each event alone comes, and none when none waits`() {
        #expect(BoundaryEvents.none.first(blocked: .none) == nil)
        for event in Self.order { #expect(BoundaryEvents(event).first(blocked: .none) == event) }
        #expect((0...255).compactMap(BoundaryEvent.init(rawValue:)).count == Self.order.count)
    }

    @Test func `of every two that wait the one in the earlier row comes, unless it is blocked`() {
        for (place, first) in Self.order.enumerated() {
            for second in Self.order[(place + 1)...] {
                let waiting = Self.set([second, first])
                #expect(waiting.first(blocked: .none) == first, "\(first), \(second)")
                #expect(waiting.first(blocked: BoundaryEvents(second)) == first, "\(first), \(second)")
                #expect(waiting.first(blocked: BoundaryEvents(first)) == second, "\(first), \(second)")
                #expect(waiting.first(blocked: waiting) == nil, "\(first), \(second)")
            }
        }
    }

    @Test func `of any number that wait the first that nothing blocks comes`() {
        for bits in 0..<1 << Self.order.count {
            let waiting = Self.order.enumerated().filter { bits >> $0.offset & 1 != 0 }.map(\.element)
            let blocked: [BoundaryEvent] = [.debugTrap, .interrupt]
            #expect(Self.set(waiting).first(blocked: .none) == waiting.first)
            #expect(Self.set(waiting).first(blocked: Self.set(blocked)) == waiting.first { !blocked.contains($0) })
        }
    }

    @Test func `HLT is ended by what the manual lists, unless it is blocked, and by nothing of the next instruction`() {
        for event in Self.order {
            #expect(BoundaryEvents(event).endOfHalt(blocked: .none) == (Self.endingHalt.contains(event) ? event : nil))
            #expect(BoundaryEvents(event).endOfHalt(blocked: BoundaryEvents(event)) == nil)
            let others: [BoundaryEvent] = [.codeBreakpoint, .executionFault]
            let waiting = Self.set(others + [event])
            #expect(waiting.endOfHalt(blocked: .none) == (Self.endingHalt.contains(event) ? event : nil))
        }
    }
}
