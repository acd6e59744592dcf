import Support
import Testing

@testable import Devices

/// Acceptance, priorities and end of interrupts (SDM volume 3, "Handling Interrupts").
@Suite struct LocalAPICPriorityTests {
    /// The manual's text, with a Boolean for every vector.
    private struct Model {
        var requested = [Bool](repeating: false, count: 256)
        var inService = [Bool](repeating: false, count: 256)
        var level = [Bool](repeating: false, count: 256)
        var task = 0

        func highest(_ set: [Bool]) -> Int { set.lastIndex(of: true) ?? 0 }

        var processor: Int {
            let inService = highest(inService)
            return task >> 4 >= inService >> 4 ? task : inService & 0xF0
        }

        var pending: Int {
            let vector = highest(requested)
            return vector >> 4 > processor >> 4 ? vector : 0
        }

        mutating func request(_ vector: Int, level isLevel: Bool) {
            requested[vector] = true
            level[vector] = isLevel
        }

        mutating func acknowledge() {
            let vector = pending
            requested[vector] = false
            inService[vector] = true
        }

        mutating func end() -> LocalAPICEffect {
            let vector = highest(inService)
            guard vector != 0 else { return .priorityChanged }
            inService[vector] = false
            return level[vector] ? .endOfInterrupt(UInt8(vector)) : .priorityChanged
        }
    }

