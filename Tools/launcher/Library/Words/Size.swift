/// An amount of memory, as a whole number and K, M or G.
struct Size: Equatable, Sendable {
    /// As the kernel takes it, with a capital letter.
    let text: String
    /// In MiB, rounded up.
    let mebibytes: Int

    /// - Returns: nil if it is not a size, or has more than nine digits.
    init?(_ text: String) {
        let digits = text.dropLast()
        guard let letter = text.last, (1...9).contains(digits.count), digits.first != "0",
            digits.allSatisfy({ ("0"..."9").contains($0) }), let number = Int(digits)
        else { return nil }
        switch letter {
        case "K", "k": mebibytes = (number + 1023) / 1024
        case "M", "m": mebibytes = number
        case "G", "g": mebibytes = number * 1024
        default: return nil
        }
        self.text = digits + letter.uppercased()
    }
}
