import Testing

@testable import Debug

@Suite struct FrameTests {
    @Test func theChecksumIsTheOneOfEthernet() {
        var checksum = Checksum()
        for byte in Array("123456789".utf8) { checksum.add(byte) }
        #expect(checksum.value == 0xCBF4_3926)
    }

    @Test func theExampleOfTheDocumentationIsAFrame() {
        #expect(frame(sequence: 1, kind: 1, [1, 0]) == [0x7E, 0x01, 0x01, 0x01, 0x00, 0x0F, 0xE3, 0x21, 0x81, 0x7E])
    }

    @Test func whatIsSentIsFound() {
        for size in [0, 1, 5, 17, 300, Frame.payloadCapacity] {
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 37 ^ $0 >> 3) }
            let bytes = frame(sequence: 0x7E, kind: 0x7D, payload)
            #expect(!bytes.dropFirst().dropLast().contains(Frame.flag))
            #expect(frames(in: bytes) == [.init(sequence: 0x7E, kind: 0x7D, payload: payload)])
        }
    }

    @Test func whatDoesNotFitIsCut() {
        var message = Message()
        message.begin(sequence: 1, kind: 2)
        for _ in 0..<Frame.payloadCapacity { message.append(UInt8(7)) }
        #expect(!message.isCut && message.room == 0)
        message.append(UInt8(8))
        #expect(message.isCut && message.payloadCount == Frame.payloadCapacity)
    }

    @Test func noiseIsLeftBehindAtTheNextFlag() {
        let good = frame(sequence: 9, kind: 3, [0x7E, 0x7D, 1])
        let found = ReceivedFrame(sequence: 9, kind: 3, payload: [0x7E, 0x7D, 1])
        #expect(frames(in: [1, 2, 3] + good) == [found])
        #expect(frames(in: Array(good.dropLast(3)) + good) == [found])
        #expect(frames(in: [0x7E, 0x7D] + good) == [found])
        #expect(frames(in: [0x7E, 0x7E, 0x7E] + good + good.dropFirst()) == [found, found])
        #expect(frames(in: [UInt8](repeating: 5, count: 10) + [0x7E] + [UInt8](repeating: 5, count: 5000) + good) == [found])
    }

    @Test func aWrongByteIsNoFrame() {
        let good = frame(sequence: 4, kind: 5, Array(0..<40))
        for position in 1..<good.count - 1 {
            for bit in 0..<8 {
                var bytes = good
                bytes[position] ^= 1 << UInt8(bit)
                #expect(frames(in: bytes) == [])
            }
        }
    }

    @Test func tooLongIsNoFrame() {
        var content = [UInt8](repeating: 1, count: Frame.capacity - 3)
        var checksum = Checksum()
        for byte in content { checksum.add(byte) }
        content += (0..<4).map { UInt8(truncatingIfNeeded: checksum.value >> (8 * $0)) }
        #expect(content.count == Frame.capacity + 1)
        #expect(frames(in: [0x7E] + content + [0x7E]) == [])
    }
}

struct ReceivedFrame: Equatable {
    var sequence: UInt8
    var kind: UInt8
    var payload: [UInt8]
}

/// The bytes of a frame, made by hand.
func frame(sequence: UInt8, kind: UInt8, _ payload: [UInt8]) -> [UInt8] {
    var content = [sequence, kind] + payload
    var checksum = Checksum()
    for byte in content { checksum.add(byte) }
    content += (0..<4).map { UInt8(truncatingIfNeeded: checksum.value >> (8 * $0)) }
    return [0x7E] + content.flatMap { $0 == 0x7E || $0 == 0x7D ? [0x7D, $0 ^ 0x20] : [$0] } + [0x7E]
}

/// The frames that are found in bytes.
func frames(in bytes: [UInt8]) -> [ReceivedFrame] {
    var decoder = FrameDecoder()
    var result: [ReceivedFrame] = []
    for byte in bytes where decoder.take(byte) {
        let (sequence, kind) = (decoder.sequence, decoder.kind)
        result.append(.init(sequence: sequence, kind: kind, payload: decoder.withPayload { Array($0) }))
    }
    return result
}
