import Testing

@testable import LauncherTools

@Suite struct MachineTests {
    private func files(_ folder: Folder, modules: [(String, Int)] = []) throws -> GuestFiles {
        var files = try GuestFiles(folder: folder.path + "/files", kernel: folder.file("martlet.elf"))
        for (name, size) in modules { try files.add(folder.file(name, size: size), "") }
        return files
    }

    @Test func `the kernel's command line has the given words, and where its report goes`() throws {
        func line(_ request: RunRequest, rows: Int? = nil) -> String {
            request.kernelCommandLine(columns: 100, rows: rows, records: .port)
        }
        #expect(line(try request()) == "martlet.elf memory=256M trace=exits columns=100 report=com2 stop=com4")
        #expect(
            line(
                try request(
                    "memory=1g", "TRACE=off", "LARGE=2m", "MMU=shadow", "VPID=off", "CHECKS=on", "TESTDEV=on", "SCREEN=on",
                    "FLAT=on", "HIDE=x2apic, avx2", "EXTRA=a  b", "TRACE_FILE=/dev/null"), rows: 25)
                    == """
                    martlet.elf memory=1G trace=off large=2m mmu=shadow shadow=16M vpid=off checks=on testdev=on screen=on rows=25 \
                    columns=100 flat=on hide=x2apic,avx2 report=com2 stop=com4 record=serial recordway=port a  b
                    """)
        #expect(line(try request("MONITOR=study")).hasSuffix(" report=com3 agent=com2"))
    }

    @Test func `a processor is named by any part that only one has`() throws {
        let models = ["haswell", "haswell_x", "Skylake", "ryzen"]
        #expect(try processorModel("SKY", of: models) == "Skylake")
        #expect(try processorModel("haswell", of: models) == "haswell")
        #expect(throws: Failure.badUsage("PROCESSOR=has is ambiguous: haswell haswell_x")) {
            try processorModel("has", of: models)
        }
        #expect(
            throws: Failure.badUsage("PROCESSOR=z80: there is no such model; the models are haswell haswell_x Skylake ryzen")
        ) { try processorModel("z80", of: models) }
    }

    @Test func `a machine has room for the guest, its files and Martlet`() throws {
        let folder = try Folder()
        #expect(try request("MEMORY=16M").machineMebibytes(files(folder)) == 128)
        #expect(try request().machineMebibytes(files(folder)) == 320)
        let files = try files(folder, modules: [("guest", 1), ("module", 5 << 20)])
        #expect(files.mebibytes() == 6)
        #expect(files.mebibytes(from: 1) == 5)
        #expect(try request().machineMebibytes(files) == 326)
        #expect(try request("MMU=shadow", "MEMORY=1000M").machineMebibytes(files) == 1000 + 6 + 64 + 16 + 10)
        #expect(try request("MMU=shadow").bochsMebibytes(files) == 256 + 6 + 64 + 16 + 2 + 256)
        #expect(try request("MEMORY=1G").bochsMebibytes(files) == 2048)
        #expect(try request("LARGE=1g", "MEMORY=1G").qemuMebibytes(files) == 3072 + 6)
    }

    @Test func `Bochs's memory is limited`() throws {
        let folder = try Folder()
        #expect(
            throws: Failure.badUsage("MEMORY=4G does not fit: Bochs has at most 2048M, which leaves 1984M for the guest")
        ) { try request("MEMORY=4G").bochsMebibytes(files(folder)) }
        #expect(
            throws: Failure.badUsage(
                "MEMORY=1100M does not fit: Bochs has at most 2048M, the files of GUEST and MODULES take 900 MiB, which leaves 1084M for the guest"
            )
        ) { try request("MEMORY=1100M").bochsMebibytes(files(folder, modules: [("huge", 900 << 20)])) }
        #expect(
            throws: Failure.badUsage(
                "GUEST and MODULES do not fit: they take 2000 MiB, and Bochs has at most 2048M; use smaller ones")
        ) { try request("MEMORY=100M").bochsMebibytes(files(folder, modules: [("vast", 2000 << 20)])) }
    }

    @Test func `QEMU takes the command line without the kernel's name, and commas doubled`() throws {
        let folder = try Folder()
        var files = try files(folder)
        try files.add(folder.file("a,b"), "x=1,2")
        let arguments = QEMU.arguments(300, "martlet.elf memory=256M", files)
        #expect(arguments.contains("300M"))
        #expect(Array(arguments.suffix(4)) == ["-append", "memory=256M", "-initrd", "a,,b x=1,,2"])
    }

    @Test func `KVM is used if it is accessible and nested`() throws {
        let folder = try Folder()
        let device = try folder.file("kvm")
        #expect(QEMU.hasNestedKVM(device: device, parameter: try folder.file("nested", "Y\n")))
        #expect(QEMU.hasNestedKVM(device: device, parameter: try folder.file("one", "1\n")))
        #expect(!QEMU.hasNestedKVM(device: device, parameter: try folder.file("no", "N\n")))
        #expect(!QEMU.hasNestedKVM(device: device, parameter: folder.path + "/none"))
        #expect(!QEMU.hasNestedKVM(device: folder.path + "/none", parameter: try folder.file("yes", "Y\n")))
        #expect(
            throws: Failure.noMachine(
                "MACHINE=kvm: this host offers guests no VMX (it needs /dev/kvm, and kvm_intel with nested=Y): use MACHINE=bochs")
        ) { try QEMU.check(.kvm, hasNestedKVM: false) }
    }

    @Test func `the nested Linux's init program keeps every character of QEMU's words`() {
        let program = NestedLinux.initProgram(["-append", "a 'b' $c \"d\""], takesInput: false, hasMonitor: false)
        #expect(program.contains(#"-cpu host '-append' 'a '\''b'\'' $c "d"' < /dev/null | /port E9"#))
        #expect(program.hasPrefix("#!/bin/busybox sh\n"))
        #expect(program.hasSuffix("| /port 8900\n"))
    }

    @Test func `if Bochs prints nothing, the last words are Linux's`() throws {
        let folder = try Folder()
        _ = try folder.file("linux.log", "one\r\ntwo\r\nthree\r\nKernel panic\r\n")
        #expect(NestedLinux.lastWords(folder.path) == "two\nthree\nKernel panic")
    }

    @Test func `Bochs's own words are the last of its panics`() throws {
        let folder = try Folder()
        #expect(Bochs.lastWords(folder.path) == "")
        _ = try folder.file(
            "bochs.log", "0 [CPU] >>PANIC<< first\n1 [CPU0] >>PANIC<< exception(): 3rd (13) exception with no resolution\n")
        #expect(Bochs.lastWords(folder.path) == "Bochs: exception(): 3rd (13) exception with no resolution (a triple fault)")
        _ = try folder.file("bochs.log", "0 [UNMAP] >>PANIC<< Shutdown port: shutdown requested\n")
        #expect(Bochs.lastWords(folder.path) == "")
    }
}
