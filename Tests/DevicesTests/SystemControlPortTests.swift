import Devices
import Testing

@Suite struct SystemControlPortTests {
    @Test func `four bits are kept; gate and speaker follow theirs`() {
        var port = SystemControlPort(timeStampFrequency: 50_000_000)
        #expect(port.read(output2: false, at: MachineTime(0)) == 0 && !port.gate2 && !port.isSpeakerOn)
        port.write(0xFD)
        #expect(port.read(output2: false, at: MachineTime(0)) == 0x0D && port.gate2 && !port.isSpeakerOn)
        port.write(0x02)
        #expect(port.read(output2: true, at: MachineTime(0)) == 0x22 && !port.gate2 && port.isSpeakerOn)
    }

    @Test(arguments: [50_000_000, 2_400_000_000] as [UInt64])
    func `the refresh bit toggles every 15 microseconds`(frequency: UInt64) {
        let port = SystemControlPort(timeStampFrequency: frequency)
        var (toggles, last) = (0, port.read(output2: false, at: MachineTime(0)))
        for microsecond in 1...3000 as ClosedRange<UInt64> {
            let value = port.read(output2: false, at: MachineTime(microsecond * frequency / 1_000_000))
            if value != last { toggles += 1 }
            last = value
        }
        #expect((197...200).contains(toggles))
    }
}
