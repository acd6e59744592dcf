import Memory
import Text
import VMX

/// What the EPT map, run-length coded: a line for neighbouring pages that continue each other and are equal in size, rights
/// and memory type.
public enum NestedMap {
    /// Writes the runs that overlap `range`, and the sum.
    public static func write(
        _ range: AddressRange<GuestPhysicalAddress>,
        of table: PageTableView<EPTFormat, some PhysicalMemory>, to output: inout Answer
    ) {
        var pages: UInt64 = 0
        var bytes: UInt64 = 0
        let format = table.format
        table.forEachRun(in: range) { run in
            if pages == 0 { writeHeading(to: &output) }
            pages += run.pageCount
            bytes += run.count.bytes
            write(run, format, to: &output)
            return true
        }
        var line = Line()
        if pages == 0 {
            let last = range.isEmpty ? range.start.rawValue : range.start.rawValue + (range.count.bytes - 1)
            line.write("nothing is mapped from guest-physical \(hex: range.start.rawValue) to \(hex: last)" as Line)
        } else {
            line.write("\(count: pages, "page"), \(bytes >> 10) KiB; the EPT takes \(count: table.tableCount, "frame")" as Line)
        }
        output.line(line)
    }

    /// Writes everything.
    public static func write(
        _ table: PageTableView<EPTFormat, some PhysicalMemory>, to output: inout Answer
    ) {
        let all = AddressRange(start: GuestPhysicalAddress(0), count: ByteCount(table.format.inputLimit))
        write(all, of: table, to: &output)
    }

    private static var columns: (host: Int, pages: Int, rights: Int, type: Int, use: Int) { (32, 48, 64, 70, 92) }

    private static func writeHeading(to output: inout Answer) {
        var line: Line = "guest-physical"
        line.pad(to: columns.host)
        line.write("host-physical")
        line.pad(to: columns.pages)
        line.write("pages")
        line.pad(to: columns.rights)
        line.write("may")
        line.pad(to: columns.type)
        line.write("memory type")
        line.pad(to: columns.use)
        line.write("accessed, dirty")
        output.line(line)
    }

    private static func write(
        _ run: PageRun<EPTFormat>, _ format: EPTFormat, to output: inout Answer
    ) {
        let start = run.input.rawValue
        var line: Line = "\(hex: start) to \(hex: start + (run.count.bytes - 1))"
        line.pad(to: columns.host)
        line.write(hex: run.first.output.rawValue)
        line.pad(to: columns.pages)
        line.write("\(run.pageCount) of \(run.first.size)" as Line)
        line.pad(to: columns.rights)
        line.write(run.first.permissions.words(format))
        line.pad(to: columns.type)
        line.write(MemoryTypeWords.line(UInt64(run.first.memoryType.rawValue)))
        line.pad(to: columns.use)
        line.write("\(run.accessedCount), \(run.dirtyCount)" as Line)
        output.line(line)
    }
}

extension EPTFormat {
    /// One past the last guest-physical address that the tables can translate.
    var inputLimit: UInt64 { 1 << UInt64(12 + 9 * levelCount) }
}
