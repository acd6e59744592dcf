import Testing

@testable import LauncherTools

@Suite struct HelpTests {
    @Test func `every word, command and status is explained, in rows of at most 100 columns`() {
        let lines = Help.text.split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines { #expect(line.count <= 100, "\(line)") }
        for key in WordKey.allCases { #expect(Help.text.contains("\(key.rawValue)="), "\(key.rawValue)") }
        for command in Command.allCases where command != .run {
            #expect(lines.contains { $0.hasPrefix("  \(command.rawValue) ") }, "\(command.rawValue)")
        }
        for status in RunStatus.allCases { #expect(lines.contains { $0.hasPrefix("  \(status.rawValue) ") }) }
    }

    @Test(arguments: [
        (0, "ended with status 0: the guest ended in order: it halted for good"),
        (10, "ended with status 10: the guest ended in a triple fault"),
        (7, "ended with status 7: the guest wrote 3 to port 0xf4"),
        (255, "ended with status 255: the guest wrote 127 to port 0xf4"),
    ])
    func `make says a status in words`(status: Int32, words: String) { #expect(RunStatus.wordsForMake(status) == words) }

    @Test(arguments: [RunStatus.stopped, .readNoLonger, .endedByHand])
    func `who ended it knows`(status: RunStatus) { #expect(RunStatus.wordsForMake(status.rawValue) == nil) }
}
