import Devices
import Testing

@Suite struct DebugConsoleTests {
    @Test func `the debug console tells that it is there by its own number`() {
        #expect(DebugConsole.port == 0xE9 && DebugConsole.read() == 0xE9)
    }
}
