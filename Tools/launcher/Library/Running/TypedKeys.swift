/// Separates typed keys from those for the launcher: the escape is Ctrl-A, as in QEMU.
struct TypedKeys {
    private static let escape: UInt8 = 1
    private var isEscaped = false
    /// Ctrl-A x was typed: the machine is to end.
    private(set) var isAtEnd = false

    /// Takes keys, and returns those for the guest.
    mutating func take(_ keys: [UInt8]) -> [UInt8] {
        var guest: [UInt8] = []
        for key in keys where !isAtEnd {
            if isEscaped {
                isEscaped = false
                switch key {
                case UInt8(ascii: "x"), UInt8(ascii: "X"): isAtEnd = true
                case TypedKeys.escape, UInt8(ascii: "a"): guest.append(TypedKeys.escape)
                default: break
                }
            } else if key == TypedKeys.escape {
                isEscaped = true
            } else {
                guest.append(key)
            }
        }
        return guest
    }
}
