import Machine
import Memory
import VMX
import Virtualization

/// Places in the guest's RAM where the host has put an INT3: only their exceptions are the host's; every other INT3 is the
/// guest's own.
struct Traps: ~Copyable {
    static var capacity: Int { 64 }

    private var places: [64 of UInt64] = .init(repeating: 0)
    private(set) var count = 0

    mutating func contains(_ address: GuestPhysicalAddress) -> Bool {
        for index in 0..<count where place(index) == address.rawValue { return true }
        return false
    }

    /// False if there is no room; an existing place stays as it is.
    mutating func insert(_ address: GuestPhysicalAddress) -> Bool {
        if contains(address) { return true }
        guard count < Traps.capacity else { return false }
        places[count] = address.rawValue
        count += 1
        return true
    }

    /// False if the place was not there.
    mutating func remove(_ address: GuestPhysicalAddress) -> Bool {
        for index in 0..<count where place(index) == address.rawValue {
            count -= 1
            places[index] = place(count)
            return true
        }
        return false
    }

    /// Read in place, like `StopTable`.
    private mutating func place(_ index: Int) -> UInt64 {
        withUnsafeMutableBytes(of: &places) { $0.load(fromByteOffset: 8 * index, as: UInt64.self) }
    }

    mutating func removeAll() { count = 0 }
}

extension Debugger {
    /// Whether the INT3 at RIP is one of the host's.
    mutating func isTrap<Access: VMCSAccess, Services: HostServices>(
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Services>>
    ) -> Bool {
        guard traps.count > 0, let place = cpu.pointee.locateInstruction() else { return false }
        return traps.contains(place)
    }
}
