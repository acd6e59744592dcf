import X86

/// One of the six intercept vectors, by its number: each bit asks for the exit whose code is 32 times the vector's number and
/// the bit's (APM volume 2, "VMCB Layout" and "SVM Intercept Exit Codes").
public struct InterceptVector<let number: Int>: FlagSet, VMCBValue {
    public typealias Bits = UInt32
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static func name(ofBit bit: Int) -> StaticString? { SVMExitCode(interceptBit: 32 * number + bit)?.name }
}
