import Devices
import Testing

@Suite struct DebugConsoleTests {
    @Test("The debug console tells that it is there by its own number")
    func read() {
        #expect(DebugConsole.port == 0xE9 && DebugConsole.read() == 0xE9)
    }
}
