import Memory
import Support
import Testing

@testable import Machine

@Suite struct LoaderInformationTests {
    typealias Information = LoaderInformation<LoaderMemory>

    /// What the tests look at.
    struct Seen: Equatable {
        var commandLine = ""
        var modules: [(UInt64, UInt64, String)] = []
        var usable: [(UInt64, UInt64)] = []

        static func == (left: Seen, right: Seen) -> Bool {
            left.commandLine == right.commandLine && left.modules.elementsEqual(right.modules, by: ==)
                && left.usable.elementsEqual(right.usable, by: ==)
        }
    }

    static let magic1: UInt32 = 0x2BAD_B002, magic2: UInt32 = 0x36D7_6289

    static func read(_ memory: LoaderMemory, _ magic: UInt32, at address: UInt32 = 0x1000) -> Result<Seen, Information.Failure> {
        do throws(Information.Failure) {
            let information = try Information(magic: magic, address: address, memory: memory, physicalAddressWidth: 39)
            var seen = Seen()
            seen.commandLine = information.withCommandLine { String(decoding: $0, as: UTF8.self) }
            for index in 0..<information.moduleCount {
                let range = information.module(index).range
                let words = information.withWords(of: index) { String(decoding: $0, as: UTF8.self) }
                seen.modules.append((range.start.rawValue, range.end.rawValue, words))
            }
            for index in 0..<information.map.rangeCount {
                seen.usable.append((information.map[index].start.rawValue, information.map[index].end.rawValue))
            }
            return .success(seen)
        } catch {
            return .failure(error)
        }
    }

    /// A multiboot 1 structure at 1000H.
    static func multiboot1(
        words: String? = nil, modules: [(UInt32, UInt32, String?)] = [], loader: String? = nil,
        map: [(UInt64, UInt64, UInt32)]? = [(0, 0x9_F000, 1), (0x10_0000, 0x700_0000, 1)], entrySize: UInt64 = 20
    ) -> LoaderMemory {
        let memory = LoaderMemory()
        var flags: UInt64 = 0
        var text: UInt64 = 0x5000
        func store(_ words: String) -> UInt64 {
            defer { text += UInt64(words.utf8.count) + 1 }
            memory.put(words, at: text)
            return text
        }
        memory.put(0, 4, at: 0x1000)
        if let words {
            flags |= 4
            memory.put(store(words), 4, at: 0x1010)
        }
        if !modules.isEmpty {
            flags |= 8
            memory.put(UInt64(modules.count), 4, at: 0x1014)
            memory.put(0x2000, 4, at: 0x1018)
            for (index, module) in modules.enumerated() {
                let entry = 0x2000 + 16 * UInt64(index)
                memory.put(UInt64(module.0), 4, at: entry)
                memory.put(UInt64(module.1), 4, at: entry + 4)
                memory.put(module.2.map(store) ?? 0, 4, at: entry + 8)
            }
        }
        if let map {
            flags |= 64
            memory.put(UInt64(map.count) * (entrySize + 4), 4, at: 0x102C)
            memory.put(0x4000, 4, at: 0x1030)
            for (index, entry) in map.enumerated() {
                let start = 0x4000 + UInt64(index) * (entrySize + 4)
                memory.put(entrySize, 4, at: start)
                memory.put(entry.0, 8, at: start + 4)
                memory.put(entry.1, 8, at: start + 12)
                memory.put(UInt64(entry.2), 4, at: start + 20)
            }
        }
        if let loader {
            flags |= 512
            memory.put(store(loader), 4, at: 0x1040)
        }
        memory.put(flags, 4, at: 0x1000)
        return memory
    }

