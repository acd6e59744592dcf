/// What is typed, without the keys that are for the launcher: Ctrl-A is QEMU's escape, too.
struct TypedKeys {
    private static let escape: UInt8 = 1
    private var isEscaped = false
    /// Ctrl-A x came: the machine is to end.
    private(set) var isAtEnd = false

    /// Takes keys, and leaves those of the guest.
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
