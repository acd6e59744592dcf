import Support
import Testing
@testable import Memory

/// Registers that answer from a dictionary and remember what was asked for but absent.
final class FakeRegisters: MemoryTypeRegisterReader {
    var values: [UInt32: UInt64]
    private(set) var absentReads: [UInt32] = []

    init(_ values: [UInt32: UInt64]) { self.values = values }

    func read(_ register: MemoryTypeRegister) -> UInt64 {
        let index: UInt32 =
            switch register {
            case .capability: 0xFE
            case .defaultType: 0x2FF
            case .fixed(let index): ([0x250, 0x258, 0x259] + Array(0x268...0x26F))[index]
            case .base(let index): 0x200 + 2 * UInt32(index)
            case .mask(let index): 0x201 + 2 * UInt32(index)
            }
        if values[index] == nil { absentReads.append(index) }
        return values[index] ?? 0
    }
}

@Suite struct MemoryTypeTests {
    static let enabled: UInt64 = 1 << 11
    static let fixedEnabled: UInt64 = 1 << 10

    /// Registers with these variable ranges (base, length, type bits) in an address space of 36 bits.
    static func registers(
        defaultType: UInt64, fixed: [UInt32: UInt64]? = nil, _ ranges: [(UInt64, UInt64, UInt64)] = []
    ) -> FakeRegisters {
        var values: [UInt32: UInt64] = [0xFE: UInt64(ranges.count) | (fixed == nil ? 0 : 1 << 8), 0x2FF: defaultType]
        for (index, range) in ranges.enumerated() {
            values[0x200 + 2 * UInt32(index)] = range.0 | range.2
            values[0x201 + 2 * UInt32(index)] = ((1 << 36) - range.1) & ~0xFFF | 1 << 11
        }
        if let fixed {
            for index in [0x250, 0x258, 0x259] + Array(0x268...0x26F) as [UInt32] { values[index] = 0x0606_0606_0606_0606 }
            values.merge(fixed) { $1 }
        }
        return FakeRegisters(values)
    }

    static func types(_ registers: FakeRegisters) throws -> HostMTRRs {
        try HostMTRRs(reading: registers, physicalAddressWidth: 36)
    }

    @Test func disabledMeansUncacheable() throws {
        let types = try Self.types(Self.registers(defaultType: Self.fixedEnabled | 6, fixed: [:], [(0, 1 << 30, 6)]))
        #expect(!types.isEnabled && types.type(of: host(0)) == .uncacheable && types.type(of: host(1 << 31)) == .uncacheable)
        #expect(types.uniformRange(at: host(0), limit: host(1 << 36)).count == .gibibytes(64))
    }

    @Test func absentRegistersAreNotRead() throws {
        for registers in [
            Self.registers(defaultType: Self.enabled | 6), Self.registers(defaultType: Self.enabled | 6, fixed: [:]),
            Self.registers(defaultType: Self.enabled | Self.fixedEnabled, [(0, 1 << 30, 6)]),
        ] {
            _ = try Self.types(registers)
            #expect(registers.absentReads.isEmpty)
        }
    }

