import Foundation
import Machine
import Support
import Testing
import Text

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

    @Test func `every word that the kernel takes is explained, and no other`() throws {
        var said: Line = ""
        Array("nonsense=1".utf8).withUnsafeBytes { bytes in
            do throws(KernelOptionError) { _ = try KernelOptions(commandLine: bytes) } catch { said = "\(error)" }
        }
        let words = words(said)
        let keys = words[try #require(words.range(of: "there are ")).upperBound...].split(separator: ", ").map(String.init)
        #expect(keys.count > 20)
        let passedOn = WordKey.allCases.map { $0.rawValue.lowercased() }.filter(keys.contains)
        #expect(Set(keys) == Set(KernelWord.all.flatMap(\.keys) + passedOn))
    }

    @Test(arguments: [
        (0, "ended with status 0: the guest ended normally: it halted for good"),
        (10, "ended with status 10: the guest ended in a triple fault"),
        (7, "ended with status 7: the guest wrote 3 to port 0xf4"),
        (255, "ended with status 255: the guest wrote 127 to port 0xf4"),
    ])
    func `make explains a status`(status: Int32, words: String) { #expect(RunStatus.wordsForMake(status) == words) }

    @Test(arguments: [RunStatus.stopped, .readNoLonger, .endedByHand])
    func `whoever ended it is not told`(status: RunStatus) { #expect(RunStatus.wordsForMake(status.rawValue) == nil) }
}
