import Memory
import VMX

public typealias EPT = PageTable<EPTFormat, FakeMemory>
public typealias EPTError = PageTableError<GuestPhysicalAddress>

extension EPTFormat {
    /// A format as a rich processor offers it, unless something is said otherwise.
    public static func test(
        levels: Int = 4, sizes: LeafSizes = .upToOneGibibyte, width: Int = 46,
        executeOnly: Bool = true, modeBased: Bool = false, ignoresPAT: Bool = true
    ) -> Self {
        Self(
            levelCount: levels, leafSizes: sizes, physicalAddressWidth: width,
            offersExecuteOnly: executeOnly, hasModeBasedExecute: modeBased, ignoresPAT: ignoresPAT)
    }
}

extension ExtendedPagePermissions {
    public static var rwx: Self { .read | .write | .execute }
}

/// A leaf of a listing in a form that compares and prints.
public struct ListedRun: Equatable {
    public var input: UInt64
    public var output: UInt64
    public var size: PageSize
    public var pages: UInt64

    public init(input: UInt64, output: UInt64, size: PageSize, pages: UInt64) {
        self.input = input
        self.output = output
        self.size = size
        self.pages = pages
    }
}

extension PageTable where Format == EPTFormat, Memory == FakeMemory {
    public func listing() -> [ListedRun] {
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
    public func entries(at address: UInt64) -> [UInt64] {
        var entries: [UInt64] = []
        view.trace(GuestPhysicalAddress(address)) {
            entries.append($0.entry.rawValue)
            return true
        }
        return entries
    }

    public mutating func mapRAM(
        _ start: UInt64, _ count: ByteCount, to output: UInt64, largest: PageSize = .oneGibibyte,
        _ permissions: ExtendedPagePermissions = .rwx, _ type: MemoryType = .writeBack, frames: inout FakeFrames
    ) throws(EPTError) -> TranslationChange {
        try map(
            GuestPhysicalRange(start: GuestPhysicalAddress(start), count: count), to: HostPhysicalAddress(output),
            permissions: permissions, memoryType: type,
            largest: largest, frames: &frames)
    }
}
