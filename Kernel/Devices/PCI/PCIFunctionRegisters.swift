/// The 256 bytes of one function's configuration space.
struct PCIFunctionRegisters: Equatable, Sendable {
    private let function: PCIFunction
    private var values: [64 of UInt32]

    init(_ function: PCIFunction) {
        self.function = function
        values = .init { function.initialValue(UInt8(truncatingIfNeeded: $0)) }
    }

    /// Of a register's number, the low six bits count.
    func read(_ register: UInt8) -> UInt32 { values[Int(register & 63)] }

    /// Changes the bits of `mask`, as far as they can be.
    mutating func write(_ register: UInt8, _ value: UInt32, mask: UInt32) {
        let writable = function.writableBits(register & 63) & mask
        guard writable != 0 else { return }
        values[Int(register & 63)] = values[Int(register & 63)] & ~writable | value & writable
    }

    static func == (left: Self, right: Self) -> Bool {
        guard left.function == right.function else { return false }
        for index in 0..<UInt8(64) where left.read(index) != right.read(index) { return false }
        return true
    }
}
