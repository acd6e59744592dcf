import Devices
import Testing

@Suite struct ResetControlTests {
    @Test func `only a rise of bit 2 resets, whatever the kind of reset`() {
        var control = ResetControl()
        #expect(control.write(ResetControl.resetValue) == .reset)
        #expect(control.write(0x06) == .none)
        #expect(control.write(0x02) == .none)
        #expect(control.write(0x0E) == .reset)
        #expect(control.write(0xFB) == .none)
        #expect(control.write(0x04) == .reset)
    }

    @Test func `what is written is read, as far as the bits are there`() {
        var control = ResetControl()
        #expect(control.read() == 0)
        for value in UInt8.min...UInt8.max {
            _ = control.write(value)
            #expect(control.read() == value & 0x0E)
        }
    }
}
