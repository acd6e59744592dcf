import MMUTools
import Testing

/// Cases worked out by hand.
@Suite struct TranslationModelTests {
    /// Pages 0x8000000 and following lie from frame 0xF000 on; the first table at 0x400, the others behind it.
    static let mappings = [
        RecordedRun.Mapping(page: 0x800_0000, frame: 0xF000, count: 0x40000, stride: 0),
        RecordedRun.Mapping(page: 0x1000_0000, frame: 0xA00, count: 64, stride: 64),
    ]

    static func model(_ way: TranslationWay, hasTags: Bool = true, sizes: CacheSizes = .server, _ events: [RecordedRun.Event])
        -> TranslationModel
    {
        var model = TranslationModel(way, hasTags: hasTags, sizes: sizes, mappings: mappings)
        model.follow(events)
        return model
    }

    static func reads(_ pages: UInt64...) -> [RecordedRun.Event] { pages.map { .read(page: $0) } }

    /// Four entries of the guest's and the page, each address of which takes as many loads as the nested tables have levels.
    @Test(arguments: [
        (TranslationWay.tables, 4), (.nested(leafLevel: 1), 24), (.nested(leafLevel: 2), 19), (.nested(leafLevel: 3), 14),
    ])
    func `a walk with empty caches`(way: TranslationWay, loads: Int) {
        let model = Self.model(way, sizes: .none, Self.reads(0x800_0000, 0x800_0000))
        #expect(model.loads == 2 * loads && model.misses == 2 && model.accesses == 2)
    }

    @Test func `what is cached is not walked`() {
        let model = Self.model(.tables, Self.reads(0x800_0000, 0x800_0000))
        #expect(model.loads == 4 && model.misses == 1)
    }

    @Test func `a walk begins after the deepest cached table`() {
        // The same page table; the same directory; the same directory pointers.
        #expect(Self.model(.tables, Self.reads(0x800_0000, 0x800_0001)).loads == 4 + 1)
        #expect(Self.model(.tables, Self.reads(0x800_0000, 0x800_0200)).loads == 4 + 2)
        var model = TranslationModel(
            .tables, sizes: .server, mappings: [.init(page: 0x800_0000, frame: 0xF000, count: 0x80000, stride: 0)])
        model.follow(Self.reads(0x800_0000, 0x804_0000))
        #expect(model.loads == 4 + 3)
    }

    @Test func `nested tables with small leaves share the tables that lead to them`() {
        // The first access: CR3's root 4 loads; the other tables are in the same 2 MiB, so 1 each; the page is in another, but in
        // the same GiB: 2. With the guest's 4 entries 13.
        #expect(Self.model(.nested(leafLevel: 1), Self.reads(0x800_0000)).loads == 4 + 3 + 2 + 4)
        // Its neighbour: its entry in a page table whose place is remembered, and the last of the nested tables.
        #expect(Self.model(.nested(leafLevel: 1), Self.reads(0x800_0000, 0x800_0001)).loads == 13 + 2)
    }

    @Test func `nested tables with large leaves cache more at once`() {
        // Root: 3 loads, which is all for the four tables; the page in another 2 MiB: 1.
        #expect(Self.model(.nested(leafLevel: 2), Self.reads(0x800_0000)).loads == 3 + 1 + 4)
        #expect(Self.model(.nested(leafLevel: 2), Self.reads(0x800_0000, 0x800_0001)).loads == 8 + 1)
        // All in one GiB.
        #expect(Self.model(.nested(leafLevel: 3), Self.reads(0x800_0000)).loads == 2 + 4)
    }

    @Test func `a load of CR3 drops the guest's translations, not those of nested tables`() {
        let events = Self.reads(0x800_0000) + [.load(space: 0)] + Self.reads(0x800_0000)
        #expect(Self.model(.tables, events).loads == 4 + 4)
        #expect(Self.model(.nested(leafLevel: 1), events).loads == 13 + 4)
    }

