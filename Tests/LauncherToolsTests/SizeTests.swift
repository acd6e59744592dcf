import Testing

@testable import LauncherTools

@Suite struct SizeTests {
    @Test(arguments: [("256M", 256), ("1G", 1024), ("4g", 4096), ("1K", 1), ("1025k", 2), ("999999999M", 999_999_999)])
    func `a size is a number and a letter, and is rounded up to MiB`(text: String, mebibytes: Int) throws {
        let size = try #require(Size(text))
        #expect(size.mebibytes == mebibytes)
        #expect(size.text == text.uppercased())
    }

    @Test(arguments: ["", "M", "0M", "256", "lots", "-1M", "+1M", "1T", "1.5G", "01M", "1234567890M", "1 M"])
    func `anything else is not a size`(text: String) { #expect(Size(text) == nil) }
}
