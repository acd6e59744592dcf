import Text
import X86

/// What one capability MSR says about a control field: bits that must be 1 and bits that may be 1 (SDM volume 3, appendix
/// A.2 "Reserved Controls and Default Settings").
public struct ControlCapability<Controls: FlagSet>: Equatable, Sendable where Controls.RawValue == UInt32 {
    /// Bits that must be 1 (the MSR's low half).
    public let required: Controls
    /// Bits that may be 1 (the MSR's high half).
    public let allowed: Controls
    /// The register that says so.
    public let source: ModelSpecificRegister

    public init(_ value: UInt64, from source: ModelSpecificRegister) {
        required = .init(rawValue: UInt32(truncatingIfNeeded: value))
        allowed = .init(rawValue: UInt32(truncatingIfNeeded: value >> 32))
        self.source = source
    }

    /// A field that the processor does not have: nothing is required, nothing allowed.
    public static func absent(_ source: ModelSpecificRegister) -> Self { .init(0, from: source) }

    /// Those of the controls in `wanted` that the processor does not offer.
    public func missing(of wanted: Controls) -> MissingControls<Controls> {
        MissingControls(missing: wanted.subtracting(allowed), source: source)
    }

    /// The controls to write: those that the processor requires, those of `require`, none of which may be missing, and of
    /// `prefer` those on offer.
    public func adjust(require: Controls, prefer: Controls = .none) -> Controls {
        (require | prefer & allowed) | required
    }
}

/// Controls that Martlet needs and the processor does not offer.
public struct MissingControls<Controls: FlagSet>: Equatable, Sendable where Controls.RawValue == UInt32 {
    public let missing: Controls
    public let source: ModelSpecificRegister

    /// Prints a line for each: what it is and which register says so.
    public func report(_ area: StaticString, to print: (Line) -> Void) {
        for bit in 0..<32 where missing.rawValue & 1 << UInt32(bit) != 0 {
            print("\(area): \"\(Controls(bit: bit))\" is not offered (\(source), bit \(bit + 32))")
        }
    }
}