    /// A multiboot 2 structure at 1000H of tags: type and contents.
    static func multiboot2(_ tags: [(UInt32, [UInt8])]) -> LoaderMemory {
        let memory = LoaderMemory()
        var address: UInt64 = 0x1008
        for (type, contents) in tags + [(0, [])] {
            memory.put(UInt64(type), 4, at: address)
            memory.put(UInt64(contents.count + 8), 4, at: address + 4)
            for (index, byte) in contents.enumerated() { memory.put(UInt64(byte), 1, at: address + 8 + UInt64(index)) }
            address = (address + UInt64(contents.count) + 15) & ~7
        }
        memory.put(address - 0x1000, 4, at: 0x1000)
        return memory
    }

    static func bytes(_ value: UInt64, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
    static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    static func mapTag(_ entries: [(UInt64, UInt64, UInt32)], entrySize: UInt64 = 24) -> (UInt32, [UInt8]) {
        var contents = bytes(entrySize, 4) + bytes(0, 4)
        for (start, count, type) in entries {
            contents += bytes(start, 8) + bytes(count, 8) + bytes(UInt64(type), 4)
            contents += [UInt8](repeating: 0xAA, count: Int(entrySize) - 20)
        }
        return (6, contents)
    }

    static let usable: [(UInt64, UInt64)] = [(0, 0x9_F000), (0x10_0000, 0x710_0000)]

    // MARK: Multiboot 1

    @Test func `multiboot 1 gives command line, modules and memory map`() {
        let memory = Self.multiboot1(
            words: "/martlet trace=off", modules: [(0x20_0000, 0x20_0123, "guest a b"), (0x30_0000, 0x30_0000, nil)])
        #expect(
            Self.read(memory, Self.magic1)
                == .success(
                    Seen(
                        commandLine: "/martlet trace=off",
                        modules: [(0x20_0000, 0x20_0123, "guest a b"), (0x30_0000, 0x30_0000, "")], usable: Self.usable)))
    }

    @Test func `multiboot 1 without words and modules is sound`() {
        #expect(Self.read(Self.multiboot1(), Self.magic1) == .success(Seen(usable: Self.usable)))
    }

