/// How linear addresses become the machine's.
public enum TranslationWay: Equatable, Sendable {
    /// One set of tables, four levels of them: a machine without a hypervisor, shadow paging, direct paging.
    case tables
    /// The guest's tables and nested ones, whose leaves are at level 1 (4 KiB), 2 (2 MiB) or 3 (1 GiB).
    case nested(leafLevel: Int)
}

/// How much a processor remembers of what it has translated. All but the translations themselves are fully associative.
public struct CacheSizes: Equatable, Sendable {
    /// Translations of pages (the second-level TLB), and how many of them a set has.
    public var translations: Int
    public var translationWays: Int
    /// Entries of each paging-structure cache: of those that lead to page tables, to directories, and to directory pointers.
    public var directories: Int
    public var pointers: Int
    public var roots: Int
    /// Of nested translations: guest-physical pages, and the nested tables' own structures likewise.
    public var nestedTranslations: Int

    public init(translations: Int, translationWays: Int, directories: Int, pointers: Int, roots: Int, nestedTranslations: Int) {
        self.translations = translations
        self.translationWays = translationWays
        self.directories = directories
        self.pointers = pointers
        self.roots = roots
        self.nestedTranslations = nestedTranslations
    }

    /// Nothing is remembered: each access walks all tables.
    public static let none = CacheSizes(
        translations: 0, translationWays: 1, directories: 0, pointers: 0, roots: 0, nestedTranslations: 0)
    /// Roughly what Intel's server processors of 2017 have. Intel gives only the number of translations; the others are of the
    /// order that measurements suggest.
    public static let server = CacheSizes(
        translations: 1536, translationWays: 12, directories: 32, pointers: 4, roots: 2, nestedTranslations: 32)
}

/// What translation costs: how often a processor does not remember a translation, and how many entries of tables it loads then.
///
/// By Intel SDM volume 3, "Caching Translation Information": a walk begins after the deepest structure that is cached; what
/// is remembered of a walk through both sets of tables holds the machine's address of the next table.
public struct TranslationModel {
    public let way: TranslationWay
    /// Translations carry the tag of their virtual processor (VPID): without, each exit drops them. What is known of nested tables
    /// alone stays.
    public let hasTags: Bool
    private let mappings: [RecordedRun.Mapping]

    public private(set) var accesses = 0
    public private(set) var misses = 0
    /// Entries of tables that were loaded.
    public private(set) var loads = 0

    private var space: UInt64 = 0
    private var translations: RecentlyUsed
    /// By the level of the entry: 2 leads to a page table.
    private var structures: [Int: RecentlyUsed]
    private var nestedTranslations: RecentlyUsed
    private var nestedStructures: [Int: RecentlyUsed]
    /// The tables' addresses: consecutive, in the order in which they are met.
    private var tables: [Table: UInt64] = [:]
    private static let firstTable: UInt64 = 0x400

    private struct Table: Hashable {
        let level: Int
        let place: UInt64
        let space: UInt64
    }

    public init(
        _ way: TranslationWay, hasTags: Bool = true, sizes: CacheSizes = .server, mappings: [RecordedRun.Mapping]
    ) {
        self.way = way
        self.hasTags = hasTags
        self.mappings = mappings
        translations = RecentlyUsed(entries: sizes.translations, ways: sizes.translationWays)
        func structures() -> [Int: RecentlyUsed] {
            [
                2: RecentlyUsed(entries: sizes.directories, ways: max(sizes.directories, 1)),
                3: RecentlyUsed(entries: sizes.pointers, ways: max(sizes.pointers, 1)),
                4: RecentlyUsed(entries: sizes.roots, ways: max(sizes.roots, 1)),
            ]
        }
        self.structures = structures()
        nestedStructures = structures()
        nestedTranslations = RecentlyUsed(entries: sizes.nestedTranslations, ways: max(sizes.nestedTranslations, 1))
    }

    /// The costs of a whole run.
    public mutating func follow(_ events: [RecordedRun.Event]) {
        for event in events {
            switch event {
            case .read(let page): access(page)
            case .load(let space):
                self.space = space
                dropAddressSpace()
            case .exit: exit()
            }
        }
    }

    private mutating func exit() {
        if !hasTags { dropAddressSpace() }
    }

    /// No page is global here, so that this is all there is.
    private mutating func dropAddressSpace() {
        translations.removeAll()
        for level in 2...4 { structures[level]?.removeAll() }
    }

    private mutating func access(_ page: UInt64) {
        accesses += 1
        guard !translations.contains(page) else { return }
        misses += 1
        var level = 4
        // The root's address is in CR3, for nested tables to translate; a remembered structure holds the machine's.
        var isTranslated = false
        for known in 2...4 where structures[known]!.contains(page >> UInt64(9 * (known - 1))) {
            level = known - 1
            isTranslated = true
            break
        }
        while level > 0 {
            if !isTranslated { translateNested(table(level, page)) }
            isTranslated = false
            loads += 1
            if level > 1 { structures[level]!.insert(page >> UInt64(9 * (level - 1))) }
            level -= 1
        }
        translateNested(frame(page))
        translations.insert(page)
    }

    private mutating func translateNested(_ frame: UInt64) {
        guard case .nested(let leaf) = way else { return }
        let place = frame >> UInt64(9 * (leaf - 1))
        guard !nestedTranslations.contains(place) else { return }
        var level = 4
        for known in (leaf + 1)...4 where nestedStructures[known]!.contains(frame >> UInt64(9 * (known - 1))) {
            level = known - 1
            break
        }
        while level >= leaf {
            loads += 1
            if level > leaf { nestedStructures[level]!.insert(frame >> UInt64(9 * (level - 1))) }
            level -= 1
        }
        nestedTranslations.insert(place)
    }

    private func mapping(_ page: UInt64) -> RecordedRun.Mapping {
        guard let found = mappings.first(where: { page >= $0.page && page - $0.page < $0.count }) else {
            preconditionFailure("a page that no mapping has")
        }
        return found
    }

    private func frame(_ page: UInt64) -> UInt64 {
        let mapping = mapping(page)
        return mapping.frame + (page - mapping.page) + space * mapping.stride
    }

    /// The frame of the table of a level on a page's way. What all address spaces share has the same tables in all, but for the root.
    private mutating func table(_ level: Int, _ page: UInt64) -> UInt64 {
        let isShared = level < 4 && mapping(page).stride == 0
        let table = Table(level: level, place: page >> UInt64(9 * level), space: isShared ? 0 : space)
        if let frame = tables[table] { return frame }
        let frame = Self.firstTable + UInt64(tables.count)
        tables[table] = frame
        return frame
    }
}
