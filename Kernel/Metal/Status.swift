/// How a run ended, as the launcher's exit status.
enum Status: Equatable {
    /// In order, without a value.
    case ended
    /// By the debug-exit port.
    case guestValue(UInt32)
    case badUsage
    case badImage
    case missingFeature
    case failedEntry
    case tripleFault
    case panic
    case unsupported
    /// It left no note within its limit.
    case overdue
    case selfTestFailed
    /// The person who runs Martlet ended it.
    case stopped

    /// The guest's own are odd, as QEMU's isa-debug-exit makes them; Martlet's are even.
    var number: UInt32 {
        switch self {
        case .ended: 0
        case .guestValue(let value): (value << 1 | 1) & 0xFF
        case .badUsage: 2
        case .badImage: 4
        case .missingFeature: 6
        case .failedEntry: 8
        case .tripleFault: 10
        case .panic: 12
        case .overdue: 14
        case .unsupported: 16
        case .selfTestFailed: 20
        case .stopped: 24
        }
    }

    /// The guest ended as intended.
    var isSuccess: Bool { self == .ended || self == .guestValue(0) }

    /// The guest ran, and brought about its own end.
    var isOfGuest: Bool {
        switch self {
        case .ended, .guestValue, .tripleFault, .unsupported, .overdue: true
        default: false
        }
    }

    var words: StaticString {
        switch self {
        case .ended: "the guest ended in order"
        case .guestValue: "the guest wrote its value to the debug-exit port"
        case .badUsage: "bad usage"
        case .badImage: "bad guest image"
        case .missingFeature: "no VMX or a missing feature"
        case .failedEntry: "a VM entry failed"
        case .tripleFault: "the guest triple-faulted"
        case .panic: "panic"
        case .unsupported: "the guest needs something that Martlet does not emulate"
        case .overdue: "the guest's time was up"
        case .selfTestFailed: "a self-test failed"
        case .stopped: "stopped from outside"
        }
    }
}
