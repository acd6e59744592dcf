import Foundation
import MMUTools

// martlet-mmu: what translation costs in the runs on standard input (Guests/spaces, record=1), by a model of a processor's
// translation caches. A line for each way and run: table entries loaded per access, and misses per hundred.

let input = String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
do {
    let runs = try RecordedRun.read(input)
    guard !runs.isEmpty else {
        FileHandle.standardError.write(
            Data(
                "martlet-mmu: there is no run on standard input: give it what GUEST=spaces prints with CMDLINE=\"record=1\"\n"
                    .utf8))
        exit(2)
    }
    for run in runs {
        for figures in TranslationFigures.all(of: run) { print(figures) }
    }
} catch {
    FileHandle.standardError.write(Data("martlet-mmu: \(error)\n".utf8))
    exit(2)
}
