import Text
import X86

/// Something that is delivered to a guest through its interrupt-descriptor table.
public struct Event: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case externalInterrupt
        case nonMaskableInterrupt
        /// A fault, trap or abort that the processor raises.
        case exception
        /// INT n.
        case softwareInterrupt
        /// INT1.
        case privilegedSoftwareException
        /// INT3 or INTO.
        case softwareException

        /// Raised by an instruction made for it; the handler returns after that.
        public var isSoftware: Bool {
            self == .softwareInterrupt || self == .privilegedSoftwareException || self == .softwareException
        }
    }

    public var kind: Kind
    public var vector: UInt8
    public var errorCode: UInt32?
    /// The length of the instruction that raised a software event: the return address follows it.
    public var instructionLength: UInt8

    public init(kind: Kind, vector: UInt8, errorCode: UInt32? = nil, instructionLength: UInt8 = 0) {
        self.kind = kind
        self.vector = vector
        self.errorCode = errorCode
        self.instructionLength = instructionLength
    }

    public static func interrupt(_ vector: UInt8) -> Self { .init(kind: .externalInterrupt, vector: vector) }

    public static func exception(_ vector: ExceptionVector, errorCode: UInt32? = nil) -> Self {
        .init(kind: .exception, vector: vector.number, errorCode: errorCode)
    }

    /// #UD.
    public static var invalidOpcode: Self { .exception(.invalidOpcode) }
    /// #NM.
    public static var deviceNotAvailable: Self { .exception(.deviceNotAvailable) }
    /// #SS(0).
    public static var stackFault: Self { .exception(.stackFault, errorCode: 0) }
    /// #GP(0).
    public static var generalProtection: Self { .exception(.generalProtection, errorCode: 0) }
}

extension Event: TextConvertible {
    public func write(to output: inout Line) {
        switch kind {
        case .externalInterrupt:
            output.write("interrupt ")
            output.write(hex: UInt64(vector))
        case .nonMaskableInterrupt:
            output.write("NMI")
        case .exception, .softwareException, .privilegedSoftwareException:
            output.write(ExceptionVector(vector))
        case .softwareInterrupt:
            output.write("INT ")
            output.write(hex: UInt64(vector))
        }
        if let errorCode {
            output.write("(")
            if errorCode < 10 { output.write(decimal: UInt64(errorCode)) } else { output.write(hex: UInt64(errorCode)) }
            output.write(")")
        }
    }
}