    @Test(arguments: [false, true], [UInt64](1...4))
    func `random interrupts, ends and priorities go as a simple model says`(extended: Bool, seed: UInt64) {
        var random = FixedSeedGenerator(seed: seed)
        let test = TestLocalAPIC(extended: extended)
        var model = Model()
        for step in 0..<4000 {
            switch UInt8.random(in: 0..<10, using: &random) {
            case 0...3:
                // Often near each other, so that classes meet.
                let vector = Int.random(in: 16...255, using: &random) & (Bool.random(using: &random) ? 0xFF : 0x3F) | 16
                let level = Bool.random(using: &random)
                #expect(test.request(UInt8(vector), level: level) == .requested(UInt8(vector)))
                model.request(vector, level: level)
            case 4...6:
                guard model.pending != 0 else { break }
                #expect(test.apic.acknowledge() == UInt8(model.pending))
                model.acknowledge()
            case 7:
                #expect(test.write(0xB0, 0) == model.end())
            case 8:
                let isQuiet =
                    model.highest(model.inService) != 0 && model.highest(model.requested) == 0
                    && !model.level[model.highest(model.inService)]
                #expect(test.endsQuietly == isQuiet)
                if isQuiet { #expect(test.write(0xB0, 0) == model.end()) }
            default:
                model.task = Int.random(in: 0...255, using: &random) & (Bool.random(using: &random) ? 0xFF : 0x2F)
                test[0x80] = UInt32(model.task)
            }
            #expect(test.apic.pendingVector == UInt8(model.pending), "step \(step)")
            #expect(test.apic.highestRequested == UInt8(model.highest(model.requested)))
            #expect(test.apic.highestInService == UInt8(model.highest(model.inService)))
            #expect(test[0xA0] == UInt32(model.processor))
            // What the processor itself would find in the page.
            #expect(test.apic.requestedInPage == test.apic.highestRequested)
            #expect(test.apic.inServiceInPage == test.apic.highestInService)
            let requestedClass = model.highest(model.requested) >> 4
            let awaitsTask = requestedClass > model.highest(model.inService) >> 4 && requestedClass <= model.task >> 4
            #expect(test.apic.awaitedPriorityClass == (awaitsTask ? UInt8(requestedClass) : 0))
            if step % 500 == 0 {
                #expect(test.requested == (0...255).filter { model.requested[$0] }.map { UInt8($0) })
                #expect(test.inService == (0...255).filter { model.inService[$0] }.map { UInt8($0) })
                #expect(test.levelTriggered == (0...255).filter { model.level[$0] }.map { UInt8($0) })
            }
        }
    }

    @Test func `of several interrupts the highest comes first, and a lower class waits for its end`() {
        let test = TestLocalAPIC()
        for vector in [0x31, 0x55, 0x52, 0xF0] as [UInt8] { test.request(vector) }
        #expect(test.apic.acknowledge() == 0xF0)
        #expect(test.apic.pendingVector == 0)
        _ = test.write(0xB0, 0)
        #expect(test.apic.acknowledge() == 0x55)
        // The same class does not interrupt.
        test.request(0x5F)
        #expect(test.apic.pendingVector == 0)
        test.request(0x60)
        #expect(test.apic.acknowledge() == 0x60)
        #expect(test.inService == [0x55, 0x60])
        _ = test.write(0xB0, 0)
        #expect(test.inService == [0x55])
        _ = test.write(0xB0, 0)
        #expect([test.apic.acknowledge(), test.apic.pendingVector] == [0x5F, 0])
    }

    @Test func `a vector in service may be requested once more, and comes once more`() {
        let test = TestLocalAPIC()
        test.serve(0x40)
        test.request(0x40)
        test.request(0x40)
        #expect(test.requested == [0x40])
        #expect(test.inService == [0x40])
        _ = test.write(0xB0, 0)
        #expect(test.apic.acknowledge() == 0x40)
        _ = test.write(0xB0, 0)
        #expect(test.apic.pendingVector == 0)
    }

    @Test func `the task priority holds off its class and those below; CR8 is its class`() {
        let test = TestLocalAPIC()
        test.request(0x7A)
        test[0x80] = 0x70
        #expect(test.apic.pendingVector == 0)
        #expect(test.apic.awaitedPriorityClass == 7)
        #expect(test.write(0x80, 0x6F) == .priorityChanged)
        #expect(test.apic.pendingVector == 0x7A)
        test.apic.taskPriority = 0x90
        #expect(test[0x80] == 0x90)
        #expect(test.apic.pendingVector == 0)
    }

    @Test func `the processor priority is the greater of task priority and class in service`() {
        for (task, inService, expected) in [
            (0, nil, 0), (0x35, nil, 0x35), (0x35, 0x50, 0x50), (0x5F, 0x50, 0x5F), (0x2F, 0x3C, 0x30), (0x62, 0x3C, 0x62),
        ] as [(UInt32, UInt8?, UInt32)] {
            let test = TestLocalAPIC()
            if let inService { test.serve(inService) }
            test[0x80] = task
            #expect(test[0xA0] == expected)
        }
    }

    @Test func `the arbitration priority follows the manual's formula`() {
        for (task, requested, inService, expected) in [
            (0x35, nil, nil, 0x35), (0x35, 0x44, nil, 0x40), (0x35, nil, 0x25, 0x35), (0x35, 0x22, 0x66, 0x20),
            (0x35, nil, 0x75, 0x30),
        ] as [(UInt32, UInt8?, UInt8?, UInt32)] {
            let test = TestLocalAPIC()
            if let inService { test.serve(inService) }
            if let requested { test.request(requested) }
            test[0x80] = task
            #expect(test[0x90] == expected)
        }
    }

    @Test(arguments: [false, true])
    func `the I/O APIC hears of the end of level-triggered interrupts, and of no others`(extended: Bool) {
        let test = TestLocalAPIC(extended: extended)
        test.serve(0x41)
        #expect(test.write(0xB0, 0) == .priorityChanged)
        test.serve(0x41, level: true)
        #expect(test.levelTriggered == [0x41])
        #expect(!test.endsQuietly)
        #expect(test.write(0xB0, 0) == .endOfInterrupt(0x41))
        test.serve(0x41)
        #expect(test.levelTriggered == [])
        // The shortest way is for x2APIC mode.
        #expect(test.endsQuietly == extended)
        #expect(test.write(0xB0, 0) == .priorityChanged)
        #expect(test.inService == [])
    }

    @Test func `the end is known to be quiet where one interrupt alone is in service`() {
        let test = TestLocalAPIC(extended: true)
        test.serve(0x41)
        #expect(test.endsQuietly)
        test.serve(0x61)
        #expect(!test.endsQuietly && test.apic.highestInService == 0x61)
        #expect(test.write(0xB0, 0) == .priorityChanged)
        #expect(test.apic.highestInService == 0x41)
        #expect(test.write(0xB0, 0) == .priorityChanged)
        #expect(test.apic.highestInService == 0 && !test.endsQuietly)
        test.serve(0x41)
        test.request(0x31)
        #expect(!test.endsQuietly)
        #expect(test.write(0xB0, 0) == .priorityChanged)
        #expect(test.apic.highestInService == 0 && test.apic.inServiceInPage == 0 && test.apic.highestRequested == 0x31)
    }

    @Test func `in memory any value ends an interrupt, by MSR only 0`() {
        let memory = TestLocalAPIC()
        memory.serve(0x41)
        memory[0xB0] = .max
        #expect(memory.inService == [])
        let registers = TestLocalAPIC(extended: true)
        registers.serve(0x41)
        #expect(registers.writeMSR(0x80B, 1) == nil)
        #expect(registers.inService == [0x41])
    }

    // MARK: With assistance

    @Test func `what the processor does to the page counts from then on, and is found again without assistance`() {
        let test = TestLocalAPIC(extended: true)
        test.request(0x30)
        test.apic.setAssisted(true)
        // The processor delivers 0x30 and takes 0x52, which another processor posted.
        test.page[0x210 >> 2] = 0
        test.page[0x110 >> 2] = 1 << 16
        test.page[0x120 >> 2] = 1 << 18
        #expect(test.apic.pendingVector == 0)
        test.request(0x61)
        #expect(test.apic.pendingVector == 0x61)
        #expect([test.apic.requestedInPage, test.apic.inServiceInPage] == [0x61, 0x52])
        #expect(test.readMSR(0x80A) == 0x50)
        #expect(test.writeMSR(0x80B, 0) == .priorityChanged)
        #expect(test.inService == [0x30])
        test.apic.setAssisted(false)
        #expect(test.apic.acknowledge() == 0x61)
        #expect(test.inService == [0x30, 0x61])
        _ = test.writeMSR(0x80B, 0)
        #expect(test.apic.highestInService == 0x30)
    }

    @Test func `pages that the processor has filled at random read the same with and without assistance`() {
        var random = FixedSeedGenerator(seed: 11)
        for _ in 0..<500 {
            let test = TestLocalAPIC()
            for array in [0x100, 0x180, 0x200] {
                for word in 0..<8 where random.next() & 3 == 0 {
                    test.page[array >> 2 + 4 * word] = UInt32(truncatingIfNeeded: random.next() & random.next())
                }
                if array != 0x180 { test.page[array >> 2] &= 0xFFFF_0000 }
            }
            test.page[0x80 >> 2] = UInt32(truncatingIfNeeded: random.next()) & 0xFF
            test.apic.setAssisted(true)
            let assisted = [test[0xA0], test[0x90], UInt32(test.apic.pendingVector)]
            test.apic.setAssisted(false)
            #expect(assisted == [test[0xA0], test[0x90], UInt32(test.apic.pendingVector)])
            var plain = test.apic.state
            let effect = test.apic.endOfInterrupt()
            swap(&plain, &test.restored)
            test.apic.setAssisted(true)
            #expect(test.apic.endOfInterrupt() == effect)
            #expect(test.apic.state == plain)
        }
    }
}

extension TestLocalAPIC {
    /// The state, which can be exchanged for another.
    fileprivate var restored: LocalAPIC.State {
        get { apic.state }
        set { apic.restore(newValue) }
    }
}
