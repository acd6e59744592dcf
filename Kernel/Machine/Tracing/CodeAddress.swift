import Text
import Virtualization
import X86

/// Where the guest executes, in the form of its mode: 07c0:0000 in real mode, 0008:00101000 in protected mode, and in 64-bit mode
/// below 4 GiB; 0010:ffffffff81000000 above.
public struct CodeAddress: TextConvertible, Equatable, Sendable {
    public let selector: UInt16
    public let pointer: UInt64
    public let mode: ProcessorMode

    public init(selector: UInt16, pointer: UInt64, mode: ProcessorMode) {
        self.selector = selector
        self.pointer = pointer
        self.mode = mode
    }

    public func write(to output: inout Line) {
        output.write(hexDigits: UInt64(selector), digits: 4)
        output.write(":")
        output.write(hexDigits: pointer, digits: pointer >> 32 != 0 ? 16 : mode.defaultAddressSize == 2 ? 4 : 8)
    }
}

extension VirtualCPU {
    /// Where the guest executes now.
    public var codeAddress: CodeAddress {
        .init(
            selector: processor.segment(.cs).selector.rawValue, pointer: processor.instructionPointer,
            mode: processor.mode)
    }
}
