import Testing

@testable import LauncherTools

@Suite struct ConsoleTests {
    private static let banner = "\r\n========\n  Bochs\n========\n"

    /// What of the output is the console's, however it is cut into pieces.
    private func console(_ filter: ConsoleFilter, _ output: String, piece: Int) -> String {
        var stream = filter.stream
        var bytes = Array(output.utf8)[...]
        var console: [UInt8] = []
        while !bytes.isEmpty {
            console += stream.take(Array(bytes.prefix(piece)))
            bytes = bytes.dropFirst(piece)
        }
        return String(decoding: console + stream.end(), as: UTF8.self)
    }

    @Test(arguments: [1, 2, 7, 1000])
    func `Bochs's banner is left out, and nothing else`(piece: Int) {
        let guest = "====\nhello\r\n(0).[12] no end"
        #expect(console(.bochs, ConsoleTests.banner + guest, piece: piece) == guest)
        #expect(console(.none, ConsoleTests.banner + guest, piece: piece) == ConsoleTests.banner + guest)
        #expect(console(.bochs, "\n====\nan error of its\n", piece: piece) == "")
    }

    @Test(arguments: [1, 2, 7, 1000])
    func `so is the output of Bochs 2.7's debugger`(piece: Int) {
        let output =
            ConsoleTests.banner
            + "Next at t=0\n(0) [0x0000fffffff0] f000:fff0\nhello\n(0).[1] [0x10] x\nhalf(0).[22] [0x10] y\nend"
        #expect(console(.bochsWithDebugger, output, piece: piece) == "hello\nhalf\nend")
    }
}
