/// A panic's backtrace: each frame's function, file and line, with the functions inlined there.
struct Backtrace {
    let checkout: Checkout
    let processes: Processes

    /// - Parameter image: the kernel's path.
    /// - Returns: nil if there is no symbolizer.
    func lines(_ addresses: [UInt64], of image: String) throws(Failure) -> [String]? {
        guard let tool = try symbolizer() else { return nil }
        let words = addresses.map { "0x" + String($0, radix: 16) }
        var text = try processes.output([tool, "--obj=\(image)", "--functions=linkage", "--pretty-print"] + words).text
        // Swift's symbols as they appear in the source.
        if isInPath("swift-demangle") { text = try processes.output(["swift-demangle", "--simplified"], input: text).text }
        return text.split(separator: "\n").map { "  " + $0.replacing(checkout.root + "/", with: "") }
    }

    /// LLVM's, from PATH or next to the Swift compiler.
    private func symbolizer() throws(Failure) -> String? {
        if isInPath("llvm-symbolizer") { return "llvm-symbolizer" }
        let program =
            "tool=$(dirname \"$(readlink -f \"$(command -v swiftc)\")\")/llvm-symbolizer && [ -x \"$tool\" ] && echo \"$tool\""
        let found = try processes.output(["sh", "-c", program]).text.filter { $0 != "\n" }
        return found.isEmpty ? nil : found
    }
}