    @Test func tooManyRanges() {
        #expect(throws: HostMTRRsError.tooManyVariableRanges(33)) {
            try Self.types(FakeRegisters([0xFE: 33, 0x2FF: 0]))
        }
    }

    @Test func fixedRangesComeFirst() throws {
        let fixed: [UInt32: UInt64] = [
            0x250: 0x0504_0606_0606_0606, 0x258: 0x0000_0000_0000_0001, 0x259: 0x0100_0000_0000_0000,
            0x268: 0x0606_0606_0606_0406, 0x26F: 0x0506_0606_0606_0606,
        ]
        let setting = Self.enabled | Self.fixedEnabled | 6
        let types = try Self.types(Self.registers(defaultType: setting, fixed: fixed, [(0, 1 << 30, 0)]))
        let expected: [(UInt64, MemoryType)] = [
            (0x0_0000, .writeBack), (0x6_0000, .writeThrough), (0x7_0000, .writeProtected), (0x7_FFFF, .writeProtected),
            (0x8_0000, .writeCombining), (0x8_3FFF, .writeCombining), (0x8_4000, .uncacheable), (0x9_FFFF, .uncacheable),
            (0xA_0000, .uncacheable), (0xB_C000, .writeCombining), (0xC_0000, .writeBack), (0xC_1000, .writeThrough),
            (0xC_2000, .writeBack), (0xC_8000, .writeBack), (0xF_E000, .writeBack), (0xF_FFFF, .writeProtected),
            (0x10_0000, .uncacheable),
        ]
        for (address, type) in expected { #expect(types.type(of: host(address)) == type, "at \(address)") }
        let unused = try Self.types(Self.registers(defaultType: Self.enabled | 6, fixed: fixed, [(0, 1 << 30, 4)]))
        #expect(unused.type(of: host(0x8_4000)) == .writeThrough)
        let absent = try Self.types(Self.registers(defaultType: setting, [(0, 1 << 30, 4)]))
        #expect(absent.type(of: host(0x8_4000)) == .writeThrough)
    }

    @Test(arguments: [
        ([6, 0], MemoryType.uncacheable), ([0, 6], .uncacheable), ([1, 0], .uncacheable),
        ([4, 6], .writeThrough), ([6, 4], .writeThrough), ([6, 4, 6], .writeThrough), ([6, 4, 0], .uncacheable),
        ([5, 5], .writeProtected), ([1, 1], .writeCombining), ([1, 6], .uncacheable), ([5, 4], .uncacheable),
        ([2], .uncacheable), ([3, 6], .uncacheable), ([7], .uncacheable), ([], .writeProtected),
    ])
    func precedences(overlapping: [UInt64], expected: MemoryType) throws {
        let types = try Self.types(Self.registers(defaultType: Self.enabled | 5, overlapping.map { (1 << 30, 1 << 20, $0) }))
        #expect(types.type(of: host(1 << 30 | 0x1234)) == expected)
        #expect(
            types.type(of: host(1 << 30 | 1 << 20)) == .writeProtected && types.type(of: host(0x3FFF_FFFF)) == .writeProtected)
    }

    @Test func invalidPairsAreIgnored() throws {
        let registers = Self.registers(defaultType: Self.enabled | 6, [(0, 1 << 30, 0), (1 << 30, 1 << 30, 4)])
        registers.values[0x201]! &= ~(1 << 11)
        let types = try Self.types(registers)
        #expect(types.variableCount == 1 && types.type(of: host(0)) == .writeBack)
        #expect(types.type(of: host(1 << 30)) == .writeThrough)
    }

    @Test func aLargePageNeverStraddlesTypes() throws {
        // 3 GiB of RAM, uncacheable from 3 GiB to 4 GiB, and a framebuffer of 16 MiB within it.
        let setting = Self.enabled | Self.fixedEnabled | 6
        let registers = Self.registers(
            defaultType: setting, fixed: [0x259: 0, 0x258: 0x0606_0606_0606_0606],
            [(0xC000_0000, 1 << 30, 0), (0x8000_0000, 1 << 12, 0)])
        let types = try Self.types(registers)
        func uniform(_ start: UInt64, _ limit: UInt64 = 1 << 36) -> HostPhysicalRange {
            types.uniformRange(at: host(start), limit: host(limit))
        }
        #expect(uniform(0) == hostRange(0, .kibibytes(640)))
        #expect(uniform(0xA_0000) == hostRange(0xA_0000, .kibibytes(128)))
        #expect(uniform(0xC_0000) == hostRange(0xC_0000, ByteCount(0x8000_0000 - 0xC_0000)))
        #expect(uniform(0x8000_0000) == hostRange(0x8000_0000, .kibibytes(4)))
        #expect(uniform(0x8000_1000) == hostRange(0x8000_1000, ByteCount(0x3FFF_F000)))
        #expect(uniform(0xC000_0000, 0xD000_0000) == hostRange(0xC000_0000, .mebibytes(256)))
        #expect(uniform(0x1_0000_0000) == hostRange(0x1_0000_0000, .gibibytes(60)))
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func uniformRangesAreUniformAndAsLongAsPossible(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var ranges: [(UInt64, UInt64, UInt64)] = []
        for _ in 0..<(random.next() % 6) {
            let size: UInt64 = 0x1000 << (random.next() % 9)
            ranges.append(
                (0x10_0000 + random.next() % 0x40_0000 & ~(size - 1), size, [0, 1, 4, 5, 6, 6, 0].randomElement(using: &random)!))
        }
        let registers = Self.registers(defaultType: Self.enabled | 6, ranges)
        if random.one(in: 3), !ranges.isEmpty { registers.values[0x201]! ^= 0x4000 }
        let types = try Self.types(registers)
        let limit: UInt64 = 0x60_0000
        let listed = stride(from: 0, to: limit, by: 0x1000).map { types.type(of: host($0)) }
        for page in stride(from: 0, to: listed.count, by: 37) {
            let expected = listed[page...].firstIndex { $0 != listed[page] } ?? listed.count
            let range = types.uniformRange(at: host(UInt64(page) << 12), limit: host(limit))
            #expect(range == hostRange(UInt64(page) << 12, .frames(UInt64(expected - page))))
        }
    }
}
