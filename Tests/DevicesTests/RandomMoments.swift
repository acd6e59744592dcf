import Devices
import Support

extension FixedSeedGenerator {
    /// A moment after another: mostly soon, at times much later.
    mutating func time(after time: MachineTime) -> MachineTime {
        time.advanced(by: next() >> UInt64.random(in: 28...63, using: &self))
    }
}