    @Test func `each address space has tables of its own where its pages are its own`() {
        let events = Self.reads(0x1000_0000) + [.load(space: 1)] + Self.reads(0x1000_0000)
        // The second: four tables and a page that no nested translation is known of, in 2 MiB that are known.
        #expect(Self.model(.nested(leafLevel: 1), events).loads == (4 + 3 + 2 + 4) + (4 + 1 + 4))
        let shared = Self.reads(0x800_0000) + [.load(space: 1)] + Self.reads(0x800_0000)
        #expect(Self.model(.nested(leafLevel: 1), shared).loads == 13 + (1 + 4))
    }

    @Test func `an exit drops what has no tag`() {
        let events = Self.reads(0x800_0000) + [.exit] + Self.reads(0x800_0000)
        #expect(Self.model(.nested(leafLevel: 2), events).misses == 1)
        #expect(Self.model(.nested(leafLevel: 2), hasTags: false, events).misses == 2)
        #expect(Self.model(.nested(leafLevel: 2), hasTags: false, events).loads == 8 + 4)
    }

    @Test func `the least recently used translation of a set is evicted`() {
        let sizes = CacheSizes(translations: 4, translationWays: 2, directories: 0, pointers: 0, roots: 0, nestedTranslations: 0)
        // Two sets, by the lowest bit: 0, 2 and 4 meet in one.
        func misses(_ pages: UInt64...) -> Int {
            Self.model(.tables, sizes: sizes, pages.map { .read(page: 0x800_0000 + $0) }).misses
        }
        #expect(misses(0, 2, 0, 2) == 2)
        #expect(misses(0, 2, 4, 0) == 4)
        #expect(misses(0, 2, 0, 4, 0) == 3)
        #expect(misses(0, 2, 1, 3, 0, 2, 1, 3) == 4)
    }
}

@Suite struct RecordedRunTests {
    @Test func `the runs of a guest's output are read, whatever else is in it`() throws {
        let text =
            "martlet: starting\r\nrow touch 4\nmap 8000000 f000 40 0\nrun again\nr 8000000\nx\nrun switch-2\ns 1\nr 800003f\nspaces: ok\n"
        let runs = try RecordedRun.read(text)
        #expect(runs.map(\.name) == ["again", "switch-2"])
        #expect(
            runs[0].events == [.read(page: 0x800_0000), .exit] && runs[1].events == [.load(space: 1), .read(page: 0x800_003F)])
        #expect(runs[1].mappings == [.init(page: 0x800_0000, frame: 0xF000, count: 0x40, stride: 0)])
    }

    @Test(arguments: [
        ("map 0 1 2 0\nrun a\nr 2\n", 3, "no \"map\" has the page 2"), ("map 0 1 2 0\nr 1\n", 2, "before any \"run\""),
        ("run a\nr zz\n", 2, "not hexadecimal"), ("map 1\nrun a\n", 1, "too few"), ("run a\ns 1 2\n", 2, "too many"),
    ])
    func `a line that is wrong is named`(text: String, line: Int, words: String) {
        #expect { try RecordedRun.read(text) } throws: { error in
            let failure = error as? RecordedRun.Failure
            return failure?.line == line && failure?.description.contains(words) == true
        }
    }

    @Test func `the figures of a run have all ways, with tags and without`() throws {
        let run = try RecordedRun.read("map 8000000 f000 40 0\nrun a\nr 8000000\nx\nr 8000000\n")[0]
        #expect(
            TranslationFigures.all(of: run).map(\.description) == [
                "tables a 2.00 50.0", "tables-off a 4.00 100.0", "nested-4k a 6.50 50.0", "nested-4k-off a 8.50 100.0",
                "nested-2m a 4.00 50.0", "nested-2m-off a 6.00 100.0", "nested-1g a 3.00 50.0", "nested-1g-off a 5.00 100.0",
            ])
    }
}
