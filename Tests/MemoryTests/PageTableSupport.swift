@testable import Memory
import VMX

typealias EPT = PageTable<EPTFormat, FakeMemory>
typealias EPTError = PageTableError<GuestPhysicalAddress>

extension EPTFormat {
    /// A format as a rich processor offers it, unless something is said otherwise.
    static func test(
        levels: Int = 4, sizes: LeafSizes = .upToOneGibibyte, width: Int = 46,
        executeOnly: Bool = true, modeBased: Bool = false, ignoresPAT: Bool = true
    ) -> Self {
        Self(
            levelCount: levels, leafSizes: sizes, physicalAddressWidth: width,
            offersExecuteOnly: executeOnly, hasModeBasedExecute: modeBased, ignoresPAT: ignoresPAT)
    }
}

extension ExtendedPagePermissions {
    static var rwx: Self { .read | .write | .execute }
}

/// A leaf of a listing in a form that compares and prints.
struct ListedRun: Equatable {
    var input: UInt64
    var output: UInt64
    var size: PageSize
    var pages: UInt64
}

extension PageTable where Format == EPTFormat, Memory == FakeMemory {
    func listing() -> [ListedRun] {
        var runs: [ListedRun] = []
        forEachRun { run in
            runs.append(
                ListedRun(
                    input: run.input.rawValue, output: run.first.output.rawValue, size: run.first.size, pages: run.pageCount))
            return true
        }
        return runs
    }

    /// The raw entries that a walk of `address` passes, the root's first.
    func entries(at address: UInt64) -> [UInt64] {
        var entries: [UInt64] = []
        view.trace(guestPhysical(address)) {
            entries.append($0.entry.rawValue)
            return true
        }
        return entries
    }

    mutating func mapRAM(
        _ start: UInt64, _ count: ByteCount, to output: UInt64, largest: PageSize = .oneGibibyte,
        _ permissions: ExtendedPagePermissions = .rwx, _ type: MemoryType = .writeBack, frames: inout FakeFrames
    ) throws(EPTError) -> TranslationChange {
        try map(
            guestRange(start, count), to: host(output), permissions: permissions, memoryType: type,
            largest: largest, frames: &frames)
    }
}
