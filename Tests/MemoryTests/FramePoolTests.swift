import Text
import Support
import Testing
@testable import Memory

@Suite struct FramePoolTests {
    let memory = FakeMemory()

    func pool(frames: Int, at start: UInt64 = 0x10_0000) throws -> FramePool<FakeMemory> {
        for index in 0..<UInt64(frames) { memory.create(start + index << 12) }
        var pool = FramePool(memory: memory)
        try pool.add(hostRange(start, .frames(UInt64(frames))))
        return pool
    }

    /// Takes a frame; the pool is not copyable, so the macros cannot be given the call.
    func take(_ pool: inout FramePool<FakeMemory>) throws -> HostPhysicalAddress {
        let frame = pool.allocateFrame()
        return try #require(frame)
    }

    @Test func givesEachFrameOnceZeroed() throws {
        var pool = try pool(frames: 3)
        var seen: Set<UInt64> = []
        while let frame = pool.allocateFrame() {
            seen.insert(frame.rawValue)
            #expect(memory.words(frame).allSatisfy { $0 == 0 })
        }
        #expect(seen == [0x10_0000, 0x10_1000, 0x10_2000])
        #expect(pool.framesInUse == 3 && pool.availableFrames == 0)
    }

    @Test func reusesAndZeroesFreedFrames() throws {
        var pool = try pool(frames: 2)
        let first = try take(&pool)
        let second = try take(&pool)
        memory.writeUInt64(7, at: first.advanced(by: ByteCount(4088)))
        try pool.free(first)
        try pool.free(second)
        #expect(pool.framesInUse == 0 && pool.availableFrames == 2)
        let again = [pool.allocateFrame(), pool.allocateFrame(), pool.allocateFrame()]
        #expect(again == [second, first, nil])
        #expect(memory.words(first).allSatisfy { $0 == 0 })
    }

    @Test func refusesWrongFrames() throws {
        var pool = try pool(frames: 4)
        let frame = try take(&pool)
        #expect(throws: FramePoolError.misaligned) { try pool.free(frame.advanced(by: ByteCount(8))) }
        #expect(throws: FramePoolError.notInPool) { try pool.free(host(0x20_0000)) }
        #expect(throws: FramePoolError.alreadyFree) { try pool.free(host(0x10_1000)) }
        try pool.free(frame)
        #expect(throws: FramePoolError.alreadyFree) { try pool.free(frame) }
        #expect(pool.framesInUse == 0 && pool.availableFrames == 4)
    }

    @Test func aForgedMarkIsNoDoubleFree() throws {
        var pool = try pool(frames: 2)
        let frame = try take(&pool)
        try pool.free(frame)
        let words = memory.words(frame)
        #expect(try take(&pool) == frame)
        memory.writeUInt64(words[0], at: frame)
        memory.writeUInt64(words[1], at: frame.advanced(by: ByteCount(8)))
        try pool.free(frame)
        #expect(pool.framesInUse == 0)
    }

    @Test func rangesAreChecked() throws {
        var pool = try pool(frames: 2)
        #expect(throws: FramePoolError.misaligned) { try pool.add(hostRange(0x800, .kibibytes(4))) }
        #expect(throws: FramePoolError.misaligned) { try pool.add(hostRange(0x1000, ByteCount(100))) }
        #expect(throws: FramePoolError.unusableRange) { try pool.add(hostRange(0, .kibibytes(4))) }
        #expect(throws: FramePoolError.unusableRange) { try pool.add(hostRange(0x5000, .zero)) }
        #expect(throws: FramePoolError.unusableRange) { try pool.add(hostRange(0x10_1000, .kibibytes(8))) }
        for index in 1..<8 { try pool.add(hostRange(UInt64(index) << 30, .kibibytes(4))) }
        #expect(throws: FramePoolError.tooManyRanges) { try pool.add(hostRange(9 << 30, .kibibytes(4))) }
        #expect(pool.availableFrames == 9)
    }
}
