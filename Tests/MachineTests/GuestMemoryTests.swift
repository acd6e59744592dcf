import Dispatch
import Memory
import Support
import Testing

@testable import Machine

@Suite struct GuestMemoryTests {
    private let ram = GuestRAM(size: 8192)

    @Test(arguments: 1...8)
    func `numbers of every size are read and written at every alignment`(count: Int) {
        let memory = ram.memory
        for address in 0..<40 {
            ram.fill(0xEE)
            let value = UInt64(0x0807_0605_0403_0201)
            #expect(memory.write(value, count: count, at: GuestPhysicalAddress(UInt64(address))))
            for place in 0..<64 {
                let isWritten = (address..<address + count).contains(place)
                #expect(ram[place] == (isWritten ? UInt8(place - address + 1) : 0xEE))
            }
            #expect(
                memory.read(count: count, at: GuestPhysicalAddress(UInt64(address))) == value & .max >> UInt64(64 - 8 * count))
        }
    }

    @Test(arguments: 1...8)
    func `nothing outside the RAM is read or written`(count: Int) {
        let memory = ram.memory
        for address in [UInt64(8192 - count + 1), 8191 + 1, 8192 + 64, .max, .max - 7, 1 << 63] {
            #expect(memory.read(count: count, at: GuestPhysicalAddress(address)) == nil)
            #expect(!memory.write(.max, count: count, at: GuestPhysicalAddress(address)))
        }
        #expect(memory.read(count: count, at: GuestPhysicalAddress(UInt64(8192 - count))) == 0)
        #expect(memory.readUInt8(at: GuestPhysicalAddress(8192)) == nil)
        #expect(memory.readUInt32(at: GuestPhysicalAddress(8189)) == nil)
        #expect(memory.readUInt64(at: GuestPhysicalAddress(8185)) == nil)
        memory.setBits(.max, at: GuestPhysicalAddress(8189))
        memory.setBits(.max, at: GuestPhysicalAddress(.max))
        #expect(ram.isIntactAround)
        #expect((0..<8192).allSatisfy { ram[$0] == 0 })
    }

    @Test(arguments: [2, 4, 8])
    func `an aligned number is whole, whoever writes it at the same time`(count: Int) {
        let memory = ram.memory
        let (zeros, ones) = (UInt64(0), UInt64.max >> UInt64(64 - 8 * count))
        nonisolated(unsafe) let shared = memory
        nonisolated(unsafe) var seen: Set<UInt64> = []
        DispatchQueue.concurrentPerform(iterations: 2) { thread in
            for round in 0..<200_000 {
                if thread == 0 {
                    shared.write(round & 1 == 0 ? ones : zeros, count: count, at: GuestPhysicalAddress(64))
                } else if let value = shared.read(count: count, at: GuestPhysicalAddress(64)), value != zeros, value != ones {
                    seen.insert(value)
                }
            }
        }
        #expect(seen == [])
    }

    @Test func `bits that two set at the same time are both set`() {
        nonisolated(unsafe) let memory = ram.memory
        for _ in 0..<50 {
            ram.fill(0)
            DispatchQueue.concurrentPerform(iterations: 2) { thread in
                for place in 0..<UInt64(256) {
                    for bit in 0..<4 { memory.setBits(1 << UInt32(2 * bit + thread), at: GuestPhysicalAddress(4 * place)) }
                }
            }
            #expect((0..<256).allSatisfy { ram.word32(4 * $0) == 0xFF })
        }
    }
}
