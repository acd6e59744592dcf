import Testing

@testable import Debug

@Suite struct FrameTests {
    @Test func theChecksumIsTheOneOfEthernet() {
        var checksum = Checksum()
        for byte in Array("123456789".utf8) { checksum.add(byte) }
        #expect(checksum.value == 0xCBF4_3926)
    }
}
