/// A MOV between a general register and memory. Most of it is computed on demand, and much of it never.
public struct PlainMove: Equatable, Sendable {
    public var isStore: Bool
    /// The size in bytes: 1, 2, 4 or 8.
    public var size: Int
    /// The length of the instruction in bytes.
    public var length: Int
    public var operand: MemoryInstruction.Operand

    @inline(__always)
    public var register: MemoryInstruction.Register { operand.register(size: size) }
}