    @Test func `multiboot 1 memory map entries may be longer than 20 bytes, and others than type 1 are not usable`() {
        let memory = Self.multiboot1(
            map: [(0, 0x1000_0000, 1), (0x10_0000, 0x10_0000, 2), (0x80_0000, 0x1000, 3)], entrySize: 28)
        #expect(
            Self.read(memory, Self.magic1)
                == .success(Seen(usable: [(0, 0x10_0000), (0x20_0000, 0x80_0000), (0x80_1000, 0x1000_0000)])))
    }

    // MARK: Multiboot 2

    @Test func `multiboot 2 gives command line, modules and memory map, and passes tags that it does not know`() {
        let memory = Self.multiboot2([
            (4, Self.bytes(640, 4) + Self.bytes(1, 4)), (1, Self.text("trace=off")), (21, [1, 2, 3]),
            (3, Self.bytes(0x20_0000, 4) + Self.bytes(0x20_0123, 4) + Self.text("guest a b")),
            (3, Self.bytes(0x30_0000, 4) + Self.bytes(0x30_0000, 4) + Self.text("")),
            Self.mapTag([(0, 0x9_F000, 1), (0x10_0000, 0x700_0000, 1), (0xE000_0000, 0x1000_0000, 2)]),
        ])
        #expect(
            Self.read(memory, Self.magic2)
                == .success(
                    Seen(
                        commandLine: "trace=off", modules: [(0x20_0000, 0x20_0123, "guest a b"), (0x30_0000, 0x30_0000, "")],
                        usable: Self.usable)))
    }

    @Test func `multiboot 2 map entries may be longer than 24 bytes`() {
        let memory = Self.multiboot2([Self.mapTag([(0, 0x9_F000, 1), (0x10_0000, 0x700_0000, 1)], entrySize: 32)])
        #expect(Self.read(memory, Self.magic2) == .success(Seen(usable: Self.usable)))
    }

    @Test func `what stands behind the end tag is not read`() {
        let memory = Self.multiboot2([
            Self.mapTag([(0, 0x9_F000, 1), (0x10_0000, 0x700_0000, 1)]), (0, []), (1, Self.text("hidden")),
        ])
        #expect(Self.read(memory, Self.magic2) == .success(Seen(usable: Self.usable)))
    }

    @Test func `tags with impossible sizes end without a hang`() {
        let memory = Self.multiboot2([(21, []), Self.mapTag([(0, 0x9_F000, 1), (0x10_0000, 0x700_0000, 1)], entrySize: 24)])
        memory.put(0, 4, at: 0x100C)  // a tag of size 0
        #expect(Self.read(memory, Self.magic2) == .success(Seen(usable: Self.usable)))
        for size in [0, 20, 23, 25] as [UInt64] {
            let map = Self.multiboot2([Self.mapTag([(0, 0x9_F000, 1)])])
            map.put(size, 4, at: 0x1010)
            #expect(Self.read(map, Self.magic2) == .failure(.noMemoryMap), "entries of \(size) bytes")
        }
    }

    // MARK: GRUB's quoting

    @Test func `GRUB's quotes and backslashes go, another loader's stay`() {
        let words = #"guest "a b" c\"d \\e \'f \x"#
        let plain = #"guest a b c"d \e 'f \x"#
        #expect((try? Self.read(Self.multiboot1(words: words, loader: "GRUB 2.06"), Self.magic1).get())?.commandLine == plain)
        #expect((try? Self.read(Self.multiboot1(words: words, loader: "qemu"), Self.magic1).get())?.commandLine == words)
        #expect((try? Self.read(Self.multiboot1(words: words), Self.magic1).get())?.commandLine == words)
        let map = Self.mapTag([(0, 0x9_F000, 1)])
        #expect(
            (try? Self.read(Self.multiboot2([(1, Self.text(words)), (2, Self.text("GRUB 2.06")), map]), Self.magic2).get())?
                .commandLine == plain)
        #expect(
            (try? Self.read(Self.multiboot2([(1, Self.text(words)), (2, Self.text("GRUE")), map]), Self.magic2).get())?
                .commandLine == words)
    }

    // MARK: What is refused

    @Test func `another magic number is refused`() {
        #expect(Self.read(LoaderMemory(), 0x1BAD_B002) == .failure(.notMultiboot(magic: 0x1BAD_B002)))
    }

    @Test func `information without a memory map is refused`() {
        #expect(Self.read(Self.multiboot1(words: "x", map: nil), Self.magic1) == .failure(.noMemoryMap))
        #expect(Self.read(Self.multiboot2([(1, Self.text("x"))]), Self.magic2) == .failure(.noMemoryMap))
    }

    @Test func `a module that ends before it starts is refused by its number`() {
        let modules: [(UInt32, UInt32, String?)] = [(0x1000, 0x1000, nil), (0x2000, 0x1FFF, nil)]
        #expect(Self.read(Self.multiboot1(modules: modules), Self.magic1) == .failure(.invalidModule(1)))
    }

    @Test func `33 modules are taken, 34 refused`() {
        let modules = Array(repeating: (UInt32(0x1000), UInt32(0x2000), nil as String?), count: 33)
        #expect((try? Self.read(Self.multiboot1(modules: modules), Self.magic1).get())?.modules.count == 33)
        #expect(Self.read(Self.multiboot1(modules: modules + modules[..<1]), Self.magic1) == .failure(.tooManyModules))
    }

    @Test func `8192 bytes of words are taken, one more refused`() {
        let words = String(repeating: "w", count: 8190)
        let fits = Self.multiboot1(words: words, modules: [(0, 0, "ab")])
        #expect((try? Self.read(fits, Self.magic1).get())?.modules.first?.2 == "ab")
        #expect(Self.read(Self.multiboot1(words: words, modules: [(0, 0, "abc")]), Self.magic1) == .failure(.wordsTooLong))
    }
}
