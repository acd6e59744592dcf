extension MachineSetup {
    /// Everything needed to start the kernel with GRUB.
    func bochs(_ version: Bochs.Version) throws(Failure) -> PreparedMachine {
        var request = request
        let bochs = try Bochs(version, checkout, processes)
        let processor = try bochs.processor(request.words.given(.processor), processes)
        let mebibytes = try request.bochsMebibytes(files)
        // If a page fault exits during a virtual interrupt's delivery, Bochs does not record which interrupt it was.
        if request.words[.mmu] == "shadow" { request.extra.insert("apic=tpr", at: 0) }
        let records = RecordWay.parallel
        try makeImage(
            files.folder + "/" + files.kernel, request.kernelCommandLine(columns: columns, rows: rows, records: records),
            modules: files.modules.map { (files.path($0), $0.string) }, boot: request.words[.boot])
        // The console is port 0xE9: COM1 carries only the input, so a pipe can serve as its terminal.
        var ports: [Int: Bochs.SerialPort] = takesInput ? [1: .pipe("input")] : [:]
        if let monitorPort {
            ports[2] = .connection(monitorPort)
            ports[3] = .file("report")
        } else {
            ports[2] = .file("report")
            ports[4] = .pipe("stop")
        }
        var configuration = bochs.configuration(
            processor: processor, mebibytes: mebibytes, image: "machine.iso", speed: request.words[.speed], ports: ports)
        if request.traceFile != nil { configuration.append("parport1: enabled=1, file=records") }
        var machine = try bochs.machine(folder, configuration)
        machine.records = records
        let loaded = files.mebibytes()
        machine.beginning = loaded < 4 ? "Bochs is starting" : "Bochs is starting, and GRUB is loading \(loaded) MiB"
        machine.saysBeginning = loaded >= 4
        return machine
    }

    /// Creates the machine's CD.
    func makeImage(_ kernel: String, _ words: String, modules: [(String, String)], boot: String, once: Bool = true)
        throws(Failure)
    {
        var environment: [String: String?] = ["TMPDIR": folder, "BOOT": boot, "WAIT": nil, "ONCE": nil]
        if once { environment["ONCE"] = "1" }
        try processes.run(
            [checkout.iso, folder + "/machine.iso", kernel, words] + modules.flatMap { [$0.0, $0.1] }, environment: environment)
    }
}
