import Support
import Testing
@testable import Memory

@Suite struct AddressTests {
    @Test func offsetsAndAlignment() {
        let address = host(0x4020_1234)
        #expect(address.offset(in: .fourKibibytes) == ByteCount(0x234))
        #expect(address.offset(in: .twoMebibytes) == ByteCount(0x1234))
        #expect(address.offset(in: .fourMebibytes) == ByteCount(0x20_1234))
        #expect(address.offset(in: .oneGibibyte) == ByteCount(0x20_1234))
        #expect(address.alignedDown(to: .twoMebibytes) == host(0x4020_0000))
        #expect(address.alignedUp(to: .twoMebibytes) == host(0x4040_0000))
        #expect(host(0x4020_0000).alignedUp(to: .twoMebibytes) == host(0x4020_0000))
        #expect(host(0xFFFF_FFFF_FFFF_F001).alignedUp(to: .fourKibibytes) == nil)
        #expect(host(0x20_0000).isAligned(to: .twoMebibytes) && !host(0x20_1000).isAligned(to: .twoMebibytes))
        #expect(address.frame == FrameNumber(0x40201) && host(0x4020_1000) == HostPhysicalAddress(startOf: address.frame))
    }

    @Test func linearAddressesWrapAround() {
        #expect(GuestVirtualAddress(.max).advanced(by: ByteCount(2)) == GuestVirtualAddress(1))
    }

    @Test func widths() {
        #expect(host(0xF_FFFF_FFFF).fits(width: 36) && !host(0x10_0000_0000).fits(width: 36))
    }

    @Test func quantities() {
        #expect(ByteCount.kibibytes(4).bytes == 4096 && ByteCount.mebibytes(2).bytes == 0x20_0000)
        #expect(ByteCount.gibibytes(3).mebibytes == 3072 && ByteCount.frames(3) == .kibibytes(12))
        #expect(ByteCount(8191).wholeFrames == 1 && ByteCount(2047).kibibytes == 1)
        #expect(PageSize.fourMebibytes.bytes == 4 << 20 && PageSize.oneGibibyte.count == .gibibytes(1))
        #expect(PageSize(level: 2) == .twoMebibytes && PageSize(level: 4) == nil && PageSize(level: 0) == nil)
    }

    @Test func ranges() {
        let range = hostRange(0x1000, .kibibytes(8))
        #expect(range.contains(host(0x1000)) && range.contains(host(0x2FFF)))
        #expect(!range.contains(host(0xFFF)) && !range.contains(host(0x3000)))
        #expect(range.contains(hostRange(0x2000, .kibibytes(4))) && !range.contains(hostRange(0x2000, .kibibytes(8))))
        #expect(range.overlaps(hostRange(0x2FFF, ByteCount(1))) && !range.overlaps(hostRange(0x3000, .kibibytes(4))))
        #expect(range.overlaps(hostRange(0, .gibibytes(1))) && !range.overlaps(hostRange(0x2000, .zero)))
        #expect(HostPhysicalRange(checking: host(.max), count: ByteCount(2)) == nil)
        #expect(HostPhysicalRange(checking: host(.max), count: ByteCount(1))?.end == host(0))
        #expect(HostPhysicalRange(from: host(16), upTo: host(48)).count == ByteCount(32))
    }

    @Test(arguments: [
        (0 as UInt64, 0 as UInt64, 1 << 40 as UInt64, PageSize.oneGibibyte, 3),
        (0, 0, 1 << 40, .twoMebibytes, 2),
        (0, 0, 1 << 40, .fourKibibytes, 1),
        (0x20_0000, 0, 1 << 40, .oneGibibyte, 2),
        (0, 0x20_1000, 1 << 40, .oneGibibyte, 1),
        (0, 0, 0x3FFF_F000, .oneGibibyte, 2),
        (0x4000_0000, 0x8000_0000, 0x4000_0000, .oneGibibyte, 3),
    ])
    func largestLeaf(input: UInt64, output: UInt64, remaining: UInt64, limit: PageSize, level: Int) {
        let sizes = LeafSizes.upToOneGibibyte
        #expect(sizes.largestLevel(input: input, output: output, remaining: remaining, limit: limit) == level)
        let fewer = LeafSizes(twoMebibytes: true, oneGibibyte: false)
        #expect(fewer.largestLevel(input: input, output: output, remaining: remaining, limit: limit) == min(level, 2))
        #expect(LeafSizes(twoMebibytes: false, oneGibibyte: true) == .fourKibibytes)
    }
}
