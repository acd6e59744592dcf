import Testing

@testable import LauncherTools

@Suite struct ReportTests {
    @Test func `the verdict is the last status that is a number`() {
        #expect(Report("status 4 bad image\r\nstatus 12 panic\r\n").status == 12)
        #expect(Report("status 1\n").status == 1)
        #expect(Report("status 1234 no\nstatus x\nerror status 3\n").status == nil)
        #expect(Report("").status == nil)
    }

    @Test func `a return address is taken back into its call`() {
        #expect(
            Report("at 0x100010\nframe 0x100020\nframe nonsense\nframe 0x1000FFFFFFFFFFFFF0000\n").backtrace == [
                0x100010, 0x10001F,
            ])
    }

    @Test func `errors and records are distinguished`() {
        let report = Report("error the image is no image\nrecord QUJD\nrecord REVG\nrecords 2\n")
        #expect(report.errors == ["the image is no image"])
        #expect(report.records == ["QUJD", "REVG"])
        #expect(report.recordCount == 2)
    }

    @Test func `records are complete, or as many as there are`() throws {
        let folder = try Folder()
        let path = try folder.file("trace", size: 300)
        #expect(try RecordFile(path, .port, folder: folder.path).close(Report("")) == nil)
        #expect(contents(path).utf8.count == 240)
        #expect(try RecordFile(path, .port, folder: folder.path).close(Report("records 2\n")) == nil)
        #expect(
            try RecordFile(path, .port, folder: folder.path).close(Report("records 3\n"))
                == "TRACE_FILE: 2 of 3 records were written: is the disk with \(path) full?")
        let record = String(repeating: "QUJD", count: 40)
        #expect(try RecordFile(path, .report, folder: folder.path).close(Report("record \(record)\nrecords 1\n")) == nil)
        #expect(contents(path) == String(repeating: "ABC", count: 40))
    }
}
