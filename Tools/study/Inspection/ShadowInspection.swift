import Memory
import Text

/// The command `shadow`: the roots, how much of the shadow tables' memory is in use, and what is out of step.
enum ShadowInspection {
    static func write(_ book: ShadowBook, _ paging: GuestPaging, to output: inout Answer) {
        let (facts, standing) = (book.facts, book.facts.standing)
        if facts.isOn {
            output.line("shadow tables translate: \(paging.mode.words), CR3 \(hex: facts.cr3), shadow root \(hex: book.root)")
        } else {
            output.line("nested tables translate now; shadow tables do when the guest has turned on paging and CR0.WP")
        }
        let tables = book.tables
        if facts.isOn { writeRoots(book, paging, tables, to: &output) }
        output.line(
            "\(count: standing.pageCount - 1 - standing.freeCount, "shadow page") in use, at most \(standing.usedEnd - 1) so far, of \(standing.pageCount - 1)"
        )
        let frames = book.framesOutOfStep
        if frames.isEmpty { return output.line("no table is out of step") }
        output.line("out of step:")
        for frame in frames {
            let levels = Set(tables.filter { UInt64($0.page.frame) == frame }.map(\.page.level)).sorted()
            let words = levels.map(String.init).joined(separator: " and ")
            output.text("  the guest's table at \(hex: frame << 12), level \(words)")
        }
    }

    private static func writeRoots(
        _ book: ShadowBook, _ paging: GuestPaging, _ tables: [(number: UInt64, page: ShadowPage)], to output: inout Answer
    ) {
        output.line("guest CR3       shadow root     twin")
        // Without long mode there is one, whose four entries are rebuilt when CR3 is loaded.
        guard paging.shadowLevelCount > 3 else { return output.line(root(book.facts.cr3, book.root, twin: nil, isLoaded: true)) }
        for (number, page) in tables where Int(page.level) == paging.shadowLevelCount {
            let guest = UInt64(page.frame) << 12
            output.line(
                root(
                    guest, book.address(of: number), twin: page.hasTwin ? guest : nil,
                    isLoaded: number == book.facts.standing.root))
        }
    }

    private static func root(_ guest: UInt64, _ address: UInt64, twin: UInt64?, isLoaded: Bool) -> Line {
        var line: Line = "\(hex: guest)"
        line.pad(to: 16)
        line.write(hex: address)
        line.pad(to: 32)
        if let twin { line.write("at host-physical \(hex: twin)" as Line) } else { line.write("none") }
        if isLoaded { line.write(", loaded") }
        return line
    }
}
