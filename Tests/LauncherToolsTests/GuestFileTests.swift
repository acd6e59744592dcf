import Testing

@testable import LauncherTools

@Suite struct GuestFileTests {
    @Test func `a list of modules is files, whose paths may have blanks, and their words`() throws {
        let folder = try Folder()
        let plain = try folder.file("plain")
        let blanks = try folder.file("with two blanks")
        let semicolon = try folder.file("semi;colon")
        var files = try GuestFiles(folder: folder.path + "/files", kernel: plain)
        try files.addList("\(blanks) x,y=1 \"q\"; \(semicolon);;\(plain)  two  blanks ; ")
        #expect(files.modules.map(\.string) == ["with_two_blanks x,y=1 \"q\"", "semi;colon", "plain  two  blanks "])
    }

    @Test func `a missing file is named up to its blank`() throws {
        let folder = try Folder()
        let plain = try folder.file("plain")
        var files = try GuestFiles(folder: folder.path + "/files", kernel: plain)
        #expect(throws: Failure.badUsage("MODULES: there is no file \"nothing\"")) {
            try files.addList("nothing at all;\(plain)")
        }
    }

    @Test func `two modules of one name are refused, the same file twice is not`() throws {
        let (folder, other) = (try Folder(), try Folder())
        let mine = try folder.file("module")
        var files = try GuestFiles(folder: folder.path + "/files", kernel: folder.file("kernel"))
        try files.addList("\(mine) a;\(mine) b")
        #expect(files.modules.count == 2)
        #expect(throws: Failure.badUsage("two modules are named module: rename one")) { try files.add(other.file("module"), "") }
    }

    @Test func `a missing kernel is reported`() throws {
        let folder = try Folder()
        #expect(throws: Failure.badUsage("there is no kernel none.elf: run \"make build\"")) {
            try GuestFiles(folder: folder.path + "/files", kernel: "none.elf")
        }
    }

    @Test func `an image is known by its header`() throws {
        let folder = try Folder()
        func files(_ name: String, _ text: String) throws -> GuestFiles {
            var files = try GuestFiles(folder: folder.path + "/files", kernel: folder.file("kernel"))
            try files.add(folder.file(name, text), "")
            return files
        }
        #expect(try files("elf", "\u{7F}ELF...").guestIsELF)
        #expect(try files("linux", String(repeating: "\0", count: 514) + "HdrS").guestIsLinux)
        #expect(try !files("short", "E").guestIsELF)
        #expect(try !files("other", String(repeating: "x", count: 600)).guestIsLinux)
    }
}
