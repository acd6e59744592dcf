extension PageTable {
    /// Maps every page of `range`, none of which is mapped yet, to the host-physical memory from `output` on.
    ///
    /// Each leaf is as large as the alignment of both addresses, the rest of the range, `largest` and the processor allow.
    /// Only absent entries are filled in, so the result is `.added` and no processor needs to invalidate anything.
    /// On an error nothing has changed.
    public mutating func map(
        _ range: AddressRange<Format.Input>, to output: HostPhysicalAddress,
        permissions: Format.Permissions, memoryType: MemoryType, largest: PageSize,
        frames: inout some FrameSource & ~Copyable
    ) throws(PageTableError<Format.Input>) -> TranslationChange {
        let positions = try positions(of: range)
        guard output.isAligned(to: .fourKibibytes) else { throw .misaligned }
        guard let outputRange = HostPhysicalRange(checking: output, count: range.count),
            outputRange.start.advanced(by: range.count - ByteCount(1)).fits(width: format.physicalAddressWidth)
        else { throw .outputTooWide }
        guard format.canExpress(permissions) else { throw .permissionsNotExpressible }
        guard format.canExpress(memoryType) else { throw .memoryTypeNotExpressible }

        var plan = MappingPlan(positions: positions, output: output.rawValue, sizes: format.leafSizes, largest: largest)
        let needed = try tablesNeeded(for: plan)
        guard needed <= frames.availableFrames else { throw .outOfFrames(needed: needed) }

        while let step = plan.next() {
            let slot = makeTables(over: step, frames: &frames)
            let size = Format.coverage(level: step.level)
            let leaf = PageLeaf(
                output: HostPhysicalAddress(step.output), size: PageSize(level: step.level)!,
                permissions: permissions, memoryType: memoryType)
            let first = format.entry(for: leaf).rawValue
            // The entries of a row differ only in their addresses.
            for index in 0..<step.leafCount {
                write(Format.Entry(rawValue: first + index * size), at: slot.advanced(by: ByteCount(index * 8)))
            }
        }
        return .added
    }

    /// Checks that nothing in the plan is mapped, and counts the tables that it lacks.
    private func tablesNeeded(for plan: MappingPlan) throws(PageTableError<Format.Input>) -> UInt64 {
        var plan = plan
        var needed: UInt64 = 0
        var previous: MappingPlan.Step?
        while let step = plan.next() {
            let slot = locate(step.position, downTo: step.level)
            if slot.level > step.level {
                guard !format.isPresent(slot.entry) else { throw .alreadyMapped(format.input(at: step.position)) }
                // The missing tables are those of the levels from here down to the leaves',
                // except where the previous step was under the same table, and counted it.
                for level in step.level..<slot.level
                where previous.map({ $0.position ^ step.position >= Format.coverage(level: level + 1) }) ?? true {
                    needed += 1
                }
            } else if let taken = firstTaken(in: step, from: slot.address) {
                throw .alreadyMapped(format.input(at: taken))
            }
            previous = step
        }
        return needed
    }

    /// The position of the first page in the step's row of entries that is mapped.
    private func firstTaken(in step: MappingPlan.Step, from first: HostPhysicalAddress) -> UInt64? {
        let size = Format.coverage(level: step.level)
        for index in 0..<step.leafCount where format.isPresent(read(first.advanced(by: ByteCount(index * 8)))) {
            let start = step.position + index * size
            // A table below the entry is not empty: its first leaf is the one.
            var found: UInt64?
            visitLeaves(in: start..<start + size) { _, leaf in found = found ?? leaf }
            return found
        }
        return nil
    }

    /// Makes the tables that are missing above the step's row of entries, and returns the address of the first entry.
    private mutating func makeTables(
        over step: MappingPlan.Step, frames: inout some FrameSource & ~Copyable
    ) -> HostPhysicalAddress {
        var slot = locate(step.position, downTo: step.level)
        while slot.level > step.level {
            let table = takeFrame(from: &frames)
            write(format.entry(forTableAt: table), at: slot.address)
            slot.level -= 1
            slot.address = Self.slotAddress(in: table, level: slot.level, position: step.position)
        }
        return slot.address
    }

    /// A frame for a table, one of those counted beforehand.
    mutating func takeFrame(from frames: inout some FrameSource & ~Copyable) -> HostPhysicalAddress {
        guard let frame = frames.allocateFrame() else {
            preconditionFailure("the frame source gave fewer frames than it had available")
        }
        tableCount += 1
        return frame
    }
}

/// The leaves that a mapping will consist of, as rows of equal leaves in one table each, upwards.
struct MappingPlan {
    /// Leaves of one size whose entries are adjacent in one table.
    struct Step {
        let position: UInt64
        let output: UInt64
        let level: Int
        let leafCount: UInt64
    }

    private var position: UInt64
    private let end: UInt64
    private var output: UInt64
    private let sizes: LeafSizes
    private let largest: PageSize

    init(positions: Range<UInt64>, output: UInt64, sizes: LeafSizes, largest: PageSize) {
        position = positions.lowerBound
        end = positions.upperBound
        self.output = output
        self.sizes = sizes
        self.largest = largest
    }

    mutating func next() -> Step? {
        guard position < end else { return nil }
        let remaining = end - position
        let level = sizes.largestLevel(input: position, output: output, remaining: remaining, limit: largest)
        let shift = UInt64(3 + 9 * level)
        // A larger leaf can begin only where a table ends, so the row extends to there or to the end of the range.
        let leafCount = min(512 - (position >> shift & 511), remaining >> shift)
        let step = Step(position: position, output: output, level: level, leafCount: leafCount)
        position += leafCount << shift
        output += leafCount << shift
        return step
    }
}
