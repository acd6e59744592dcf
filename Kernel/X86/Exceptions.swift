import Text

/// The vector of an exception (SDM volume 3, "Sources of Interrupts", table "Protected-Mode Exceptions and
/// Interrupts").
public struct ExceptionVector: Equatable, Sendable {
    public var number: UInt8
    public init(_ number: UInt8) { self.number = number }

    public static var divideError: Self { .init(0) }
    public static var debug: Self { .init(1) }
    public static var nonMaskableInterrupt: Self { .init(2) }
    public static var breakpoint: Self { .init(3) }
    public static var overflow: Self { .init(4) }
    public static var boundRange: Self { .init(5) }
    public static var invalidOpcode: Self { .init(6) }
    public static var deviceNotAvailable: Self { .init(7) }
    public static var doubleFault: Self { .init(8) }
    public static var invalidTSS: Self { .init(10) }
    public static var segmentNotPresent: Self { .init(11) }
    public static var stackFault: Self { .init(12) }
    public static var generalProtection: Self { .init(13) }
    public static var pageFault: Self { .init(14) }
    public static var floatingPoint: Self { .init(16) }
    public static var alignmentCheck: Self { .init(17) }
    public static var machineCheck: Self { .init(18) }
    public static var simdFloatingPoint: Self { .init(19) }
    public static var virtualization: Self { .init(20) }
    public static var controlProtection: Self { .init(21) }

    /// Its bit in the exception bitmap.
    public var bit: UInt32 { 1 << UInt32(number) }

    /// Whether the exception pushes an error code in protected mode.
    public var hasErrorCode: Bool {
        switch number {
        case 8, 10, 11, 12, 13, 14, 17, 21: true
        default: false
        }
    }

    /// The class that decides what a second exception during delivery becomes (SDM volume 3, 7.15, "Interrupt 8 - Double
    /// Fault Exception (#DF)").
    public enum Severity: Sendable { case benign, contributory, pageFault, doubleFault }

    public var severity: Severity {
        switch number {
        case 0, 10, 11, 12, 13, 21: .contributory
        case 14, 20: .pageFault
        case 8: .doubleFault
        default: .benign
        }
    }

    /// What becomes of `second` when it occurs while `first` is being delivered.
    public enum Combination: Equatable, Sendable { case serial, doubleFault, shutdown }

    public static func combine(_ first: ExceptionVector, then second: ExceptionVector) -> Combination {
        switch (first.severity, second.severity) {
        case (.doubleFault, .contributory), (.doubleFault, .pageFault): .shutdown
        case (.contributory, .contributory): .doubleFault
        case (.pageFault, .contributory), (.pageFault, .pageFault): .doubleFault
        default: .serial
        }
    }
}

extension ExceptionVector: TextConvertible {
    /// Intel's mnemonic, such as #PF; nil for a vector that has none.
    @inline(__always) public var mnemonic: StaticString? {
        switch number {
        case 0: "#DE"
        case 1: "#DB"
        case 2: "NMI"
        case 3: "#BP"
        case 4: "#OF"
        case 5: "#BR"
        case 6: "#UD"
        case 7: "#NM"
        case 8: "#DF"
        case 10: "#TS"
        case 11: "#NP"
        case 12: "#SS"
        case 13: "#GP"
        case 14: "#PF"
        case 16: "#MF"
        case 17: "#AC"
        case 18: "#MC"
        case 19: "#XM"
        case 20: "#VE"
        case 21: "#CP"
        default: nil
        }
    }

    /// The manual's mnemonic, such as #PF.
    public func write(to output: inout Line) {
        if let mnemonic {
            output.write(mnemonic)
        } else {
            output.write("exception ")
            output.write(decimal: UInt64(number))
        }
    }
}
