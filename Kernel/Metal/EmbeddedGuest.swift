import Instructions
import Machine
import Text

/// One of the guests in the kernel image.
struct EmbeddedGuest {
    let module: GuestModule
    let name: Line
    private let index: UInt64

    init?(_ index: UInt64) {
        let entry = embedded_guest_at(index)
        guard let start = entry.start, let end = entry.end, let text = entry.name else { return nil }
        var length = 0
        while text[length] != 0 { length += 1 }
        let words = UnsafeRawBufferPointer(start: text, count: length)
        module = GuestModule(
            image: ImageBytes(UnsafeRawBufferPointer(start: start, count: end - start)), commandLine: words)
        name = Line(words)
        self.index = index
    }

    func isWanted(_ choice: KernelOptions.EmbeddedGuest) -> Bool {
        switch choice {
        case .tour: true
        case .real: index == 0
        case .protected: index == 1
        case .long: index == 2
        }
    }
}
