import Trace
import Virtualization

/// Where the world switch finds the parts it uses of a virtual CPU: offsets from its beginning.
public struct SwitchedLayout: Equatable, Sendable {
    public let registers: Int
    public let runLoopStackPointer: Int
    public let nextRecord: Int
    public let recordEnd: Int
}

extension VirtualCPU {
    /// - Parameter memory: room for a virtual CPU, which need not exist: nothing is read.
    public static func switchedLayout(in memory: UnsafeMutableRawPointer) -> SwitchedLayout {
        let cpu = memory.assumingMemoryBound(to: Self.self)
        func offset<Field>(_ field: UnsafeMutablePointer<Field>) -> Int { UnsafeMutableRawPointer(field) - memory }
        return SwitchedLayout(
            registers: withUnsafeMutablePointer(to: &cpu.pointee.registers) { offset($0) },
            runLoopStackPointer: withUnsafeMutablePointer(to: &cpu.pointee.runLoopStackPointer) { offset($0) },
            nextRecord: withUnsafeMutablePointer(to: &cpu.pointee.records.next) { offset($0) },
            recordEnd: withUnsafeMutablePointer(to: &cpu.pointee.records.end) { offset($0) })
    }
}
